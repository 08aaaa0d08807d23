"""Our values as Dagster metadata: the one place that knows its keys."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from readiness_pipelines.contracts import DataPath, GatedTable, Source
from readiness_pipelines.delivery import Delivery, Ingested, Measured
from readiness_pipelines.durations import format_duration

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def owners_of(*people: str) -> list[str]:
    """People as Dagster owners: mail addresses as they are, anything else as a team."""
    owners = []
    for person in people:
        mail = _MAIL.search(person)
        owners.append(mail[0].strip("<>") if mail else "team:" + re.sub(r"[^A-Za-z0-9_.-]+", "-", person).strip("-"))
    return owners


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """Arrow columns as Dagster shows them."""
    return dg.TableSchema(columns=[dg.TableColumn(name=field.name, type=str(field.type)) for field in schema])


def source_metadata(source: Source) -> dict[str, Any]:
    """Where rows come from and who answers for them."""
    metadata: dict[str, Any] = {
        "readiness/origin": source.origin,
        "readiness/steward": str(source.steward),
        "readiness/classification": source.classification.value,
        "readiness/pattern": source.reader.pattern,
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


def promise_metadata(path: DataPath, table: GatedTable) -> dict[str, Any]:
    """What a table promises."""
    metadata: dict[str, Any] = {"readiness/path": path.name}
    if table.freshness:
        metadata["readiness/late_after"] = format_duration(table.freshness.warn_after)
        metadata["readiness/fails_after"] = format_duration(table.freshness.fail_after)
    if table.latency:
        metadata["readiness/latency"] = format_duration(table.latency)
    if table.gating.tolerance.quarantined_ratio is not None:
        metadata["readiness/tolerance"] = f"{table.gating.tolerance.quarantined_ratio:.2%} of a batch's rows"
    return metadata


def ingested_metadata(ingested: Ingested) -> dict[str, Any]:
    """What was ingested."""
    files = [
        dg.TableRecord({"file": file.path, "bytes": file.size_bytes, "sha256": file.sha256}) for file in ingested.files
    ]
    return {
        "dagster/row_count": ingested.rows,
        "readiness/unreadable_rows": ingested.unreadable_rows,
        "readiness/columns": len(ingested.columns),
        "readiness/files": dg.MetadataValue.table(records=files) if files else "none",
        "readiness/unchanged": ingested.unchanged,
        "readiness/snapshot": str(ingested.snapshot_id),
    }


def delivery_metadata(delivery: Delivery) -> dict[str, Any]:
    """What became of a batch."""
    counts = delivery.counts
    return {
        "dagster/row_count": counts.published,
        "dagster/column_schema": column_schema(delivery.columns),
        "readiness/state": delivery.state.value,
        "readiness/ingested_rows": counts.ingested,
        "readiness/published_rows": counts.published,
        "readiness/quarantined_rows": counts.quarantined,
        "readiness/quarantined_ratio": counts.quarantined / counts.ingested if counts.ingested else 0.0,
        "readiness/gate_version": delivery.gate_version,
        "readiness/published_snapshot": str(delivery.snapshots.published),
        **{f"readiness/input/{table}": str(snapshot) for table, snapshot in delivery.inputs.items()},
    }


def measured_metadata(measured: Measured, *, unit: str) -> dict[str, Any]:
    """A KPI's value."""
    metadata: dict[str, Any] = {"dagster/row_count": 1, "readiness/unit": unit}
    if measured.value is not None:
        metadata["readiness/value"] = measured.value
    if measured.numerator is not None and measured.denominator is not None:
        metadata |= {"readiness/numerator": measured.numerator, "readiness/denominator": measured.denominator}
    if measured.target is not None:
        metadata |= {"readiness/target": str(measured.target), "readiness/met": bool(measured.met)}
    return metadata


def record_table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Rows as a table that the UI draws; what is missing is shown as such."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    records = [dg.TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows]
    return dg.MetadataValue.table(records=records)


def _cell(value: Any) -> str | int | float | bool:
    if value is None:
        return "∅"
    # Exact types: Dagster refuses to store an enumeration, which is a str too.
    return value if type(value) in (str, int, float, bool) else str(value)
