"""The freshness promise of a table as an asset check, evaluated by whoever asks and by the sensor that watches.

Dagster's own freshness policies take the last materialization of any partition for the newest, which the replay of an
old batch fools; these follow the calendar.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery import published_table
from readiness_pipelines.installation import Run
from readiness_pipelines.observability import BAD, FreshnessState, TableFreshness, promise_text
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of
from readiness_pipelines.overview import observe

FRESHNESS_CHECK = "freshness"


def freshness_checks(path: DataPath) -> dg.AssetChecksDefinition | None:
    """One check for each table with a freshness promise; ``None`` for a path without any."""
    promises = {
        asset_key(published_table(path, table)): table.freshness for table in path.tables if table.freshness is not None
    }
    if not promises:
        return None

    @dg.multi_asset_check(
        name=f"{path.name}_freshness",
        specs=[
            dg.AssetCheckSpec(FRESHNESS_CHECK, asset=key, description=f"Promised: {promise_text(promise)}.")
            for key, promise in promises.items()
        ],
        can_subset=True,
        required_resource_keys={INSTALLATION},
    )
    def freshness(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        seen = observe(path, installation=installation_of(context.resources), now=Run().clock())
        asked = {key.asset_key for key in context.selected_asset_check_keys}
        for key in promises:
            if key in asked:
                yield dg.AssetCheckResult(asset_key=key, **_told(seen.freshness[".".join(key.path)]))

    return freshness


def batch_selection(path: DataPath) -> dg.AssetSelection:
    """What a run of one batch computes: the path's assets and their checks, without those over the whole table."""
    selection = dg.AssetSelection.groups(path.name)
    checks = freshness_checks(path)
    return selection if checks is None else selection - dg.AssetSelection.checks(checks)


def freshness_evaluations(
    changed: Iterable[tuple[str, TableFreshness]],
) -> list[dg.AssetCheckEvaluation]:
    """The same as events, for tables that changed their state: by published name, with where they stand."""
    return [
        dg.AssetCheckEvaluation(asset_key=dg.AssetKey(table.split(".")), check_name=FRESHNESS_CHECK, **_told(found))
        for table, found in changed
    ]


def _told(found: TableFreshness) -> dict[str, Any]:
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
