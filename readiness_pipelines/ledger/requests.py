"""Requests to replay a batch, for whoever runs it: a sensor, or the command line."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readiness_pipelines.ledger.records import BatchRef


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
