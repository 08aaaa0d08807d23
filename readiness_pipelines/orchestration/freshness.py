"""The freshness promise of a table as an asset check, evaluated by whoever asks and by the sensor that watches.

Dagster's own freshness policies take the last materialization of any partition for the newest, which the replay of an
old batch fools; these follow the calendar.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import Domain
from readiness_pipelines.installation import Run
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import BAD, FreshnessState, TableFreshness, promise_text
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of
from readiness_pipelines.overview import observe

FRESHNESS_CHECK = "freshness"


def freshness_checks(domain: Domain) -> dg.AssetChecksDefinition | None:
    """One check for each table with a freshness promise; ``None`` for a domain without any."""
    promises = {table.id: table.freshness for table in domain.tables if table.freshness is not None}
    if not promises:
        return None

    @dg.multi_asset_check(
        name=f"{domain.name}_freshness",
        specs=[
            dg.AssetCheckSpec(
                FRESHNESS_CHECK, asset=asset_key(table), description=f"Promised: {promise_text(promise)}."
            )
            for table, promise in promises.items()
        ],
        can_subset=True,
        required_resource_keys={INSTALLATION},
    )
    def freshness(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        seen = observe(domain.tables, installation=installation_of(context.resources), now=Run().clock())
        selected = {key.asset_key for key in context.selected_asset_check_keys}
        for table in promises:
            if asset_key(table) in selected:
                yield dg.AssetCheckResult(asset_key=asset_key(table), **_result(seen.freshness[table]))

    return freshness


def freshness_evaluations(
    changed: Iterable[tuple[TableId, TableFreshness]],
) -> list[dg.AssetCheckEvaluation]:
    """The same as events, for tables that changed their state."""
    return [
        dg.AssetCheckEvaluation(asset_key=asset_key(table), check_name=FRESHNESS_CHECK, **_result(found))
        for table, found in changed
    ]


def _result(found: TableFreshness) -> dict[str, Any]:
    metadata: dict[str, Any] = {"state": found.state.value, "promised": found.promised}
    if found.newest is not None:
        metadata["newest_batch"] = found.newest
    if found.age is not None:
        metadata["age_hours"] = found.age.total_seconds() / 3600
    failed = found.state is FreshnessState.FAILED
    return {
        "passed": found.state not in BAD,
        "severity": dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
        "description": f"{found.state}: {found.seen}",
        "metadata": metadata,
    }
