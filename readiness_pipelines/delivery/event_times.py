"""Rows by when what they tell of happened: which batches have some of a time, and the rows of that time."""

from collections.abc import Iterable
from datetime import UTC, timedelta

import duckdb

from readiness_pipelines.batches import QUARTER, EventTimes, bounds
from readiness_pipelines.contracts import Computed, Table
from readiness_pipelines.contracts.reads import RowsOfPeriod
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import KeptTimes
from readiness_pipelines.names import TableId
from readiness_pipelines.sql import identifier, literal

_QUARTER = QUARTER // timedelta(microseconds=1)
_ZONED = "TIMESTAMP WITH TIME ZONE"
_TIMES = (_ZONED, "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE")


def keep_event_times(tables: Iterable[Table], *, installation: Installation) -> None:
    """Keep when what is published of some tables happened, where a computed table reads by it and it is not kept yet.

    It follows from the published rows, so nothing is lost where a crash comes before it, or a table that reads by it
    is declared long after the batches.

    Raises:
        LakehouseError: A table cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    published = Published(installation.ledger)
    for table in tables:
        columns = {
            read.mapping.event_time
            for reader in table.readers
            for read in reader.reads.values()
            if read.table is table and isinstance(read.mapping, RowsOfPeriod)
        }
        for column in sorted(columns):
            known = published.event_times(table, column)
            missing = [batch for batch in published.batches(table) if batch not in known]
            if missing:
                snapshots = {batch: published.snapshot(table, batch) for batch in missing}
                _keep(table, column, snapshots, installation)


def rows_of_period(
    rows: duckdb.DuckDBPyRelation, column: str, table: Computed, source: Table, batch: str
) -> duckdb.DuckDBPyRelation:
    """The rows of an input of which the event lies in the time that a batch of a computed table covers.

    Args:
        rows: Published rows of the input.
        column: Its column with the time of an event.
        table: The computed table.
        source: The input.
        batch: The batch.

    Raises:
        UnknownNameError: The input has no such column.
        DeclarationError: The column holds no times, or a row has none: it would be of no batch.
    """
    kind = _kind_of(rows, column)
    if kind is None:
        names = [name for name in rows.columns if not name.startswith("_")]
        raise UnknownNameError(f"event_time column of {source.id}, which {table.id} reads by,", column, names)
    refuse_other_types(rows, column, reader=table.id, source=source.id)
    name = identifier(column)
    ((without,),) = rows.filter(f"{name} IS NULL OR NOT isfinite({name})").aggregate("count(*)").fetchall()
    if without:
        raise DeclarationError(
            f"{table.id} reads {source.id} by {column}, and {without:,} published rows have no time there",
            way_out=f"let the schema of {source.id} refuse rows without one, or read by arrival: of_period()",
        )
    window = table.batches.window(batch)
    if window is None:
        return rows.filter("false")
    zoned = kind == _ZONED
    start, end = bounds(table.batches, window, zoned=zoned)
    if zoned:
        first, last = (f"{literal(one.replace(tzinfo=UTC).isoformat())}::TIMESTAMPTZ" for one in (start, end))
        return rows.filter(f"{name} >= {first} AND {name} < {last}")
    first, last = (f"{literal(one.isoformat())}::TIMESTAMP" for one in (start, end))
    return rows.filter(f"{name}::TIMESTAMP >= {first} AND {name}::TIMESTAMP < {last}")


def refuse_other_types(rows: duckdb.DuckDBPyRelation, column: str, *, reader: TableId, source: TableId) -> None:
    """Refuse a column of another type than times.

    Args:
        rows: Rows with the column.
        column: The column.
        reader: Who reads by it.
        source: Whose rows they are.

    Raises:
        DeclarationError: It holds no times.
    """
    if (kind := _kind_of(rows, column)) not in _TIMES:
        raise DeclarationError(
            f"{reader} reads {source} by {column}, which is {kind} and not a time",
            way_out="name a column of timestamps or dates",
        )


def _kind_of(rows: duckdb.DuckDBPyRelation, column: str) -> str | None:
    return dict(zip(rows.columns, map(str, rows.types), strict=True)).get(column)


def _keep(table: Table, column: str, snapshots: dict[str, int], installation: Installation) -> None:
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, store_of(table), batch=list(snapshots))
        kind = _kind_of(rows, column)
        if kind not in _TIMES:
            return  # whoever reads by it says so
        zoned, name = kind == _ZONED, identifier(column)
        # Of a batch with such rows nothing is kept, so that it may be of any time and whoever reads by it says so.
        without = rows.filter(f"{name} IS NULL OR NOT isfinite({name})").project("_batch").distinct().fetchall()
        moment = name if zoned else f"{name}::TIMESTAMP"
        # In whole numbers: of the last microseconds of a quarter in the year 2300, a float makes the next quarter.
        times = rows.filter(f"isfinite({name})").project(f"_batch, epoch_us({moment}) AS moment")
        quarters = times.project(
            f"_batch, (moment - (moment % {_QUARTER} + {_QUARTER}) % {_QUARTER}) // {_QUARTER} AS quarter"
        )
        place = "quarter - row_number() OVER (PARTITION BY _batch ORDER BY quarter) AS stretch"
        stretches = quarters.distinct().project(f"_batch, quarter, {place}")
        found: dict[str, list[tuple[int, int]]] = {batch: [] for batch in snapshots if (batch,) not in without}
        for batch, first, last in stretches.aggregate(
            "_batch, min(quarter), max(quarter)", "_batch, stretch"
        ).fetchall():
            if batch in found:
                found[batch].append((first, last))
    kept = {
        batch: KeptTimes(snapshots[batch], EventTimes.of(stretches, zoned=zoned)) for batch, stretches in found.items()
    }
    installation.ledger.event_times.keep(table.id, column, kept)
