"""From published rows to the KPI."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts import DataPath, Measure, Target
from readiness_pipelines.delivery.attempts import attempted
from readiness_pipelines.delivery.names import batch_ref, kpi_table
from readiness_pipelines.delivery.reading import published_rows
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord, BatchState, Counts, Snapshots

KPI_SCHEMA = pa.schema(
    [
        ("value", pa.float64()),
        ("numerator", pa.float64()),
        ("denominator", pa.float64()),
        ("unit", pa.string()),
        ("target", pa.string()),
        ("met", pa.bool_()),
        ("inputs", pa.list_(pa.struct([("table", pa.string()), ("snapshot_id", pa.int64())]))),
        ("measured_at", pa.timestamp("us", tz="UTC")),
        ("_batch", pa.string()),
        ("_row", pa.int64()),
        ("_file", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A KPI's value.

    Attributes:
        kpi: The KPI's name.
        batch: The batch it speaks of; ``None`` for all published batches together.
        value: The value, in the KPI's unit; ``None`` where nothing could be counted.
        numerator: What was counted, where the KPI is a ratio.
        denominator: Of how many, where the KPI is a ratio.
        target: What the value should be.
        met: Whether it is; ``None`` without a target or a value.
        inputs: The snapshots it was computed from, by table.
        snapshot_id: Snapshot of the KPI's table that holds it; ``None`` where it was not written.
    """

    kpi: str
    batch: str | None
    value: float | None
    numerator: float | None
    denominator: float | None
    target: Target | None
    met: bool | None
    inputs: Mapping[str, int]
    snapshot_id: int | None = None


def measure(path: DataPath, *, batch: str, installation: Installation, run: Run) -> Measured:
    """Compute the KPI of a batch and write it to ``kpi.<name>``, replacing the batch's earlier value.

    Raises:
        DeclarationError: The path has no measure, or it returns something other than one row with a ``value``.
        UpstreamNotPublishedError: An input has nothing published for the batch.
        LakehouseError: The table cannot be written.
    """
    table = kpi_table(path)
    ref = batch_ref(path, table, batch)
    with attempted(ref, installation=installation, run=run) as attempt:
        with installation.engine() as engine:
            measured = _compute(path, batch=batch, installation=installation, engine=engine)
            row = pa.Table.from_pylist([_row(path, measured, run)], schema=KPI_SCHEMA)
            installation.lakehouse.ensure(table, KPI_SCHEMA)
            staged = installation.lakehouse.stage(table, engine.from_arrow(row), batch=batch, schema=KPI_SCHEMA)
        properties = {"readiness.batch": batch, "readiness.run": run.run_id, "readiness.attempt": attempt.id}
        commit = installation.lakehouse.replace(table, staged, properties=properties, confirm=attempt.confirm)
        installation.ledger.record(
            BatchRecord(
                ref=ref,
                state=BatchState.PUBLISHED,
                counts=Counts(ingested=1, published=1),
                run_id=run.run_id,
                attempt=attempt.id,
                snapshots=Snapshots(published=commit.snapshot_id),
                inputs=measured.inputs,
                columns=tuple(KPI_SCHEMA.names),
                updated_at=run.clock(),
            ),
            what="measured",
            who=run.who,
            details={"value": measured.value, "numerator": measured.numerator, "denominator": measured.denominator},
        )
    return replace(measured, snapshot_id=commit.snapshot_id)


def measure_all(path: DataPath, *, installation: Installation) -> Measured:
    """Compute the KPI over all published batches together; writes nothing.

    Raises:
        DeclarationError: The path has no measure, or it returns something other than one row with a ``value``.
        LakehouseError: A table cannot be read.
    """
    with installation.engine() as engine:
        return _compute(path, batch=None, installation=installation, engine=engine)


def _compute(
    path: DataPath, *, batch: str | None, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> Measured:
    step = _measure_of(path)
    given = published_rows(path, step, batch=batch, installation=installation, engine=engine)
    table = given.rows.to_arrow_table()
    if table.num_rows != 1 or "value" not in table.column_names:
        raise DeclarationError(
            f"{step.transform.__name__} of path {path.name} returned {table.num_rows} rows with the columns "
            f"{', '.join(table.column_names)}",
            way_out="return exactly one row with a column 'value' (and 'numerator' and 'denominator' for a ratio)",
        )
    (row,) = table.to_pylist()
    value, numerator, denominator = (_number(row.get(name)) for name in ("value", "numerator", "denominator"))
    return Measured(
        kpi=path.kpi.name,
        batch=batch,
        value=value,
        numerator=numerator,
        denominator=denominator,
        target=path.kpi.target,
        met=path.kpi.target.met_by(value) if path.kpi.target else None,
        inputs=given.snapshots,
    )


def _measure_of(path: DataPath) -> Measure:
    if path.kpi_measure is None:
        raise DeclarationError(f"path {path.name} has no measure", way_out="decorate a function with @path.measure")
    return path.kpi_measure


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _row(path: DataPath, measured: Measured, run: Run) -> dict[str, object]:
    return {
        "value": measured.value,
        "numerator": measured.numerator,
        "denominator": measured.denominator,
        "unit": path.kpi.unit,
        "target": str(measured.target) if measured.target else None,
        "met": measured.met,
        "inputs": [{"table": name, "snapshot_id": snapshot} for name, snapshot in sorted(measured.inputs.items())],
        "measured_at": run.clock(),
        "_batch": measured.batch,
        "_row": 0,
        "_file": None,
    }
