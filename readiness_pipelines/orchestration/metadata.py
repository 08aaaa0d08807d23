"""Our values as Dagster metadata: the one place that knows its keys."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import dagster as dg
import pyarrow as pa

from readiness_pipelines.contracts import Kpi, Source, Table
from readiness_pipelines.delivery import Delivery, Ingested, gate_of
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.durations import format_duration
from readiness_pipelines.gates import Gate, Rule, SchemaFinding
from readiness_pipelines.gates.schema.tests import NotNull, Typed, Unique
from readiness_pipelines.installation import Installation
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.products import KpiValue, format_value

CLASSIFICATION = "readiness/classification"
"""The tag of a column that says what its values are to persons."""

SHOWN_INPUTS = 50
"""So many of the batches that a batch was made of are shown."""

_MAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_OWNER = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")
"""What Dagster takes for a mail address: it refuses to load where an owner is another one."""
_SIGNS = re.compile(r"(?:\s|(?![\w.-])[\x00-\x7f])+")
"""Signs and blanks in a team's name; letters of all scripts, with their marks, stay as they are."""


def owners_of(*people: str) -> list[str]:
    """People as Dagster owners: mail addresses that it takes as they are, anything else as a team."""
    owners = []
    for person in people:
        mail = _MAIL.search(person)
        plain = mail is not None and _OWNER.fullmatch(mail[0]) is not None
        owners.append(mail[0] if mail and plain else f"team:{_SIGNS.sub('-', person).strip('-') or 'nobody'}")
    return owners


def _dep_words(dep: dg.TableColumnDep) -> str:
    return ".".join([*dep.asset_key.path, dep.column_name])


def column_schema(schema: pa.Schema, table: Table, words: Mapping[str, str] | None = None) -> dg.TableSchema:
    """The columns of a table as Dagster shows them: types, words, what must hold, what they are to persons.

    Args:
        schema: The columns.
        table: The table.
        words: What else is said of a column, beside its description.
    """
    gate = gate_of(table)
    rules = _rules_by_column(gate)
    more = words or {}
    return dg.TableSchema(columns=[_column(field, table, gate, rules, more.get(field.name)) for field in schema])


def _rules_by_column(gate: Gate) -> Mapping[str, Sequence[Rule]]:
    """What must hold, by the first column that a rule names; types, nulls and uniqueness Dagster shows by itself."""
    found: dict[str, list[Rule]] = {}
    for test in gate.tests:
        if test.rule.columns and not isinstance(test, Typed | NotNull | Unique):
            found.setdefault(test.rule.columns[0], []).append(test.rule)
    return found


def _column(
    field: pa.Field, table: Table, gate: Gate, rules: Mapping[str, Sequence[Rule]], more: str | None
) -> dg.TableColumn:
    specs = [spec for spec in gate.spec.columns if spec.matches(field.name)]
    if not specs:
        return dg.TableColumn(name=field.name, type=str(field.type), description=more)
    names = {spec.name: None for spec in specs}
    own = [rule.reason for name in names for rule in rules.get(name, ()) if names.keys() >= {*rule.columns}]
    constraints = dg.TableColumnConstraints(
        nullable=all(spec.may_be_null for spec in specs),
        unique=any(spec.unique for spec in specs),
        other=list(dict.fromkeys(own)),
    )
    return dg.TableColumn(
        name=field.name,
        type=str(field.type),
        description="\n\n".join(filter(None, (*(spec.description for spec in specs), more))) or None,
        constraints=constraints,
        tags={CLASSIFICATION: str(class_of(table, field.name))},
    )


def lineage_metadata(table: Table, columns: pa.Schema, installation: Installation) -> dict[str, Any]:
    """Where the columns of a table come from, as far as Dagster can show it: without what decides about rows."""
    from readiness_pipelines.lineage import known_lineage  # noqa: PLC0415  # a parser of SQL: where rows were published

    found = known_lineage(table, installation)
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for name in columns.names:
        made = found.columns.get(name, frozenset())
        pairs = dict.fromkeys((one.table, one.column) for one in sorted(made) if one.resolved)
        if pairs:
            deps[name] = [dg.TableColumnDep(asset_key(ident), column) for ident, column in pairs]
    # The open-source UI keeps the lineage and does not draw it; the words of a column it shows.
    words = {name: f"from {', '.join(map(_dep_words, of))}" for name, of in deps.items()}
    metadata: dict[str, Any] = {"dagster/column_schema": column_schema(columns, table, words)}
    if deps:
        metadata["dagster/column_lineage"] = dg.TableColumnLineage(deps)
    if found.unresolved:
        metadata["readiness/lineage_not_known"] = "; ".join(found.unresolved)
    return metadata


def source_metadata(source: Source) -> dict[str, Any]:
    """Where rows come from and who answers for them."""
    metadata: dict[str, Any] = {
        "readiness/origin": source.origin,
        "readiness/steward": str(source.steward),
        "readiness/classification": source.classification.value,
        "readiness/reads": source.reader.describe(),
    }
    if source.refresh:
        metadata["readiness/refresh"] = format_duration(source.refresh)
    if source.schema_version:
        metadata["readiness/schema_version"] = source.schema_version
    if source.known_issues:
        metadata["readiness/known_issues"] = dg.MetadataValue.md(
            "\n".join(f"- {issue}" for issue in source.known_issues)
        )
    return metadata


def promise_metadata(table: Table) -> dict[str, Any]:
    """What a table promises."""
    metadata: dict[str, Any] = {"readiness/batches": table.batches.name}
    if table.freshness:
        metadata["readiness/late_after"] = format_duration(table.freshness.warn_after)
        metadata["readiness/fails_after"] = format_duration(table.freshness.fail_after)
    if table.latency:
        metadata["readiness/latency"] = format_duration(table.latency)
    if table.gating.tolerance.quarantined_ratio is not None:
        over = table.gating.tolerance.over
        of = "a batch's rows" if over is None else f"the last {over:,} rows of each partition"
        metadata["readiness/tolerance"] = f"{table.gating.tolerance.quarantined_ratio:.2%} of {of}"
    return metadata


def kpi_metadata(kpi: Kpi) -> dict[str, Any]:
    """What a KPI is about."""
    metadata: dict[str, Any] = {
        "readiness/question": kpi.question,
        "readiness/unit": kpi.unit,
        "readiness/target": str(kpi.target) if kpi.target else "none",
    }
    if kpi.by:
        metadata["readiness/dimensions"] = ", ".join(kpi.by)
    return metadata


def ingested_metadata(ingested: Ingested) -> dict[str, Any]:
    """What was ingested."""
    origins = [
        {"origin": origin.name, "bytes": origin.bytes, "fingerprint": origin.fingerprint} for origin in ingested.origins
    ]
    return {
        "dagster/row_count": ingested.rows,
        "readiness/unreadable_rows": ingested.unreadable_rows,
        "readiness/columns": len(ingested.columns),
        "readiness/origins": record_table(origins) if origins else "none",
        "readiness/unchanged": ingested.unchanged,
        "readiness/snapshot": str(ingested.snapshot_id),
    }


def delivery_metadata(delivery: Delivery, table: Table) -> dict[str, Any]:
    """What became of a batch."""
    counts = delivery.counts
    return {
        "readiness/batch": delivery.ref.batch,
        "dagster/row_count": counts.published,
        "dagster/column_schema": column_schema(delivery.columns, table),
        "readiness/state": delivery.state.value,
        "readiness/ingested_rows": counts.ingested,
        "readiness/published_rows": counts.published,
        "readiness/quarantined_rows": counts.quarantined,
        **({"readiness/erased_rows": counts.erased} if counts.erased else {}),
        "readiness/quarantined_ratio": counts.quarantined / counts.ingested if counts.ingested else 0.0,
        "readiness/published_share": counts.published / counts.ingested if counts.ingested else 0.0,
        "readiness/gate_version": delivery.gate_version,
        "readiness/published_snapshot": str(delivery.snapshots.published),
        **_inputs_metadata(delivery),
    }


def without_counts(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The same without numbers, each of which Dagster plots: of a KPI, the numbers are its values."""
    return {name: value for name, value in metadata.items() if type(value) not in (int, float)}


def _inputs_metadata(delivery: Delivery) -> dict[str, Any]:
    """The snapshots that a batch was made of."""
    inputs = [
        {"table": str(table), "batch": batch, "snapshot": str(snapshot)}
        for table, batches in delivery.inputs.items()
        for batch, snapshot in batches.items()
    ]
    if not inputs:
        return {}
    return {"readiness/input_batches": len(inputs), "readiness/inputs": record_table(inputs[:SHOWN_INPUTS])}


def value_metadata(kpi: Kpi, values: Sequence[KpiValue]) -> dict[str, Any]:
    """The values of a KPI for one batch: the total as numbers that Dagster plots, its dimensions as a table."""
    metadata: dict[str, Any] = {}
    for total in (value for value in values if value.is_total):
        metadata["readiness/shown"] = format_value(total.value, kpi.unit)
        numbers = {"value": total.value, "numerator": total.numerator, "denominator": total.denominator}
        metadata |= {f"readiness/{name}": _cell(number) for name, number in numbers.items() if number is not None}
        if total.target is not None and total.met is not None:
            metadata["readiness/met"] = total.met
    if parts := [_part(kpi, value) for value in values if not value.is_total]:
        metadata["readiness/by_dimension"] = record_table(parts)
    return metadata


def _part(kpi: Kpi, value: KpiValue) -> Mapping[str, Any]:
    shown = {**value.dimensions, "value": format_value(value.value, kpi.unit)}
    return shown if value.target is None else {**shown, "target": str(value.target), "met": value.met}


def record_table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Rows as a table that the UI draws; what is missing is shown as such."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    records = [dg.TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows]
    return dg.MetadataValue.table(records=records)


def _cell(value: Any) -> str | int | float | bool:
    if value is None:
        return "∅"
    # Exact types: Dagster refuses to store an enumeration, which is a str too. Infinity is no number of its API.
    plain = type(value) in (str, int, bool) or (type(value) is float and isfinite(value))
    return value if plain else str(value)


def findings_table(findings: Sequence[SchemaFinding]) -> dg.TableMetadataValue:
    """What differs from the schema, before and after."""
    return record_table(
        [
            {"column": f.column, "change": f.change, "before": f.before, "after": f.after, "effect": f.effect}
            for f in findings
        ]
    )
