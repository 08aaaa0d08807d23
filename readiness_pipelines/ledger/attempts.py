"""Attempts: the deliveries that began, and how they ended."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import CommitConflictError, LedgerError
from readiness_pipelines.ledger.keys import batch_key, batch_of, in_tables, is_batch, is_table
from readiness_pipelines.ledger.records import Attempt
from readiness_pipelines.ledger.tables import ATTEMPTS, STARTED_RUNS
from readiness_pipelines.names import TableId

SUPERSEDED = "superseded by another delivery of the batch"
_LOOKED_AT = 50


def begin_attempt(connection: Connection, attempt: Attempt) -> None:
    """Note that a delivery begins; it supersedes what is open of the batch."""
    supersede_open(connection, attempt.ref, at=attempt.begun_at)
    values = {"run_id": attempt.run_id, "who": attempt.who, "begun_at": attempt.begun_at}
    connection.execute(insert(ATTEMPTS).values(attempt=attempt.attempt, **batch_key(attempt.ref), **values))


def supersede_open(connection: Connection, ref: BatchRef, *, at: datetime) -> None:
    """End what is open of a batch: whoever began it must not go on."""
    still_open = is_batch(ATTEMPTS, ref) & ATTEMPTS.c.ended_at.is_(None)
    connection.execute(update(ATTEMPTS).where(still_open).values(ended_at=at, outcome=SUPERSEDED))


def check_not_superseded(connection: Connection, ref: BatchRef, attempt: str) -> None:
    """Refuse to go on with a delivery that another one has superseded.

    Raises:
        CommitConflictError: Another delivery of the batch has begun.
    """
    outcome = connection.execute(select(ATTEMPTS.c.outcome).where(ATTEMPTS.c.attempt == attempt)).scalar_one_or_none()
    if outcome == SUPERSEDED:
        raise CommitConflictError(
            f"another delivery of {ref} began meanwhile, and takes precedence", way_out="when it has ended, run again"
        )


def end_attempt(connection: Connection, attempt: str, *, at: datetime, outcome: str) -> Row[Any]:
    """Note that a delivery ended; returns its row.

    Raises:
        LedgerError: It never began.
    """
    begun = connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.attempt == attempt)).one_or_none()
    if begun is None:
        raise LedgerError(f"attempt {attempt} was never begun", way_out="begin an attempt before it is recorded")
    connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.attempt == attempt).values(ended_at=at, outcome=outcome))
    return begun


def open_attempts(
    connection: Connection, *, tables: Collection[TableId] | None = None, run_id: str | None = None
) -> tuple[Attempt, ...]:
    """The deliveries that began and did not end, oldest first."""
    query = select(ATTEMPTS).where(ATTEMPTS.c.ended_at.is_(None)).order_by(ATTEMPTS.c.begun_at)
    if tables is not None:
        query = query.where(in_tables(ATTEMPTS, tables))
    if run_id is not None:
        query = query.where(ATTEMPTS.c.run_id == run_id)
    return tuple(
        Attempt(attempt=row.attempt, ref=batch_of(row), run_id=row.run_id, who=row.who, begun_at=row.begun_at)
        for row in connection.execute(query)
    )


def usual_seconds(connection: Connection, tables: Collection[TableId]) -> Mapping[TableId, float]:
    """How long a delivery of each of some tables took, as the median of the newest that ended with a verdict."""
    found = {}
    for table in tables:
        ended = is_table(ATTEMPTS, table) & ATTEMPTS.c.outcome.in_([state.value for state in BatchState])
        query = select(ATTEMPTS.c.begun_at, ATTEMPTS.c.ended_at).where(ended).order_by(ATTEMPTS.c.ended_at.desc())
        seconds = [(row.ended_at - row.begun_at).total_seconds() for row in connection.execute(query.limit(_LOOKED_AT))]
        if seconds:
            found[table] = sorted(seconds)[len(seconds) // 2]
    return found


def prune_attempts(connection: Connection, *, before: datetime) -> int:
    """Forget the attempts that ended before a time; how many."""
    gone = int(connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.ended_at < before)).rowcount)
    connection.execute(delete(STARTED_RUNS).where(STARTED_RUNS.c.attempt.not_in(select(ATTEMPTS.c.attempt))))
    return gone
