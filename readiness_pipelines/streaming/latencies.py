"""How long messages took from being sent to published."""

import math
import time
from collections import Counter
from collections.abc import Iterable

from readiness_pipelines.sources.messages import TopicMessage

_BINS_PER_E = 50
"""Bins are 2 % wide, so quantiles are exact to that, and there are a thousand for milliseconds up to days."""

_RECENT_SECONDS = 30.0


class Latencies:
    """Counts of latencies: over all messages, and over those of the last half minute to minute.

    Attributes:
        count: Messages.
        seconds: Of all of them together.
    """

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self._all: Counter[int] = Counter()
        self._before: Counter[int] = Counter()
        self._now: Counter[int] = Counter()
        self._turned_at = time.monotonic()

    def add(self, now_ms: float, messages: Iterable[TopicMessage]) -> None:
        """Count messages that are published now; those that do not say when they were sent are left out."""
        waits = [max(now_ms - one.sent_ms, 1.0) for one in messages if one.sent_ms is not None]
        bins = Counter(int(math.log(wait) * _BINS_PER_E) for wait in waits)
        self.count += len(waits)
        self.seconds += sum(waits) / 1_000
        self._turn()
        self._all += bins
        self._now += bins

    def quantile(self, share: float) -> float | None:
        """So many seconds were enough for this share of all messages; ``None`` before the first."""
        return _quantile(self._all, share)

    def recent_quantile(self, share: float) -> float | None:
        """The same for messages of the last half minute to minute."""
        self._turn()
        return _quantile(self._before + self._now, share)

    def _turn(self) -> None:
        since = time.monotonic() - self._turned_at
        if since >= _RECENT_SECONDS:
            self._before = self._now if since < 2 * _RECENT_SECONDS else Counter()
            self._now = Counter()
            self._turned_at = time.monotonic()


def _quantile(bins: Counter[int], share: float) -> float | None:
    wanted = share * bins.total()
    for one in sorted(bins):
        wanted -= bins[one]
        if wanted <= 0:
            return math.exp((one + 1) / _BINS_PER_E) / 1_000
    return None
