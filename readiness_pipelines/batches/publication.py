"""A batch that consumers see."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A batch that consumers see.

    Attributes:
        batch: The batch.
        first_at: When it was published for the first time, in UTC; a replay does not change it.
        newest_event: The newest event time inside, in UTC; ``None`` where it is not known.
    """

    batch: str
    first_at: datetime
    newest_event: datetime | None = None
