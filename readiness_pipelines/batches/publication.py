"""A batch that consumers see."""

from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.batches.kinds import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A batch that consumers see.

    Attributes:
        batch: The batch.
        first_at: When it was published for the first time, in UTC; a replay does not change it.
        newest_event: The newest event time inside, in UTC; ``None`` where it is not known.
        last_at: When it was published for the last time, in UTC; ``None`` where that is not known.
    """

    batch: str
    first_at: datetime
    newest_event: datetime | None = None
    last_at: datetime | None = None

    def newest_possible_event(self, window: Window | None) -> datetime | None:
        """The newest event, as far as it can have happened: the clock of a sender may be ahead.

        No event is newer than its batch: than the end of its window, or than the first publication where that came
        later. What has no window may be delivered again and again with newer events: it ends with the last one.
        """
        if self.newest_event is None:
            return None
        bound = max(self.first_at, window.end) if window else (self.last_at or self.first_at)
        return min(self.newest_event, bound)
