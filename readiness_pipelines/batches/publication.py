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
        later. What has no window may be delivered again and again with newer events: it ends with the last one, and an
        event after that, which cannot have happened, is as old as the batch.
        """
        if self.newest_event is None:
            return None
        if window is not None:
            return min(self.newest_event, max(self.first_at, window.end))
        return self.newest_event if self.newest_event <= (self.last_at or self.first_at) else self.first_at
