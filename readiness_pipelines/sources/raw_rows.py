"""Rows with the framework's columns, whatever they come from."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.columns import RAW_COLUMNS
from readiness_pipelines.sources.odd_times import rows_without_odd_times
from readiness_pipelines.sources.unify import converted


def raw_schema(columns: pa.Schema) -> pa.Schema:
    """A source's columns, then the framework's."""
    return pa.schema([*columns, *RAW_COLUMNS])


def complete(table: pa.Table, schema: pa.Schema, *, batch: str, file: str, first: int) -> Iterator[pa.RecordBatch]:
    """Rows of one origin in the raw schema of all.

    Args:
        table: Columns by the names they have in the schema, with ``_row`` from 0 in the origin; ``_unreadable`` and its
            reason where there are any.
        schema: As `raw_schema` gives it.
        batch: The batch.
        file: The origin's name.
        first: Rows of the origins before.
    """
    rows = table.num_rows
    given = {
        "_batch": pa.repeat(pa.scalar(batch, pa.string()), rows),
        "_file": pa.repeat(pa.scalar(file, pa.string()), rows),
        "_row": pc.add(table.column("_row"), first),
    }
    present = set(table.column_names)
    columns = []
    for field in schema:
        if field.name in given:
            columns.append(given[field.name])
        elif field.name in present:
            columns.append(converted(table.column(field.name), field.type))
        else:
            columns.append(pa.nulls(rows, field.type))
    yield from pa.table(columns, schema=schema).to_batches()


def numbered(tables: Iterable[pa.Table], columns: pa.Schema, *, batch: str, origin: str) -> pa.RecordBatchReader:
    """Rows of one origin, numbered as they come; those with times that no table keeps could not be parsed."""
    schema = raw_schema(columns)

    def rows() -> Iterator[pa.RecordBatch]:
        first = 0
        for table in tables:
            for rows_given in table.to_batches():
                places = range(first, first + rows_given.num_rows)
                read = rows_without_odd_times(rows_given, columns.names, read=range(len(columns)), places=places)
                yield from complete(read, schema, batch=batch, file=origin, first=0)
                first = places.stop

    return pa.RecordBatchReader.from_batches(schema, rows())
