"""The asset checks of a table: the blocking one that decides publication, its rules by kind, and the comparisons.

The only file that relies on partitioned asset checks, which Dagster still calls a preview.
"""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.events import DagsterEvent

from readiness_pipelines.batches import BatchState
from readiness_pipelines.commands import history_command, quarantine_command, replay_command
from readiness_pipelines.contracts import Table, answers_for, products_of
from readiness_pipelines.delivery import Delivery
from readiness_pipelines.gates import Gate, RuleCount
from readiness_pipelines.orchestration.comparisons import DESCRIPTIONS, comparison_results
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.orchestration.metadata import findings_table, record_table
from readiness_pipelines.orchestration.partitions import partitions_of
from readiness_pipelines.orchestration.rule_checks import rule_checks, rule_results, rules_table
from readiness_pipelines.page_addresses import batch_address, decide_address
from readiness_pipelines.settings import Settings

GATE_CHECK = "gate"
"""Name of the blocking check."""


def check_specs(table: Table, gate: Gate) -> list[dg.AssetCheckSpec]:
    """The blocking check of the gate, one for each kind of its rules, and the comparisons with earlier batches."""
    key, partitions = asset_key(table.id), partitions_of(table)
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
                for name, description in {**rule_checks(gate), **DESCRIPTIONS}.items()
            ),
        ]


def check_results(table: Table, delivery: Delivery) -> Iterator[dg.AssetCheckResult]:
    """What the gate said of a batch, and each kind of rules, and how it compares with the batches before it."""
    yield _gate_result(table, delivery)
    yield from rule_results(table, delivery)
    yield from comparison_results(table, delivery)


def report_unplanned(context: dg.AssetExecutionContext, table: Table, results: Iterable[dg.AssetCheckResult]) -> None:
    """Tell Dagster results of checks that its run does not plan.

    A check that is planned stands as "in progress" for the whole table while one batch runs, and as failed where the
    run ends before it. What is told in this way stands for its batch alone, and is part of the run all the same.
    """
    newest = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=asset_key(table.id), asset_partitions=[context.partition_key]), limit=1
    ).records
    target = [
        AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in newest
    ]
    for result in results:
        evaluation = dg.AssetCheckEvaluation(
            asset_key=asset_key(table.id),
            check_name=str(result.check_name),
            passed=result.passed,
            metadata=result.metadata,
            target_materialization_data=target[0] if target else None,
            severity=result.severity,
            description=result.description,
            blocking=result.check_name == GATE_CHECK,
            partition=context.partition_key,
        )
        DagsterEvent.asset_check_evaluation(context.get_step_execution_context(), evaluation)


def broken_rules(delivery: Delivery) -> list[RuleCount]:
    """The rules that a batch breaks, most rows first."""
    return sorted((count for count in delivery.rules if count.broken_rows), key=lambda count: -count.broken_rows)


def next_command(delivery: Delivery) -> str:
    """What to type next: what waits of the batch, or all that happened to it."""
    return quarantine_command(delivery.ref) if delivery.counts.quarantined else history_command(delivery.ref)


def links(delivery: Delivery) -> dict[str, Any]:
    """The batch's page, where there is a web page."""
    root = Settings().web_url
    if not root:
        return {}
    page = {"page": dg.MetadataValue.url(batch_address(root, delivery.ref))}
    if delivery.counts.quarantined:
        page["decide_on_the_page"] = dg.MetadataValue.url(decide_address(root, delivery.ref))
    return page


def _gate_result(table: Table, delivery: Delivery) -> dg.AssetCheckResult:
    visible = delivery.state.visible
    command = next_command(delivery)
    broken = broken_rules(delivery)
    counts = delivery.counts
    metadata: dict[str, Any] = {
        "state": delivery.state.value,
        "ingested_rows": counts.ingested,
        "published_rows": counts.published,
        "quarantined_rows": counts.quarantined,
        "quarantined_ratio": counts.quarantined / counts.ingested if counts.ingested else 0.0,
        "published_share": counts.published / counts.ingested if counts.ingested else 0.0,
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
        metadata["broken_rules"] = rules_table(broken, counts.ingested)
    metadata |= links(delivery)
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
