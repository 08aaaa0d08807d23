"""Equal rows: those with a repeated key, wherever they are in the batch."""

from collections.abc import Sequence

from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.engines.port import Engine


def find_duplicates(engine: Engine, view: str, columns: Sequence[str], *, where: str, into: str) -> str | None:
    """Make a table of the keys that occur more than once.

    Args:
        engine: The engine.
        view: The rows.
        columns: The key's columns; null equals null.
        where: SQL that the rows must meet.
        into: Name of the table, with the key's columns.

    Returns:
        ``_row`` and the key of the rows to look for them in, as SQL to select from; ``None`` where all keys differ.
    """
    keys = ", ".join(map(engine.sql.identifier, columns))
    rows = engine.candidates(
        f"(SELECT _row, {keys} FROM {view} WHERE {where})", list(columns), into=f"{into}_candidates"
    )
    engine.keep(into, f"SELECT {keys} FROM {rows} GROUP BY {keys} HAVING count(*) > 1")
    ((count,),) = engine.fetch(f"SELECT count(*) FROM {into}")
    return rows if count else None


def same_key(columns: Sequence[str], sql: Dialect) -> str:
    """SQL: whether rows ``t`` and ``d`` have the same key; null equals null."""
    quoted = map(sql.identifier, columns)
    return " AND ".join(f"t.{name} IS NOT DISTINCT FROM d.{name}" for name in quoted)
