"""What a gate judges: the raw rows of a source's batch, or the rows that a transform makes of published ones."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, assert_never
from uuid import uuid4

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.columns import PUBLISHED_COLUMNS, RAW_COLUMNS, WATERMARK
from readiness_pipelines.contracts import Computed, DerivedTable, GatedTable, Kpi, Read, Table
from readiness_pipelines.contracts.reads import RowsOfPeriod
from readiness_pipelines.delivery.erasure.matching import matcher_of
from readiness_pipelines.delivery.erasure.searching import rows_of_persons, without_rows
from readiness_pipelines.delivery.event_times import rows_of_period
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Inputs, Published
from readiness_pipelines.delivery.releases import release_of
from readiness_pipelines.errors import (
    DeclarationError,
    LakehouseError,
    ReadinessError,
    UpstreamNotPublishedError,
)
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import as_arrived, promotable_type, storage_type
from readiness_pipelines.ledger import BatchRecord, StoredColumn
from readiness_pipelines.masking import quoted
from readiness_pipelines.products import kpi_relation
from readiness_pipelines.products.noise import Release
from readiness_pipelines.sql import duckdb_type, identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Rows to judge.

    Attributes:
        rows: The rows.
        inputs: The snapshots they come from, by table and batch.
        drifted: Whether raw files have the rows under other names, or in wider types, than they arrived with, or have
            rows that are not judged.
        erased: Rows of erased persons that arrived with these, and are not among them.
    """

    rows: duckdb.DuckDBPyRelation
    inputs: Inputs
    drifted: bool = False
    erased: int = 0


def judged_rows(
    table: Table,
    *,
    batch: str,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
    releasing: Run | None = None,
) -> Given:
    """The rows that a table's gate judges, before corrections: raw ones, or what a transform makes of published ones.

    Raises:
        UpstreamNotPublishedError: Nothing was ingested, or an input has nothing published for the batch.
        DeclarationError: The transform breaks, or gives something that is not rows.
    """
    if isinstance(table, GatedTable):
        return raw_rows(table, batch=batch, installation=installation, engine=engine)
    return computed_rows(table, batch=batch, installation=installation, engine=engine, releasing=releasing)


def raw_rows(table: GatedTable, *, batch: str, installation: Installation, engine: duckdb.DuckDBPyConnection) -> Given:
    """The raw rows of a batch, with the columns and types that arrived.

    Raises:
        UpstreamNotPublishedError: Nothing was ingested of the batch.
        LakehouseError: The rows that are there are not those that the ledger recorded.
        RegisterKeyError: The register says whose rows to leave out, and its key is not there.
    """
    raw = table.id.raw
    record = installation.ledger.get(BatchRef(raw, batch))
    if record is not None and record.state is BatchState.OPEN:
        raise UpstreamNotPublishedError(
            f"batch {batch!r} of {table.id} is a stream's open window: it is judged as a whole when it is sealed",
            way_out=f"after its end: readiness run {table.id} --batch {batch}",
        )
    if record is None or record.snapshots.raw is None:
        raise UpstreamNotPublishedError(
            f"nothing of batch {batch!r} was ingested into {raw}",
            way_out=f"readiness run {table.id} --batch {batch}",
        )
    _check_expired(record, installation)
    rows = installation.lakehouse.relation(
        engine, raw, batch=batch, snapshot_id=record.snapshots.raw, or_current=True, as_arrived=True
    )
    inputs = {raw: {batch: record.snapshots.raw}}
    columns = [(column.stored, column.name, _stored_type(column)) for column in record.columns]
    files = dict(zip(rows.columns, map(str, rows.types), strict=True))
    drifted = any(
        stored != name or (kind is not None and files.get(stored) != duckdb_type(kind))
        for stored, name, kind in columns
    )
    if drifted:
        framework = ", ".join(map(identifier, RAW_COLUMNS.names))
        rows = rows.project(f"{as_arrived(columns)}, {framework}")
    elif WATERMARK in rows.columns:
        rows, drifted = rows.project(f"* EXCLUDE ({WATERMARK})"), True
    erased = record.counts.erased
    if (matcher := matcher_of(table, installation)) is not None:
        # Of a restored backup, or of a batch that was under way when a person was registered.
        there = rows_of_persons(rows, matcher).get(batch, ())
        rows = without_rows(rows, there)
        erased += len(there)
        drifted = drifted or bool(there)
    return Given(rows=rows, inputs=inputs, drifted=drifted, erased=erased)


def _stored_type(column: StoredColumn) -> pa.DataType | None:
    """The type a column of raw has where no other batch widened it; ``None`` where no batch can."""
    kind = promotable_type(column.type)
    return None if kind is None else storage_type(kind, column=column.name)


def _check_expired(record: BatchRecord, installation: Installation) -> None:
    """Where the recorded snapshot has expired, what the table has of the batch now must be of the recorded delivery."""
    lakehouse, ref = installation.lakehouse, record.ref
    if record.snapshots.raw is None or lakehouse.has_snapshot(ref.table, record.snapshots.raw):
        return
    attempt = lakehouse.last_attempts(ref.table).get(ref.batch)
    files = lakehouse.files(ref.table, batch=ref.batch)
    if attempt not in (None, record.attempt) or sum(file.rows for file in files) != rows_kept(record):
        raise LakehouseError(
            f"{ref.table} has other rows of batch {ref.batch!r} than those that were ingested",
            way_out=f"readiness reconcile {ref.table.domain.removesuffix('_raw')} --repair",
        )


def rows_kept(record: BatchRecord) -> int:
    """How many raw rows of a batch there are: those that were ingested, but for those of erased persons."""
    return record.counts.ingested - record.counts.erased


def computed_rows(
    table: Computed,
    *,
    batch: str,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
    releasing: Run | None = None,
) -> Given:
    """What a transform makes of its inputs' published rows, with the columns that every judged row has.

    Raises:
        UpstreamNotPublishedError: An input has nothing published for the batch.
        DeclarationError: The transform breaks, or gives something that is not rows.
    """
    relations, inputs = input_relations(table, batch=batch, installation=installation, engine=engine)
    with errors_of_transform(table, batch):
        release = release_of(table, batch=batch, installation=installation, run=releasing)
        rows = transformed(table, relations, engine, release=release)
        return Given(rows=with_row_identity(rows, table, batch=batch, engine=engine), inputs=inputs)


def input_relations(
    table: Computed, *, batch: str, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> tuple[dict[str, duckdb.DuckDBPyRelation], Inputs]:
    """The published rows that a batch of a computed table is made of, by the transform's parameters, and what they are.

    Raises:
        UpstreamNotPublishedError: An input has nothing published for the batch.
    """
    published = Published(installation.ledger)
    relations: dict[str, duckdb.DuckDBPyRelation] = {}
    inputs: dict[Any, dict[str, int]] = {}
    for name, read in table.reads.items():
        keys = published.needed(read, table, batch)
        snapshots = {key: published.snapshot(read.table, key) for key in keys}
        if snapshots:
            inputs.setdefault(read.table.id, {}).update(snapshots)
        relations[name] = _input(read, snapshots, installation, engine)
        if isinstance(read.mapping, RowsOfPeriod):
            relations[name] = rows_of_period(relations[name], read.mapping.event_time, table, read.table, batch)
    return relations, inputs


def _input(
    read: Read, snapshots: Mapping[str, int], installation: Installation, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """The published rows of some batches of an input; no rows, with its columns, where there are none."""
    store, lakehouse = store_of(read.table), installation.lakehouse
    if not snapshots and not lakehouse.exists(store):
        return engine.from_arrow(gate_of(read.table).schema.empty_table())
    if not snapshots:
        return lakehouse.relation(engine, store).filter("false")
    # Snapshots follow each other: one of the table as it is now has every batch as it was published last.
    single = next(iter(snapshots.values())) if len(snapshots) == 1 else None
    return lakehouse.relation(engine, store, batch=list(snapshots), snapshot_id=single, or_current=True)


def transformed(
    table: Computed,
    relations: Mapping[str, duckdb.DuckDBPyRelation],
    engine: duckdb.DuckDBPyConnection,
    *,
    release: Release | None = None,
) -> duckdb.DuckDBPyRelation:
    """What a transform makes of its inputs, which are given by the names of its parameters.

    Raises:
        DeclarationError: It gives something that is not rows. What else it raises is its own.
    """
    made = transform_result(table, relations, engine)
    match table:
        case Kpi():
            return kpi_relation(table, made, list(relations.values()), engine, release=release)
        case DerivedTable():
            if not isinstance(made, duckdb.DuckDBPyRelation):
                raise _wrong_result(table, made, "return a DuckDB relation, made from the relations it was given")
            return made
        case _:
            assert_never(table)


def transform_result(
    table: Computed, relations: Mapping[str, duckdb.DuckDBPyRelation], engine: duckdb.DuckDBPyConnection
) -> Any:
    """What a transform returns for its inputs: a relation, whatever it is written in, or what a KPI measures.

    Raises:
        DeclarationError: It gives something that is not rows. What else it raises is its own.
    """
    match table.language:
        case "relation":
            return table.transform(*relations.values())
        case "sql":
            for name, relation in relations.items():
                relation.create_view(name)
            text = table.transform(*relations)
            if not isinstance(text, str):
                raise _wrong_result(table, text, "return SQL text")
            return engine.sql(text)
        case "arrow":
            made: Any = table.transform(*(relation.to_arrow_table() for relation in relations.values()))
            if isinstance(made, pa.RecordBatchReader):
                made = made.read_all()
            if not isinstance(made, pa.Table):
                raise _wrong_result(table, made, "return an Arrow table")
            return engine.from_arrow(made)
        case _:
            assert_never(table.language)


def _wrong_result(table: Computed, made: Any, way_out: str) -> DeclarationError:
    return DeclarationError(f"the transform of {table.id} returned a {type(made).__name__}", way_out=way_out)


@contextmanager
def errors_of_transform(table: Computed, batch: str) -> Iterator[None]:
    """What a user's transform raises, as an error that names it."""
    try:
        yield
    except (ReadinessError, MemoryError):
        raise
    except duckdb.OutOfMemoryException as error:
        raise LakehouseError(
            f"the transform of {table.id} needs more memory for batch {batch!r} than it may have: {quoted(error)}",
            way_out="raise READINESS_ENGINE_MEMORY_MB",
        ) from error
    except Exception as error:
        raise DeclarationError(
            f"the transform of {table.id} breaks on batch {batch!r}: {type(error).__name__}: {quoted(error)}",
            way_out=f"fix {getattr(table.transform, '__name__', 'it')} in {table.domain.module}, then run it again",
        ) from error


def with_row_identity(
    rows: duckdb.DuckDBPyRelation, table: Computed, *, batch: str, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """Give a transform's result the columns that every judged row has, and compute it once.

    Rows keep the ``_row`` and ``_file`` of their input where the transform passed them on and left them unique. Others
    are numbered in the order of the declared key, then of all columns: the same rows get the same numbers.

    Raises:
        DeclarationError: A key column that the result does not have.
    """
    result = f"result_{uuid4().hex[:12]}"
    rows.create(result)
    columns = engine.table(result).columns
    kept = [name for name in columns if name not in PUBLISHED_COLUMNS]
    if lacking := [name for name in table.key if name not in kept]:
        raise DeclarationError(
            f"the transform of {table.id} gives no column {lacking[0]!r}, which is in its key",
            way_out=f"it gives {', '.join(kept)}",
        )
    numbering = _numbering(result, columns, [*table.key, *(name for name in kept if name not in table.key)], engine)
    file = "_file" if "_file" in columns else "NULL::VARCHAR"
    return engine.sql(
        f"SELECT {', '.join(map(identifier, kept))}, $batch::VARCHAR AS _batch, {numbering} AS _row, {file} AS _file, "
        f"NULL::VARCHAR AS _unreadable, NULL::VARCHAR AS _unreadable_reason FROM {result}",
        params={"batch": batch},
    )


def _numbering(result: str, columns: Sequence[str], order: Sequence[str], engine: duckdb.DuckDBPyConnection) -> str:
    if "_row" in columns:
        ((unusable,),) = engine.sql(f"SELECT count(*) - count(DISTINCT _row) FROM {result}").fetchall()
        if unusable == 0:
            return "_row::BIGINT"
    if not order:
        return "row_number() OVER () - 1"
    return f"row_number() OVER (ORDER BY {', '.join(f'{identifier(name)} NULLS FIRST' for name in order)}) - 1"
