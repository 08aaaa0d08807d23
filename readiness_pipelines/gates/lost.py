"""Rows that leave a batch before any rule sees them: discarded by a decision, or by deduplication."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from readiness_pipelines.contracts.cleansing import Deduplicate
from readiness_pipelines.gates.batch_view import BatchView
from readiness_pipelines.gates.bits import error_entry
from readiness_pipelines.gates.decided import Discarded
from readiness_pipelines.gates.duplicates import find_duplicates, same_key
from readiness_pipelines.gates.sql import identifier

DEDUPLICATE = "deduplicate"
DISCARDED = "discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The rows that left a batch.

    Attributes:
        table: Temporary table of their ``_row``, and ``error``: why.
        rows: How many.
        key: The columns that were deduplicated by, joined; "" where nothing was to be.
        repeated: How many of the rows deduplication lost.
    """

    table: str
    rows: int = 0
    key: str = ""
    repeated: int = 0


def lose(view: BatchView, discarded: Sequence[Discarded], step: Deduplicate | None) -> tuple[BatchView, Lost]:
    """Take out the rows that were decided to be discarded, then all but one row of each key.

    Returns:
        The view without them, and what they are.
    """
    lost = Lost(table=f"lost_{view.tag}")
    view.connection.execute(
        f'CREATE TEMP TABLE {lost.table} (_row BIGINT, error STRUCT("rule" VARCHAR, "column" VARCHAR, reason VARCHAR))'
    )
    for one in discarded:
        entry = error_entry(DISCARDED, None, one.reason)
        where = f"({one.where or 'true'}) AND _row NOT IN (SELECT _row FROM {lost.table})"
        view.connection.execute(f"INSERT INTO {lost.table} SELECT _row, {entry} FROM {view.source} WHERE {where}")
    view, lost = _without(view, lost)
    return _deduplicate(view, lost, step) if step else (view, lost)


def _deduplicate(view: BatchView, lost: Lost, step: Deduplicate) -> tuple[BatchView, Lost]:
    key = ", ".join(step.by)
    where = " AND ".join([view.judgeable(step.by), *(f"{identifier(name)} IS NOT NULL" for name in step.by)])
    keys = f"keys_{view.tag}"
    if find_duplicates(view.connection, view.rows, step.by, where=where, into=keys) is None:
        return view, replace(lost, key=key)
    direction = "DESC NULLS LAST" if step.keep == "last" else "ASC NULLS LAST"
    order = ", ".join(f"t.{identifier(name)} {direction}" for name in [*step.order_by, "_row"])
    partition = ", ".join(f"t.{identifier(name)}" for name in step.by)
    winner = f"{step.keep} by {', '.join(step.order_by)}" if step.order_by else f"{step.keep} to arrive"
    entry = error_entry(DEDUPLICATE, key, f"another row of the batch has the same {key} and is the {winner}")
    view.connection.execute(
        f"INSERT INTO {lost.table} SELECT _row, {entry} FROM (SELECT t._row, row_number() OVER "
        f"(PARTITION BY {partition} ORDER BY {order}) AS place FROM {view.rows} t "
        f"SEMI JOIN {keys} d ON {same_key(step.by)} WHERE {where}) WHERE place > 1"
    )
    before = lost.rows
    view, lost = _without(view, lost)
    return view, replace(lost, key=key, repeated=lost.rows - before)


def _without(view: BatchView, lost: Lost) -> tuple[BatchView, Lost]:
    """The view without the rows lost so far, which are counted."""
    ((rows,),) = view.connection.execute(f"SELECT count(*) FROM {lost.table}").fetchall()
    if rows == lost.rows:
        return view, lost
    kept = f"kept_{rows}_{view.tag}"
    view.connection.execute(
        f"CREATE TEMP VIEW {kept} AS SELECT t.* FROM {view.rows} t ANTI JOIN {lost.table} l USING (_row)"
    )
    return replace(view, rows=kept), replace(lost, rows=rows)
