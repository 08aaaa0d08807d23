"""Requests to replay a batch, for whoever runs it: a sensor, or the command line."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.ledger.keys import batch_key, batch_of, in_tables, new_number
from readiness_pipelines.ledger.tables import REQUESTS
from readiness_pipelines.names import TableId


class RequestState(StrEnum):
    """``OPEN``: nobody runs it yet. ``STARTED``: a run does. ``DONE``: it gave a verdict. ``FAILED``: it broke."""

    OPEN = "open"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """Someone asks for a batch to be replayed.

    Attributes:
        id: Grows with time.
        ref: The batch of the table to start from.
        at: When it was asked for, in UTC.
        who: The person.
        why: The reason.
        state: How far it is.
        run_id: The run that carries it out; ``None`` before.
        outcome: What became of it, for people; ``None`` before.
    """

    id: int
    ref: BatchRef
    at: datetime
    who: str
    why: str
    state: RequestState
    run_id: str | None
    outcome: str | None


def add_request(connection: Connection, ref: BatchRef, *, who: str, why: str, at: datetime) -> ReplayRequest:
    """Keep a new request."""
    values = {"at": at, "who": who, "why": why, "state": RequestState.OPEN.value}
    number = new_number(connection.execute(insert(REQUESTS).values(**batch_key(ref), **values)))
    return ReplayRequest(
        id=number, ref=ref, at=at, who=who, why=why, state=RequestState.OPEN, run_id=None, outcome=None
    )


def replay_requests(
    connection: Connection, tables: Collection[TableId] | None, state: RequestState | None
) -> tuple[ReplayRequest, ...]:
    """The requests of some tables and a state, oldest first."""
    query = select(REQUESTS).order_by(REQUESTS.c.id)
    if tables is not None:
        query = query.where(in_tables(REQUESTS, tables))
    if state is not None:
        query = query.where(REQUESTS.c.state == state.value)
    return tuple(map(_request, connection.execute(query)))


def replay_request(connection: Connection, request: int) -> ReplayRequest | None:
    """A request by its number."""
    row = connection.execute(select(REQUESTS).where(REQUESTS.c.id == request)).one_or_none()
    return None if row is None else _request(row)


def claim_request(connection: Connection, request: int) -> bool:
    """Move a request from open to started; whether it was open."""
    free = update(REQUESTS).where(REQUESTS.c.id == request, REQUESTS.c.state == RequestState.OPEN.value)
    return connection.execute(free.values(state=RequestState.STARTED.value)).rowcount == 1


def move_request(
    connection: Connection, request: int, *, state: RequestState, run_id: str | None, outcome: str | None
) -> None:
    """Note how far a request is."""
    values = {"state": state.value, "run_id": run_id, "outcome": outcome}
    connection.execute(update(REQUESTS).where(REQUESTS.c.id == request).values(**values))


def _request(row: Any) -> ReplayRequest:
    return ReplayRequest(
        id=row.id,
        ref=batch_of(row),
        at=row.at,
        who=row.who,
        why=row.why,
        state=RequestState(row.state),
        run_id=row.run_id,
        outcome=row.outcome,
    )
