"""A bounded sample of a table in a database, and the query by which it will be read."""

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from readiness_pipelines.drafting.columns import ColumnDraft
from readiness_pipelines.drafting.naming import ColumnName, column_names, table_name
from readiness_pipelines.drafting.placing import Placement
from readiness_pipelines.drafting.sample import FileSample
from readiness_pipelines.errors import DeclarationError, LandingError
from readiness_pipelines.sources.databases import open_database
from readiness_pipelines.sources.names import check_names
from readiness_pipelines.sources.raw_rows import numbered
from readiness_pipelines.sources.spool import spool
from readiness_pipelines.sql import identifier, probe_connection

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def read_table(
    name: str, *, url: str, connection: str, taken: Sequence[str], most_rows: int
) -> tuple[FileSample, Placement]:
    """Read the first rows of a table, and propose the query for all of them.

    Args:
        name: The table, with its schema where it needs one: ``billing.payments``.
        url: The database; see `open_database`.
        connection: What the settings will call it.
        taken: Names of tables that are there already.
        most_rows: So many rows are read.

    Raises:
        DeclarationError: A table without columns, or a kind of database that cannot be read.
        LandingError: The database cannot be reached, or has no such table.
    """
    try:
        names, query, rows = _read(name, url, connection, most_rows)
    except LandingError as error:
        raise LandingError(
            f"the table {name}: {error.what}", way_out="check the tables' names, and the address in the variable"
        ) from error
    path = Path(name)
    sample = FileSample(
        path=path,
        options={},
        notes={},
        names=names,
        rows=rows.slice(0, most_rows),
        whole=rows.num_rows <= most_rows,
        ascii_only=True,
    )
    placement = Placement(
        table=table_name([name.rpartition(".")[2]], taken),
        pattern="",
        batches="Versions()",
        imports="Versions",
        files={},
        keys={path: ""},
        notes=("each new content of the table replaces the whole, as a new version",),
        query=query,
        connection=connection,
    )
    return sample, placement


def _read(name: str, url: str, connection: str, most_rows: int) -> tuple[tuple[ColumnName, ...], str, pa.Table]:
    """The columns of a table, the query that reads them all, and its first rows."""
    table = ".".join(_written(part) for part in name.split("."))
    with open_database(url, name=connection) as database:
        arrived = next(iter(database.read(f"SELECT * FROM {table} LIMIT 1"))).column_names  # quoted
        if not arrived:
            raise DeclarationError(f"the table {name} has no columns", way_out="give another one")
        check_names(arrived, what=f"the table {name}", way_out="give a view that names it otherwise")
        names = column_names(arrived)
        given = ", ".join(
            f"{identifier(one)}{'' if named.name == one else f' AS {identifier(named.name)}'}"
            for one, named in zip(arrived, names, strict=True)
        )
        kept = all(named.name == one for one, named in zip(arrived, names, strict=True))
        query = f"SELECT {'*' if kept else given} FROM {table}"  # quoted
        found = spool(database.read(f"{query} LIMIT {most_rows + 1}"))
        rows = numbered(found.tables(), found.columns, batch="", origin=name).read_all()
    return names, query, rows


def _written(name: str) -> str:
    """A name as people write it: quoted where a database would read another name, or a word of SQL."""
    words = probe_connection().execute("SELECT 1 FROM duckdb_keywords() WHERE keyword_name = ?", [name]).fetchall()
    return name if _PLAIN.fullmatch(name) and not words and name != "user" else identifier(name)


def cursor_notes(columns: Sequence[ColumnDraft]) -> tuple[str, ...]:
    """What to write where rows are only added: batches by a column that tells when a row happened."""
    times = [
        one.names.name
        for one in columns
        if pa.types.is_timestamp(one.reading.type) or pa.types.is_date(one.reading.type)
    ]
    if not times:
        return ()
    shown = " or ".join(f'"{name}"' for name in times[:3])
    declared = f'SqlQuery(…, cursor={shown}, overlap="2d"), DailyBatches(start=…)'
    return (f"where rows are only added, read each day by itself: {declared}",)


def query_lines(query: str, width: int) -> list[str]:
    """A query in pieces that fit a line, which put together are the query."""
    lines = [""]
    for word in re.findall(r"\S+\s*|\s+", query):
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += word
    return lines
