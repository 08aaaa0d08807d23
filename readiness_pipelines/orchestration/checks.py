"""A gate's rules as asset checks, one each, and the blocking check that decides publication.

The only file that relies on partitioned asset checks, which Dagster still calls a preview.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from readiness_pipelines.batches import BatchState
from readiness_pipelines.commands import history_command, quarantine_command, replay_command
from readiness_pipelines.contracts import Table, answers_for, products_of
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.delivery import Delivery
from readiness_pipelines.gates import SCHEMA_UNCHANGED, Gate, Rule, RuleCount, SchemaFinding
from readiness_pipelines.orchestration.comparisons import DESCRIPTIONS, comparison_results
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.orchestration.metadata import record_table
from readiness_pipelines.orchestration.partitions import partitions_of

GATE_CHECK = "gate"
"""Name of the blocking check."""

OWN = frozenset({GATE_CHECK, *DESCRIPTIONS})
"""A rule of such a name is shown as ``gate_rule``, say."""


def check_specs(table: Table, gate: Gate) -> list[dg.AssetCheckSpec]:
    """The blocking check of the gate, one check per rule, and the comparisons with earlier batches."""
    key, partitions = asset_key(table.id), partitions_of(table)
    descriptions = {
        check_name(rule): f"{rule.reason} · {rule.kind} rule · where broken: {rule.route}" for rule in gate.rules
    }
    with warnings.catch_warnings():
        # Known and wanted: a test of its own says what breaks when the preview changes.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        gate_spec = dg.AssetCheckSpec(
            name=GATE_CHECK,
            asset=key,
            blocking=True,
            description="Decides whether the batch is published, published in part, or held.",
            partitions_def=partitions,
        )
        return [
            gate_spec,
            *(
                dg.AssetCheckSpec(name=name, asset=key, description=description, partitions_def=partitions)
                for name, description in {**descriptions, **DESCRIPTIONS}.items()
            ),
        ]


def check_name(rule: Rule) -> str:
    """A rule's name as a check's."""
    return f"{rule.name}_rule" if rule.name in OWN else rule.name


def check_results(table: Table, delivery: Delivery) -> Iterator[dg.AssetCheckResult]:
    """What the gate said of a batch, and each rule, and how it compares with the batches before it."""
    yield _gate_result(table, delivery)
    for count in delivery.rules:
        yield _rule_result(table, delivery, count)
    yield from comparison_results(table, delivery)


def findings_table(findings: Sequence[SchemaFinding]) -> dg.TableMetadataValue:
    """What differs from the schema, before and after."""
    return record_table(
        [
            {"column": f.column, "change": f.change, "before": f.before, "after": f.after, "effect": f.effect}
            for f in findings
        ]
    )


def _gate_result(table: Table, delivery: Delivery) -> dg.AssetCheckResult:
    visible = delivery.state.visible
    command = quarantine_command(delivery.ref) if delivery.counts.quarantined else history_command(delivery.ref)
    broken = sorted((count for count in delivery.rules if count.broken_rows), key=lambda count: -count.broken_rows)
    counts = delivery.counts
    metadata: dict[str, Any] = {
        "state": delivery.state.value,
        "ingested_rows": counts.ingested,
        "published_rows": counts.published,
        "quarantined_rows": counts.quarantined,
        "quarantined_ratio": counts.quarantined / counts.ingested if counts.ingested else 0.0,
        "gate_version": delivery.gate_version,
        "who_answers": answers_for(table),
        "where_it_waits": str(table.id.quarantine),
        "next_command": command,
        "replay_command": replay_command(delivery.ref),
    }
    if not visible and (products := products_of(table)):
        metadata["products_at_risk"] = ", ".join(products)
    if counts.discarded:
        metadata["discarded_rows"] = counts.discarded
    if counts.erased:
        metadata["erased_rows"] = counts.erased
    if delivery.findings:
        metadata["schema_changes"] = findings_table(delivery.findings)
    if cleansed := [count for count in delivery.cleansed if count.cells]:
        metadata["cleansed_cells"] = sum(count.cells for count in cleansed)
        metadata["cleansing"] = record_table([{"column": c.column, "step": c.step, "cells": c.cells} for c in cleansed])
    if broken:
        metadata["broken_rules"] = record_table(
            [
                {"rule": c.rule.name, "rows": c.broken_rows, "requires": c.rule.reason, "route": c.rule.route}
                for c in broken
            ]
        )
    reason = delivery.reason or "every row passed"
    return dg.AssetCheckResult(
        asset_key=asset_key(table.id),
        check_name=GATE_CHECK,
        passed=visible,
        # A discarded batch is somebody's decision: it is reported, and nothing is broken.
        severity=dg.AssetCheckSeverity.WARN if delivery.state is BatchState.DISCARDED else dg.AssetCheckSeverity.ERROR,
        description=reason if visible else f"{delivery.state}: {reason} · next: {command}",
        metadata=metadata,
    )


def _rule_result(table: Table, delivery: Delivery, count: RuleCount) -> dg.AssetCheckResult:
    rows = delivery.counts.ingested
    metadata: dict[str, Any] = {
        "broken_rows": count.broken_rows,
        "broken_ratio": count.broken_rows / rows if rows else 0.0,
        "who_answers": answers_for(table),
    }
    if count.rule.name == SCHEMA_UNCHANGED and delivery.findings:
        metadata["schema_changes"] = findings_table(delivery.findings)
    if count.columns:
        metadata["columns"] = record_table([{"column": name, "rows": n} for name, n in count.columns.items()])
    if count.samples:
        metadata["sample_rows"] = record_table(count.samples)
        metadata["where_the_rest_lies"] = dg.MetadataValue.md(
            f"`{table.id.quarantine}`, batch `{delivery.ref.batch}`, rows whose `_errors` name `{count.rule.name}`"
        )
    holds = count.rule.route is Route.HOLD
    return dg.AssetCheckResult(
        asset_key=asset_key(table.id),
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
