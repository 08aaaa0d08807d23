"""Repeated rows: those that break a uniqueness rule, and those that deduplication discards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from readiness_pipelines.contracts.cleansing import Deduplicate
from readiness_pipelines.gates.batch_view import BatchView
from readiness_pipelines.gates.bits import Bit
from readiness_pipelines.gates.columns import Duplicates
from readiness_pipelines.gates.duplicates import find_duplicates, same_key
from readiness_pipelines.gates.found import FoundRows
from readiness_pipelines.gates.sql import identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Rows that deduplication discards.

    Attributes:
        key: The key's columns, joined, for people.
        reason: Why they are discarded, for people.
        table: Temporary table of their ``_row``; ``None`` where there are none.
        rows: How many.
    """

    key: str
    reason: str
    table: str | None = None
    rows: int = 0


def find_repeated(view: BatchView, bit: Bit, columns: Sequence[str], duplicates: Duplicates, found: FoundRows) -> None:
    """Find the rows whose key occurs more than once: all of them, or all but the first or last by ``_row``."""
    where = view.judgeable(columns)
    keys = f"duplicates_{view.tag}_{bit.place}"
    rows = find_duplicates(view.connection, view.rows, columns, where=where, into=keys)
    if rows is None:
        return
    repeated = f"FROM {rows} t SEMI JOIN {keys} d ON {same_key(columns)}"
    if duplicates == "all":
        found.add(bit, f"SELECT t._row {repeated}")
        return
    order = "_row" if duplicates == "exclude_first" else "_row DESC"
    place = f"row_number() OVER (PARTITION BY {_of_t(columns)} ORDER BY t.{order})"
    found.add(bit, f"SELECT _row FROM (SELECT t._row, {place} AS place {repeated}) WHERE place > 1")


def deduplicate(view: BatchView, step: Deduplicate) -> tuple[BatchView, Lost]:
    """Discard all but one row of each key, before any rule sees them.

    Returns:
        The view without the discarded rows, and what they are.
    """
    key = ", ".join(step.by)
    winner = f"{step.keep} by {', '.join(step.order_by)}" if step.order_by else f"{step.keep} to arrive"
    lost = Lost(key=key, reason=f"another row of the batch has the same {key} and is the {winner}")
    where = " AND ".join([view.judgeable(step.by), *(f"{identifier(name)} IS NOT NULL" for name in step.by)])
    keys = f"keys_{view.tag}"
    if find_duplicates(view.connection, view.rows, step.by, where=where, into=keys) is None:
        return view, lost
    direction = "DESC NULLS LAST" if step.keep == "last" else "ASC NULLS LAST"
    order = ", ".join(f"t.{identifier(name)} {direction}" for name in [*step.order_by, "_row"])
    place = f"row_number() OVER (PARTITION BY {_of_t(step.by)} ORDER BY {order})"
    table, kept = f"lost_{view.tag}", f"kept_{view.tag}"
    view.connection.execute(
        f"CREATE TEMP TABLE {table} AS SELECT _row FROM (SELECT t._row, {place} AS place FROM {view.rows} t "
        f"SEMI JOIN {keys} d ON {same_key(step.by)} WHERE {where}) WHERE place > 1"
    )
    view.connection.execute(
        f"CREATE TEMP VIEW {kept} AS SELECT t.* FROM {view.rows} t ANTI JOIN {table} l USING (_row)"
    )
    ((rows,),) = view.connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return replace(view, rows=kept), replace(lost, table=table, rows=rows)


def _of_t(columns: Sequence[str]) -> str:
    return ", ".join(f"t.{identifier(name)}" for name in columns)
