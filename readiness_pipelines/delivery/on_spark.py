"""What a gate on Spark is given: raw files read by its executors, and what people decided, in Spark's words.

Corrections, waivers and discards are DuckDB's SQL, and mean what DuckDB says: which rows they touch is found there, and
corrected batches are written there, into a file for Spark that is removed when the batch is judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.engines import Engine
from readiness_pipelines.engines.spark.session import open_spark
from readiness_pipelines.gates import Decisions, OtherRows
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import PlannedFiles, Staged
from readiness_pipelines.names import TableId

if TYPE_CHECKING:
    from readiness_pipelines.engines.spark.engine import SparkEngine


@contextmanager
def spark_engine(installation: Installation) -> Iterator["SparkEngine"]:
    """Join the session that the settings name, for one batch.

    Raises:
        EngineError: Spark is not installed, does not answer, or broke while it was used.
    """
    with open_spark(installation.spark_url) as engine:
        yield engine


@contextmanager
def rows_on_spark(
    table: GatedTable,
    *,
    batch: str,
    snapshot_id: int,
    corrected: duckdb.DuckDBPyRelation | None,
    engine: "SparkEngine",
    installation: Installation,
) -> Iterator[Any]:
    """A batch's raw rows for Spark.

    Args:
        table: The table whose gate judges.
        batch: The batch.
        snapshot_id: Snapshot of the raw table.
        corrected: The rows with their corrections; ``None`` where there are none.
        engine: Where the rows will live.
        installation: Where the tables are.
    """
    lakehouse, raw = installation.lakehouse, table.id.raw
    if corrected is None:
        yield engine.read(lakehouse.plan(raw, batch=batch, snapshot_id=snapshot_id, or_current=True, as_arrived=True))
        return
    schema = corrected.limit(0).to_arrow_table().schema
    staged = lakehouse.stage(raw, corrected, batch=batch, schema=schema)
    try:
        yield engine.read(lakehouse.plan_staged(staged))
    finally:
        lakehouse.forget(staged)


def compared_on_spark(
    referenced: Mapping[str, tuple[TableId, int, Sequence[str] | None]],
    compared: OtherRows,
    *,
    own: tuple[TableId, int] | None = None,
    batch: str,
    engine: "SparkEngine",
    installation: Installation,
) -> OtherRows:
    """What reference rules compare with, at the same snapshots.

    Args:
        referenced: For each table that a rule names: where it is, its snapshot, and the batches to read (``None`` for
            all).
        compared: What DuckDB compares with; the usual ranges are taken from it.
        own: The judged table and its snapshot, where rules compare with its other batches and there are any.
        batch: The judged batch.
        engine: Where the rows will live.
        installation: Where the tables are.
    """
    lakehouse = installation.lakehouse
    tables = {
        name: engine.read(lakehouse.plan(table, snapshot_id=snapshot_id, batch=batches))
        for name, (table, snapshot_id, batches) in referenced.items()
    }
    others = None
    if own is not None:
        table, snapshot_id = own
        rows = engine.read(lakehouse.plan(table, snapshot_id=snapshot_id))
        others = rows.filter(rows["_batch"] != batch)
    return replace(compared, tables=tables, other_batches=others)


def stage_from_spark(
    table: TableId, rows: Any, *, batch: str, schema: pa.Schema, engine: "SparkEngine", installation: Installation
) -> Staged:
    """Let Spark's executors write rows into files that no snapshot names; see `Lakehouse.stage`.

    Raises:
        LakehouseError: A type that cannot be stored, or a row of another batch.
    """
    area = installation.lakehouse.staging_area(table, batch=batch, schema=schema)
    return installation.lakehouse.accept(area, engine.write(rows, area))


def read_on_spark(planned: PlannedFiles, *, engine: "SparkEngine") -> Any:
    """The rows of planned files, lazily."""
    return engine.read(planned)


def decisions_on_spark(decisions: Decisions, rows: duckdb.DuckDBPyRelation, engine: Engine) -> Decisions:
    """Decisions whose conditions are sets of rows instead of DuckDB's SQL."""

    def condition(where: str | None, name: str) -> str | None:
        if where is None:
            return None
        found = rows.filter(where).project("_row").to_arrow_table()
        engine.view(name, found if found.num_rows else pa.table({"_row": pa.array([-1], pa.int64())}))
        return f"_row IN (SELECT _row FROM {name})"

    return Decisions(
        waived=[replace(one, where=condition(one.where, f"waived_rows_{n}")) for n, one in enumerate(decisions.waived)],
        discarded=[
            replace(one, where=condition(one.where, f"discarded_rows_{n}")) for n, one in enumerate(decisions.discarded)
        ],
    )
