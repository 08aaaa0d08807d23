"""Rows that are read once from elsewhere: kept in temporary files, with a fingerprint of their content."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa
from pyarrow import ipc

from readiness_pipelines.sources.unify import converted, unified
from readiness_pipelines.sql import locked_connection

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """Rows in temporary files, one for each schema that they came in.

    Attributes:
        columns: The columns of all, in types that hold all values.
        fingerprint: The same for the same rows, in any order.
        rows: Their count.
    """

    columns: pa.Schema
    fingerprint: str
    rows: int
    files: tuple[IO[bytes], ...]

    def tables(self) -> Iterator[pa.Table]:
        """The rows, as they came."""
        for file in self.files:
            file.seek(0)
            with ipc.open_stream(pa.PythonFile(file, mode="r")) as reader:
                for batch in reader:
                    yield _in_columns(pa.Table.from_batches([batch]), self.columns)


def spool(tables: Iterable[pa.Table], *, empty: pa.Schema | None = None) -> Spool:
    """Keep rows, and compute their fingerprint.

    Args:
        tables: The rows.
        empty: Their columns where there are no rows.
    """
    segments: list[tuple[pa.Schema, IO[bytes]]] = []
    writer: Any = None
    rows = 0
    try:
        for table in tables:
            if not segments or segments[-1][0] != table.schema:
                if writer is not None:
                    writer.close()
                file = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the rows are read
                segments.append((table.schema, file))
                writer = ipc.new_stream(pa.PythonFile(file, mode="w"), table.schema)
            writer.write_table(table)
            rows += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    schemas = [schema for schema, _ in segments] or ([empty] if empty is not None else [])
    columns = unified(schemas) if schemas else pa.schema([])
    kept = Spool(columns=columns, fingerprint="", rows=rows, files=tuple(file for _, file in segments))
    return Spool(columns=columns, fingerprint=_fingerprint(kept), rows=rows, files=kept.files)


def _fingerprint(kept: Spool) -> str:
    total, mixed = 0, 0
    if kept.columns.names:
        with locked_connection() as connection:
            for table in kept.tables():
                found = connection.from_arrow(table).aggregate(
                    "sum(hash(*COLUMNS(*))::HUGEINT), bit_xor(hash(*COLUMNS(*)))"
                )
                ((added, crossed),) = found.fetchall()
                total, mixed = (total + int(added or 0)) & _MASK, mixed ^ int(crossed or 0)
    content = f"{kept.columns.to_string()}|{kept.rows}|{total}|{mixed}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _in_columns(table: pa.Table, columns: pa.Schema) -> pa.Table:
    present = set(table.column_names)
    return pa.table(
        [
            converted(table.column(field.name), field.type)
            if field.name in present
            else pa.nulls(table.num_rows, field.type)
            for field in columns
        ],
        schema=columns,
    )
