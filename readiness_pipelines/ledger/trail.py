"""The trail: what happened to batches, for ever."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from readiness_pipelines.batches import BatchRef, BatchState, Publication
from readiness_pipelines.ledger.batches import VISIBLE
from readiness_pipelines.ledger.chain import append_row
from readiness_pipelines.ledger.keys import among_batches, batch_key, batch_of, in_tables, is_batch, is_table, table_of
from readiness_pipelines.ledger.records import TrailEntry
from readiness_pipelines.ledger.tables import BATCHES, TRAIL
from readiness_pipelines.names import TableId

FAILED = "failed"
ERASED = "erased"
WITHDRAWN = (BatchState.DISCARDED.value, "withdrawn")

_ENDED = TRAIL.c.attempt.is_not(None) & (TRAIL.c.what != FAILED)


def append_entry(
    connection: Connection,
    ref: BatchRef,
    *,
    at: datetime,
    what: str,
    who: str,
    why: str | None,
    run_id: str | None = None,
    attempt: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Note what happened to a batch; the number of the row."""
    values = {"at": at, "what": what, "who": who, "why": why, "run_id": run_id, "attempt": attempt}
    return append_row(connection, TRAIL, {**batch_key(ref), **values, "details": details or {}})


def append_failure(
    connection: Connection, ref: BatchRef, *, at: datetime, who: str, error: str, run_id: str, attempt: str
) -> None:
    """Note that a delivery of a batch broke."""
    append_entry(connection, ref, at=at, what=FAILED, who=who, why=error, run_id=run_id, attempt=attempt)


def entries(connection: Connection, ref: BatchRef | None, limit: int | None) -> tuple[TrailEntry, ...]:
    """What happened to a batch, or to all; oldest first; with a limit, only the newest."""
    query = select(TRAIL).order_by(TRAIL.c.id.desc()).limit(limit)
    if ref is not None:
        query = query.where(is_batch(TRAIL, ref))
    return tuple(_entry(row) for row in reversed(connection.execute(query).all()))


def entries_of(connection: Connection, refs: Collection[BatchRef]) -> Mapping[BatchRef, Sequence[TrailEntry]]:
    """What happened to each of some batches, oldest first; of those alone to which something did."""
    found: dict[BatchRef, list[TrailEntry]] = {}
    for condition in among_batches(TRAIL, refs):
        for row in connection.execute(select(TRAIL).where(condition).order_by(TRAIL.c.id)):
            found.setdefault(batch_of(row), []).append(_entry(row))
    return found


def entries_after(connection: Connection, after: int, limit: int) -> tuple[TrailEntry, ...]:
    """The entries that follow one, oldest first. One writer appends at a time: none comes later with a lower number."""
    query = select(TRAIL).where(TRAIL.c.id > after).order_by(TRAIL.c.id).limit(limit)
    return tuple(map(_entry, connection.execute(query)))


def tables_after(connection: Connection, after: int) -> frozenset[TableId]:
    """The tables to whose batches something happened after an entry."""
    return frozenset(map(table_of, connection.execute(select(TRAIL.c.table_name).distinct().where(TRAIL.c.id > after))))


def last_erasures(connection: Connection) -> Mapping[BatchRef, int]:
    """The number of the newest entry by which rows of persons were taken out of a batch."""
    query = select(TRAIL.c.table_name, TRAIL.c.batch, func.max(TRAIL.c.id).label("newest"))
    query = query.where(TRAIL.c.what == ERASED).group_by(TRAIL.c.table_name, TRAIL.c.batch)
    return {batch_of(row): int(row.newest) for row in connection.execute(query)}


def has_failure(connection: Connection, ref: BatchRef, *, run_id: str) -> bool:
    """Whether it is noted that a run broke at a batch."""
    known = select(TRAIL.c.id).where(is_batch(TRAIL, ref), TRAIL.c.run_id == run_id, TRAIL.c.what == FAILED)
    return connection.execute(known).first() is not None


def recorded_attempts(connection: Connection, table: TableId, batch: str | None) -> Mapping[str, frozenset[str]]:
    """The deliveries that came to their end, by batch."""
    query = select(TRAIL.c.batch, TRAIL.c.attempt).where(is_table(TRAIL, table), _ENDED)
    if batch is not None:
        query = query.where(TRAIL.c.batch == batch)
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.batch, set()).add(row.attempt)
    return {key: frozenset(attempts) for key, attempts in found.items()}


def publications(connection: Connection, tables: Collection[TableId] | None) -> Mapping[TableId, Sequence[Publication]]:
    """The batches published and not withdrawn since, by table."""
    gone = func.max(case((TRAIL.c.what.in_(WITHDRAWN), TRAIL.c.id), else_=0))
    shown = func.max(case((TRAIL.c.what.in_(VISIBLE), TRAIL.c.id), else_=0))
    first = func.min(case((TRAIL.c.what.in_(VISIBLE), TRAIL.c.at)))
    last = func.max(case((TRAIL.c.what.in_(VISIBLE), TRAIL.c.at)))
    key = (TRAIL.c.table_name, TRAIL.c.batch)
    same = (TRAIL.c.table_name == BATCHES.c.table_name) & (TRAIL.c.batch == BATCHES.c.batch)
    query = (
        select(*key, first.label("first_at"), last.label("last_at"), BATCHES.c.newest_event_at)
        .join(BATCHES, same)
        .group_by(*key, BATCHES.c.newest_event_at)
        .having(shown > gone)
    )
    if tables is not None:
        query = query.where(in_tables(TRAIL, tables))
    found: dict[str, list[Publication]] = {}
    for table, batch, first_at, last_at, newest_event in connection.execute(query).tuples():
        publication = Publication(batch=batch, first_at=first_at, last_at=last_at, newest_event=newest_event)
        found.setdefault(table, []).append(publication)
    return {TableId.parse(table): some for table, some in found.items()}


def last_failures(connection: Connection, tables: Collection[TableId]) -> tuple[TrailEntry, ...]:
    """The newest entry of each batch of which the last delivery broke."""
    return _newest(connection, tables, among=TRAIL.c.attempt.is_not(None), only=TRAIL.c.what == FAILED)


def last_verdicts(connection: Connection, tables: Collection[TableId]) -> tuple[TrailEntry, ...]:
    """The entry of the last delivery of each batch that came to its end."""
    return _newest(connection, tables, among=_ENDED, only=_ENDED)


def _newest(
    connection: Connection, tables: Collection[TableId], *, among: ColumnElement[bool], only: ColumnElement[bool]
) -> tuple[TrailEntry, ...]:
    """The newest entry of each batch among some, where it is one of those wanted."""
    newest = select(func.max(TRAIL.c.id)).where(in_tables(TRAIL, tables), among)
    newest = newest.group_by(TRAIL.c.table_name, TRAIL.c.batch)
    query = select(TRAIL).where(TRAIL.c.id.in_(newest), only).order_by(TRAIL.c.id)
    return tuple(map(_entry, connection.execute(query)))


def _entry(row: Any) -> TrailEntry:
    return TrailEntry(
        id=row.id,
        ref=batch_of(row),
        at=row.at,
        what=row.what,
        who=row.who,
        why=row.why,
        run_id=row.run_id,
        attempt=row.attempt,
        details=row.details,
    )
