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
class Lost:
    """The rows that left a batch.

    Attributes:
        parts: Tables of their ``_row``, and ``error``: why; a row is in one of them.
        rows: How many.
        key: The columns that were deduplicated by, joined; "" where nothing was to be.
        repeated: How many of the rows deduplication lost.
    """

    parts: tuple[str, ...] = ()
    rows: int = 0
    key: str = ""
    repeated: int = 0


def lose(view: BatchView, discarded: Sequence[Discarded], step: Deduplicate | None) -> tuple[BatchView, Lost]:
    """Take out the rows that were decided to be discarded, then all but one row of each key.

    Returns:
        The view without them, and what they are.
    """
    lost = Lost()
    for one in discarded:
        entry = view.engine.sql.error(DISCARDED, None, one.reason)
        earlier = [f"_row NOT IN (SELECT _row FROM {part})" for part in lost.parts]
        where = " AND ".join([f"({one.where or 'true'})", *earlier])
        lost = _with_part(view, lost, f"SELECT _row, {entry} AS error FROM {view.source} WHERE {where}")
    for part in lost.parts:
        view = _without(view, part)
    return _deduplicate(view, lost, step) if step else (view, lost)


def _deduplicate(view: BatchView, lost: Lost, step: Deduplicate) -> tuple[BatchView, Lost]:
    sql = view.engine.sql
    key = ", ".join(step.by)
    where = " AND ".join([view.judgeable(step.by), *(f"{sql.identifier(name)} IS NOT NULL" for name in step.by)])
    keys = f"keys_{view.tag}"
    if find_duplicates(view.engine, view.rows, step.by, where=where, into=keys) is None:
        return view, replace(lost, key=key)
    direction = "DESC NULLS LAST" if step.keep == "last" else "ASC NULLS LAST"
    order = ", ".join(f"t.{sql.identifier(name)} {direction}" for name in [*step.order_by, "_row"])
    partition = ", ".join(f"t.{sql.identifier(name)}" for name in step.by)
    winner = f"{step.keep} by {', '.join(step.order_by)}" if step.order_by else f"{step.keep} to arrive"
    entry = sql.error(DEDUPLICATE, key, f"another row of the batch has the same {key} and is the {winner}")
    before = lost.rows
    lost = _with_part(
        view,
        lost,
        f"SELECT _row, {entry} AS error FROM (SELECT t._row, row_number() OVER "
        f"(PARTITION BY {partition} ORDER BY {order}) AS place FROM {view.rows} t "
        f"SEMI JOIN {keys} d ON {same_key(step.by, sql)} WHERE {where}) WHERE place > 1",
    )
    return _without(view, lost.parts[-1]), replace(lost, key=key, repeated=lost.rows - before)


def _with_part(view: BatchView, lost: Lost, query: str) -> Lost:
    part = f"lost_{len(lost.parts)}_{view.tag}"
    view.engine.keep(part, query)
    ((rows,),) = view.engine.fetch(f"SELECT count(*) FROM {part}")
    return replace(lost, parts=(*lost.parts, part), rows=lost.rows + rows)


def _without(view: BatchView, part: str) -> BatchView:
    kept = f"without_{part}"
    view.engine.view(kept, f"SELECT t.* FROM {view.rows} t ANTI JOIN {part} l USING (_row)")
    return replace(view, rows=kept)
