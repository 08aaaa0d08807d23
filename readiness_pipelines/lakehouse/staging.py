"""Rows into Parquet files that no snapshot names yet."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.schema import Schema
from pyiceberg.table import Table

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.lakehouse.arrow_files import (
    DICTIONARY_VALUES,
    FIELD_ID,
    ROW_GROUP_ROWS,
    ZSTD_LEVEL,
    write_rows,
)
from readiness_pipelines.lakehouse.records import ColumnFooter, StagingArea
from readiness_pipelines.lakehouse.upstream import parquet_field_ids
from readiness_pipelines.masking import quoted
from readiness_pipelines.sql import duckdb_type, identifier, literal
from readiness_pipelines.storage import Place


def count_staged(area: StagingArea, files: Sequence[str]) -> int:
    """Check the files that an engine wrote into a staging area, and count their rows.

    Raises:
        LakehouseError: A file outside the area, without a column or its field id, or with a row of another batch or of
            none.
    """
    rows = 0
    for file in files:
        name = file.removeprefix(f"{area.folder}/")
        if name == file or "/" in name:
            raise LakehouseError(
                f"the file {file} is not in the staging area {area.folder}", way_out="write the files into the area"
            )
        metadata = _footer(area.folder, name)
        _check_field_ids(area, name, metadata)
        _check_batch(area.folder, name, metadata, area.batch)
        rows += metadata.num_rows
    return rows


def _check_field_ids(area: StagingArea, name: str, metadata: pq.FileMetaData) -> None:
    """Refuse a file that Iceberg would read by other field ids."""
    stored = {field.name: (field.metadata or {}).get(FIELD_ID) for field in metadata.schema.to_arrow_schema()}
    wanted = {column: str(number).encode() for column, number in area.field_ids.items()}
    if stored != wanted:
        area.folder.remove(name)
        raise LakehouseError(
            f"a file staged for {area.table} does not have the columns and field ids of its staging area",
            way_out="write the area's schema",
        )


def write_staged(
    table: Table, place: Place, rows: duckdb.DuckDBPyRelation, *, batch: str, columns: pa.Schema, schema: Schema
) -> tuple[tuple[str, ...], int]:
    """Stream rows into one Parquet file under the table's location, with the schema's field ids.

    Args:
        table: The table they are meant for.
        place: Where its files lie.
        rows: The rows; their columns are cast to `columns`.
        batch: The one batch that every row must name.
        columns: Stored Arrow schema of the rows.
        schema: Iceberg schema that has a field of the same name for each of them.

    Returns:
        The files (none for no rows), and the count of rows.

    Raises:
        LakehouseError: A row of another batch or of none, or the files cannot be written (disk full, no permission).
    """
    ids = parquet_field_ids(schema)
    fields = _struct({name: ids[name] for name in columns.names})

    def write(folder: Place, name: str) -> None:
        copied = _cast(rows, columns).query(
            "staged_rows",
            f"COPY (SELECT * FROM staged_rows) TO {literal(f'{folder}/{name}')} (FORMAT parquet, COMPRESSION zstd, "
            f"COMPRESSION_LEVEL {ZSTD_LEVEL}, DICTIONARY_SIZE_LIMIT {DICTIONARY_VALUES}, "
            f"ROW_GROUP_SIZE {ROW_GROUP_ROWS}, FIELD_IDS {fields})",
        )
        if copied is not None:
            copied.fetchall()

    return _written(table, place, write, batch=batch)


def write_arrow(
    table: Table, place: Place, rows: pa.RecordBatchReader, *, batch: str, columns: pa.Schema, schema: Schema
) -> tuple[tuple[str, ...], int]:
    """The same for rows that come as Arrow, in the types of `columns` and their order."""
    ids = {name: schema.find_field(name).field_id for name in columns.names}
    return _written(
        table,
        place,
        lambda folder, name: write_rows(rows, folder, name, columns=columns, field_ids=ids),
        batch=batch,
    )


def _written(
    table: Table, place: Place, write: Callable[[Place, str], None], *, batch: str
) -> tuple[tuple[str, ...], int]:
    """A new file as `write` makes it, checked; none where it has no rows."""
    folder, name = place / "data", f"{uuid4().hex}.parquet"
    try:
        folder.make()
        write(folder, name)
        written = _footer(folder, name)
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError, pa.ArrowInvalid) as error:
        _forget(folder, name)
        raise LakehouseError(
            f"batch {batch!r} cannot be staged for {'.'.join(table.name())}: {quoted(error)}",
            way_out=f"make room or give permission under {folder}, then run the batch again: nothing was published",
        ) from error
    if written.num_rows == 0:
        folder.remove(name)
        return (), 0
    _check_batch(folder, name, written, batch)
    return (f"{folder}/{name}",), written.num_rows


def footers(place: Place, files: Sequence[str]) -> Mapping[str, ColumnFooter]:
    """What the footers of some staged files say about their columns, without reading a row.

    Nested columns, and those that lack a count of nulls anywhere, are left out.
    """
    found: dict[str, list[Any]] = {}
    for file in files:
        metadata = _footer(place, file.removeprefix(f"{place}/"))
        for group in range(metadata.num_row_groups):
            for index in range(metadata.num_columns):
                column = metadata.row_group(group).column(index)
                found.setdefault(column.path_in_schema, []).append(column.statistics)
    columns = {}
    for name, statistics in found.items():
        if all(one is not None and one.has_null_count for one in statistics):
            minimum, maximum = _bounds(statistics)
            columns[name] = ColumnFooter(
                nulls=sum(one.null_count for one in statistics), minimum=minimum, maximum=maximum
            )
    return columns


def _bounds(statistics: Sequence[Any]) -> tuple[Any, Any]:
    """The least and the greatest value; ``None`` where a part does not say them."""
    if not all(one.has_min_max for one in statistics):
        return None, None
    try:
        return min(one.min for one in statistics), max(one.max for one in statistics)
    except OverflowError:  # a time that Python cannot hold: as if the file did not say them
        return None, None


def rows_in(place: Place, name: str) -> int:
    """How many rows a staged file has, by its footer."""
    return int(_footer(place, name).num_rows)


def _footer(place: Place, name: str) -> pq.FileMetaData:
    with place.read_anywhere(name) as file:
        return pq.read_metadata(file)


def _forget(folder: Place, name: str) -> None:
    """Remove what was written of a file, if the place can be reached; else it stays for maintenance to find."""
    with suppress(OSError):
        folder.remove(name)


def _cast(rows: duckdb.DuckDBPyRelation, columns: pa.Schema) -> duckdb.DuckDBPyRelation:
    given = dict(zip(rows.columns, rows.types, strict=True))
    casts = []
    for name, kind in ((field.name, duckdb_type(field.type)) for field in columns):
        quoted = identifier(name)
        casts.append(quoted if str(given[name]) == kind else f"CAST({quoted} AS {kind}) AS {quoted}")
    return rows.project(", ".join(casts))


def _struct(fields: Mapping[str, Any]) -> str:
    """Field ids as a DuckDB struct literal."""
    inner = (
        f"{literal(name)}: {_struct(value) if isinstance(value, Mapping) else value}" for name, value in fields.items()
    )
    return f"{{{', '.join(inner)}}}"


def _check_batch(folder: Place, name: str, written: pq.FileMetaData, batch: str) -> None:
    """Refuse a file with rows of another batch: Iceberg would file it under one and lose the others from sight."""
    names = {written.row_group(0).column(i).path_in_schema: i for i in range(written.num_columns)}
    for group in range(written.num_row_groups):
        statistics = written.row_group(group).column(names["_batch"]).statistics
        if statistics is None or (statistics.min, statistics.max, statistics.null_count) != (batch, batch, 0):
            folder.remove(name)
            raise LakehouseError(
                f"rows staged as batch {batch!r} name another batch or none", way_out="set _batch in every row"
            )
