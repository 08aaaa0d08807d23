"""Rows that leave a batch before any rule sees them: discarded by a decision, or by deduplication."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from readiness_pipelines.contracts.cleansing import Deduplicate
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.duplicates import find_duplicates, same_key
from readiness_pipelines.gates.verdict.decisions import Discarded

DEDUPLICATE = "deduplicate"
DISCARDED = "discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedRows:
    """The rows that left a batch.

    Attributes:
        parts: Tables of their ``_row``, and ``error``: why; a row is in one of them.
        rows: How many.
        key: The columns that were deduplicated by, joined; "" where nothing was to be.
        repeated: How many of the rows deduplication dropped.
    """

    parts: tuple[str, ...] = ()
    rows: int = 0
    key: str = ""
    repeated: int = 0


def drop_rows(
    view: BatchView, discarded: Sequence[Discarded], step: Deduplicate | None
) -> tuple[BatchView, DroppedRows]:
    """Take out the rows that were decided to be discarded, then all but one row of each key.

    Returns:
        The view without them, and what they are.
    """
    dropped = DroppedRows()
    for one in discarded:
        entry = view.engine.sql.error(DISCARDED, None, one.reason)
        earlier = [f"_row NOT IN (SELECT _row FROM {part})" for part in dropped.parts]
        where = " AND ".join([f"({one.where or 'true'})", *earlier])
        dropped = _with_part(view, dropped, f"SELECT _row, {entry} AS error FROM {view.source} WHERE {where}")
    for part in dropped.parts:
        view = view.without(part)
    return _deduplicate(view, dropped, step) if step else (view, dropped)


def _deduplicate(view: BatchView, dropped: DroppedRows, step: Deduplicate) -> tuple[BatchView, DroppedRows]:
    sql = view.engine.sql
    key = ", ".join(step.by)
    present = [f"{_value(view, sql.identifier(name), name)} IS NOT NULL" for name in step.by]
    where = " AND ".join([view.judgeable(step.by), *present])
    keys = f"keys_{view.tag}"
    if find_duplicates(view.engine, view.rows, step.by, where=where, into=keys) is None:
        return view, replace(dropped, key=key)
    direction = "DESC NULLS LAST" if step.keep == "last" else "ASC NULLS LAST"
    by = [_value(view, f"t.{sql.identifier(name)}", name) for name in [*step.order_by, "_row"]]
    order = ", ".join(f"{value} {direction}" for value in by)
    partition = ", ".join(f"t.{sql.identifier(name)}" for name in step.by)
    winner = f"{step.keep} by {', '.join(step.order_by)}" if step.order_by else f"{step.keep} to arrive"
    entry = sql.error(DEDUPLICATE, key, f"another row of the batch has the same {key} and is the {winner}")
    before = dropped.rows
    dropped = _with_part(
        view,
        dropped,
        f"SELECT _row, {entry} AS error FROM (SELECT t._row, row_number() OVER "
        f"(PARTITION BY {partition} ORDER BY {order}) AS place FROM {view.rows} t "
        f"SEMI JOIN {keys} d ON {same_key(step.by, sql)} WHERE {where}) WHERE place > 1",
    )
    return view.without(dropped.parts[-1]), replace(dropped, key=key, repeated=dropped.rows - before)


def _value(view: BatchView, column: str, name: str) -> str:
    """SQL of a column's value; null also where it is NaN, which is missing and to engines the greatest number."""
    return f"CASE WHEN NOT isnan({column}) THEN {column} END" if name in view.floats else column


def _with_part(view: BatchView, dropped: DroppedRows, query: str) -> DroppedRows:
    part = f"lost_{len(dropped.parts)}_{view.tag}"
    view.engine.keep(part, query)
    ((rows,),) = view.engine.fetch(f"SELECT count(*) FROM {part}")
    return replace(dropped, parts=(*dropped.parts, part), rows=dropped.rows + rows)
