"""The rules of a gate as asset checks: one for each kind of rule, not one for each of eighty rules."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import Table, answers_for
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.delivery import Delivery
from readiness_pipelines.gates import SCHEMA_UNCHANGED, Gate, RuleCount, RuleKind
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.orchestration.metadata import findings_table, record_table

NAMES: Mapping[RuleKind, str] = {
    RuleKind.SHAPE: "shape",
    RuleKind.ROW: "rows",
    RuleKind.BATCH: "whole_batch",
    RuleKind.REFERENCE: "references",
}
"""The checks, by the kind of their rules."""

_ABOUT: Mapping[RuleKind, str] = {
    RuleKind.SHAPE: "The batch's columns and types are those of the schema",
    RuleKind.ROW: "Each row is as the schema says",
    RuleKind.BATCH: "All rows of the batch together are as the schema says",
    RuleKind.REFERENCE: "Its rows agree with other published tables",
}

SAMPLED_RULES = 3
"""Of so many rules, those that most rows break, rows are shown."""

PLOTTED_RULES = 10
"""Of so many rules, those that most rows break, the number of rows is plotted."""


def rule_checks(gate: Gate) -> Mapping[str, str]:
    """The checks of a gate's rules, with what they are about; only those that have a rule."""
    return {
        NAMES[kind]: f"{_ABOUT[kind]}: {_count(len(rules), 'rule')}."
        for kind in RuleKind
        if (rules := [rule for rule in gate.rules if rule.kind is kind])
    }


def rule_results(table: Table, delivery: Delivery) -> Iterator[dg.AssetCheckResult]:
    """What became of each kind of rules: which are broken, by how many rows, and what must hold."""
    for kind in RuleKind:
        if counts := [count for count in delivery.rules if count.rule.kind is kind]:
            yield _result(table, delivery, kind, counts)


def pass_share(count: RuleCount, rows: int) -> float:
    """Which share of a batch's rows keeps a rule."""
    return 1 - count.broken_rows / rows if rows else 1.0


def rules_table(counts: Sequence[RuleCount], rows: int) -> dg.TableMetadataValue:
    """Rules with what they require and the share of rows that keeps them, the broken ones first."""
    return record_table(
        [
            {
                "rule": count.rule.name,
                "requires": count.rule.reason,
                "broken_rows": count.broken_rows if count.decided else "not decided",
                "pass_share": f"{pass_share(count, rows):.2%}" if count.decided else "–",
                "where_broken": count.rule.route,
            }
            for count in counts
        ]
    )


def _result(table: Table, delivery: Delivery, kind: RuleKind, counts: Sequence[RuleCount]) -> dg.AssetCheckResult:
    rows = delivery.counts.ingested
    broken = sorted(
        (c for c in counts if _is_broken(c)), key=lambda c: (c.rule.route is not Route.HOLD, -c.broken_rows)
    )
    kept = [count for count in counts if not _is_broken(count)]
    metadata: dict[str, Any] = {
        "rules": len(counts),
        "broken_rules": len(broken),
        "every_rule": rules_table([*broken, *kept], rows),
        "who_answers": answers_for(table),
    }
    for count in broken[:PLOTTED_RULES]:
        metadata[f"broken_rows: {count.rule.name}"] = count.broken_rows
    for count in broken[:SAMPLED_RULES]:
        if count.columns:
            metadata[f"columns: {count.rule.name}"] = record_table(
                [{"column": name, "rows": n} for name, n in count.columns.items()]
            )
        if count.samples:
            metadata[f"sample_rows: {count.rule.name}"] = record_table(count.samples)
    if any(count.samples for count in broken):
        metadata["where_the_rest_lies"] = dg.MetadataValue.md(
            f"`{table.id.quarantine}`, batch `{delivery.ref.batch}`: each row's `_errors` name the rules it breaks"
        )
    if delivery.findings and any(count.rule.name == SCHEMA_UNCHANGED for count in counts):
        metadata["schema_changes"] = findings_table(delivery.findings)
    holds = any(count.rule.route is Route.HOLD for count in broken)
    return dg.AssetCheckResult(
        asset_key=asset_key(table.id),
        check_name=NAMES[kind],
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if holds else dg.AssetCheckSeverity.WARN,
        description=_one_line(broken, counts, rows),
        metadata=metadata,
    )


def _is_broken(count: RuleCount) -> bool:
    return not count.decided or count.broken_rows > 0 or bool(count.detail)


def _one_line(broken: Sequence[RuleCount], counts: Sequence[RuleCount], rows: int) -> str:
    if not broken:
        return f"{_count(len(counts), 'rule')}, each kept by every row" if rows else "no rows"
    if not any(count.decided for count in broken):
        return "not decided: the batch's shape is wrong"
    first = next(count for count in broken if count.decided)
    said = first.detail or f"{first.rule.name}, {first.broken_rows:,} of {rows:,} rows ({first.broken_rows / rows:.2%})"
    return f"{len(broken)} of {_count(len(counts), 'rule')} broken: {said}" + (
        f", and {len(broken) - 1} more" if len(broken) > 1 else ""
    )


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
