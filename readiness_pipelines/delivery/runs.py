"""Who runs a step, and when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one or more steps.

    Attributes:
        run_id: The orchestrator's id of it, or one of its own.
        who: The person or service it runs for.
        clock: Tells the time.
    """

    run_id: str = field(default_factory=lambda: uuid4().hex)
    who: str = "system"
    clock: Callable[[], datetime] = utc_now
