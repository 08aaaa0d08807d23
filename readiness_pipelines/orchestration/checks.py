"""A gate's rules as asset checks, one each, and the blocking check that decides publication.

The only file that relies on partitioned asset checks, which Dagster still calls a preview.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import DataPath
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.delivery import Delivery
from readiness_pipelines.gates import SCHEMA_UNCHANGED, Gate, Rule, RuleCount, SchemaFinding
from readiness_pipelines.ledger import BatchState
from readiness_pipelines.orchestration.comparisons import DESCRIPTIONS, comparison_results
from readiness_pipelines.orchestration.metadata import record_table

GATE_CHECK = "gate"
"""Name of the blocking check."""

OWN = frozenset({GATE_CHECK, *DESCRIPTIONS})
"""A rule of such a name is shown as ``gate_rule``, say."""


def check_specs(key: dg.AssetKey, gate: Gate, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetCheckSpec]:
    """The blocking check of the gate, one check per rule, and the comparisons with earlier batches."""
    with warnings.catch_warnings():
        # Known and wanted: a test of its own says what breaks when the preview changes.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            _gate_spec(key, partitions),
            *(_rule_spec(key, rule, partitions) for rule in gate.rules),
            *(_comparison_spec(key, name, partitions) for name in DESCRIPTIONS),
        ]


def _gate_spec(key: dg.AssetKey, partitions: dg.PartitionsDefinition[str]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=GATE_CHECK,
        asset=key,
        blocking=True,
        description="Decides whether the batch is published, published in part, or held.",
        partitions_def=partitions,
    )


def _rule_spec(key: dg.AssetKey, rule: Rule, partitions: dg.PartitionsDefinition[str]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=check_name(rule),
        asset=key,
        description=f"{rule.reason} · {rule.kind} rule · where broken: {rule.route}",
        partitions_def=partitions,
    )


def _comparison_spec(key: dg.AssetKey, name: str, partitions: dg.PartitionsDefinition[str]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name=name, asset=key, description=DESCRIPTIONS[name], partitions_def=partitions)


def check_name(rule: Rule) -> str:
    """A rule's name as a check's."""
    return f"{rule.name}_rule" if rule.name in OWN else rule.name


def check_results(
    key: dg.AssetKey, path: DataPath, delivery: Delivery, *, quarantine: str, steward: str
) -> Iterator[dg.AssetCheckResult]:
    """What the gate said of a batch, and each rule, and how it compares with the batches before it.

    Args:
        key: The asset.
        path: The path, for the command that shows more.
        delivery: What became of the batch.
        quarantine: Name of the table where failed rows wait.
        steward: Who answers.
    """
    yield _gate_result(key, path, delivery, quarantine=quarantine, steward=steward)
    for count in delivery.rules:
        yield _rule_result(key, delivery, count, quarantine=quarantine, steward=steward)
    yield from comparison_results(key, delivery, steward=steward)


def findings_table(findings: Sequence[SchemaFinding]) -> dg.TableMetadataValue:
    """What differs from the schema, before and after."""
    return record_table(
        [
            {"column": f.column, "change": f.change, "before": f.before, "after": f.after, "effect": f.effect}
            for f in findings
        ]
    )


def _gate_result(
    key: dg.AssetKey, path: DataPath, delivery: Delivery, *, quarantine: str, steward: str
) -> dg.AssetCheckResult:
    visible = delivery.state in (BatchState.PUBLISHED, BatchState.PARTLY_PUBLISHED)
    command = f"readiness quarantine show {delivery.ref.batch}" if delivery.counts.quarantined else ""
    command = command or f"readiness history {delivery.ref.batch}"
    broken = sorted((count for count in delivery.rules if count.broken_rows), key=lambda count: -count.broken_rows)
    counts = delivery.counts
    metadata: dict[str, Any] = {
        "state": delivery.state.value,
        "ingested_rows": counts.ingested,
        "published_rows": counts.published,
        "quarantined_rows": counts.quarantined,
        "quarantined_ratio": counts.quarantined / counts.ingested if counts.ingested else 0.0,
        "gate_version": delivery.gate_version,
        "steward": steward,
        "where_it_waits": quarantine,
        "next_command": command,
        "replay_command": f"readiness replay {path.name} --batch {delivery.ref.batch} --dry-run",
    }
    if counts.discarded:
        metadata["discarded_rows"] = counts.discarded
    if delivery.findings:
        metadata["schema_changes"] = findings_table(delivery.findings)
    if cleansed := [count for count in delivery.cleansed if count.cells]:
        metadata["cleansed_cells"] = sum(count.cells for count in cleansed)
        metadata["cleansing"] = record_table([{"column": c.column, "step": c.step, "cells": c.cells} for c in cleansed])
    if broken:
        metadata["broken_rules"] = record_table(
            [{"rule": c.rule.name, "rows": c.broken_rows, "asks": c.rule.reason, "route": c.rule.route} for c in broken]
        )
    reason = delivery.reason or "every row passed"
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=GATE_CHECK,
        passed=visible,
        # A discarded batch is somebody's decision: it is told, and nothing is broken.
        severity=dg.AssetCheckSeverity.WARN if delivery.state is BatchState.DISCARDED else dg.AssetCheckSeverity.ERROR,
        description=reason if visible else f"{delivery.state}: {reason} · next: {command}",
        metadata=metadata,
    )


def _rule_result(
    key: dg.AssetKey, delivery: Delivery, count: RuleCount, *, quarantine: str, steward: str
) -> dg.AssetCheckResult:
    rows = delivery.counts.ingested
    metadata: dict[str, Any] = {
        "broken_rows": count.broken_rows,
        "broken_ratio": count.broken_rows / rows if rows else 0.0,
        "steward": steward,
    }
    if count.rule.name == SCHEMA_UNCHANGED and delivery.findings:
        metadata["schema_changes"] = findings_table(delivery.findings)
    if count.columns:
        metadata["columns"] = record_table([{"column": name, "rows": n} for name, n in count.columns.items()])
    if count.samples:
        metadata["sample_rows"] = record_table(count.samples)
        metadata["where_the_rest_lies"] = dg.MetadataValue.md(
            f"`{quarantine}`, batch `{delivery.ref.batch}`, rows whose `_errors` name `{count.rule.name}`"
        )
    holds = count.rule.route is Route.HOLD
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=check_name(count.rule),
        passed=count.decided and count.broken_rows == 0 and not count.detail,
        severity=dg.AssetCheckSeverity.ERROR if holds and count.broken_rows else dg.AssetCheckSeverity.WARN,
        description=_one_line(count, rows),
        metadata=metadata,
    )


def _one_line(count: RuleCount, rows: int) -> str:
    if not count.decided:
        return "not decided: the batch's shape is wrong"
    if count.detail:
        return count.detail
    if count.broken_rows == 0:
        return "holds in every row"
    return f"{count.broken_rows:,} of {rows:,} rows ({count.broken_rows / rows:.2%}) break: {count.rule.reason}"
