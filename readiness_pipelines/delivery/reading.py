"""What a gate reads: the raw rows of a source's batch, or the rows that a transform makes of published ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import duckdb

from readiness_pipelines.contracts import DataPath, DerivedTable, GatedTable, Measure
from readiness_pipelines.delivery.names import batch_ref, published_table, raw_table
from readiness_pipelines.errors import DeclarationError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchState

VISIBLE = frozenset({BatchState.PUBLISHED, BatchState.PARTLY_PUBLISHED})
"""States in which a batch's latest verdict has published rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Rows to judge or measure.

    Attributes:
        rows: The rows.
        snapshots: The snapshot each came from, by table name.
    """

    rows: duckdb.DuckDBPyRelation
    snapshots: Mapping[str, int]


def raw_rows(
    path: DataPath, table: GatedTable, *, batch: str, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> Input:
    """The raw rows of a batch, with the columns that arrived.

    Raises:
        UpstreamNotPublishedError: Nothing was ingested of the batch.
    """
    raw = raw_table(table)
    record = installation.ledger.get(batch_ref(path, raw, batch))
    if record is None or record.snapshots.raw is None:
        raise UpstreamNotPublishedError(
            f"nothing of batch {batch!r} was ingested into {raw}",
            way_out=f"readiness run {path.name} --batch {batch}",
        )
    rows = installation.lakehouse.relation(
        engine, raw, batch=batch, snapshot_id=record.snapshots.raw, or_current=True, as_arrived=True
    )
    return Input(rows=rows, snapshots={str(raw): record.snapshots.raw})


def published_rows(
    path: DataPath,
    step: DerivedTable | Measure,
    *,
    batch: str | None,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> Input:
    """What a transform makes of its inputs' published rows.

    Args:
        path: The path.
        step: The step whose transform is applied.
        batch: The batch to read; ``None`` reads all published batches together.
        installation: Where the tables and the ledger are.
        engine: Where the relations live.

    Raises:
        UpstreamNotPublishedError: An input has nothing published for the batch.
        DeclarationError: The transform returns no DuckDB relation.
    """
    snapshots: dict[str, int] = {}
    relations = []
    for name in step.inputs:
        published = published_table(path, path.table(name))
        if batch is not None:
            snapshots[str(published)] = _visible_snapshot(path, name, batch, installation)
        relations.append(
            installation.lakehouse.relation(
                engine, published, batch=batch, snapshot_id=snapshots.get(str(published)), or_current=True
            )
        )
    rows: Any = step.transform(*relations)
    if not isinstance(rows, duckdb.DuckDBPyRelation):
        raise DeclarationError(
            f"{step.transform.__name__} of path {path.name} returned a {type(rows).__name__}",
            way_out="return a DuckDB relation, made from the relations it was given",
        )
    return Input(rows=rows, snapshots=snapshots)


def _visible_snapshot(path: DataPath, name: str, batch: str, installation: Installation) -> int:
    published = published_table(path, path.table(name))
    record = installation.ledger.get(batch_ref(path, published, batch))
    if record is None or record.state not in VISIBLE or record.snapshots.published is None:
        state = "was never delivered" if record is None else f"is {record.state}"
        raise UpstreamNotPublishedError(
            f"batch {batch!r} of {published} {state}" + (f": {record.reason}" if record and record.reason else ""),
            way_out=f"readiness status {path.name}",
        )
    return record.snapshots.published


def with_row_identity(
    rows: duckdb.DuckDBPyRelation, *, batch: str, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """Give a transform's result the columns that every judged row has, and compute it once.

    Rows keep the ``_row`` and ``_file`` of their input where the transform passed them on and left them unique; other
    results are numbered in the order of all their columns, so that the same rows get the same numbers.
    """
    result = f"result_{uuid4().hex[:12]}"
    rows.create(result)
    columns = engine.table(result).columns
    kept = [name for name in columns if name not in {"_batch", "_row", "_file"}]
    numbering = "row_number() OVER (ORDER BY ALL) - 1"
    if "_row" in columns:
        ((twice,),) = engine.sql(f"SELECT count(*) - count(DISTINCT _row) FROM {result}").fetchall()
        numbering = "_row" if twice == 0 else numbering
    file = "_file" if "_file" in columns else "NULL::VARCHAR"
    quoted = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in kept)
    return engine.sql(
        f"SELECT {quoted}, $batch::VARCHAR AS _batch, {numbering} AS _row, {file} AS _file, "
        f"NULL::VARCHAR AS _unreadable, NULL::VARCHAR AS _unreadable_reason FROM {result}",
        params={"batch": batch},
    )
