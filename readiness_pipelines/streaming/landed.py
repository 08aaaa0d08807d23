"""Rows of a table that another engine lands, as messages of one partition; offsets count them.

The mark beside the position says after which snapshot it goes on, and how many rows of the next one were taken: files
of a snapshot are read in the order of their names, so that the same row has the same offset, whoever reads it.
"""

import json
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import pyarrow as pa

from readiness_pipelines.errors import LakehouseError, LandedChangedError, StreamGapError
from readiness_pipelines.lakehouse import LandedSnapshot, LandedSnapshots, SnapshotFiles
from readiness_pipelines.sources import LandedTable
from readiness_pipelines.sources.messages import TopicMessage
from readiness_pipelines.sources.unify import as_text
from readiness_pipelines.streaming.messages import Bounds

_COMES_BACK_WITHIN_SECONDS = 120.0
_BETWEEN_SECONDS = 0.05
_ROWS_AT_ONCE = 10_000
_NEVER = 0
"""No snapshot: none has this id."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where it goes on.

    Attributes:
        after: The last snapshot of which all rows were taken.
        sequence: Its number.
        total: How many rows the table had then, as it said itself.
        now: The snapshot of which some rows were taken.
        taken: How many.
        whole: Whether it is read as a whole, as the first one is.
    """

    after: int = _NEVER
    sequence: int = 0
    total: int | None = None
    now: int = _NEVER
    taken: int = 0
    whole: bool = False

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))

    def done(self, snapshot: LandedSnapshot) -> "_Mark":
        return _Mark(after=snapshot.id, sequence=snapshot.sequence, total=snapshot.total)


@dataclass(slots=True)
class _UnderWay:
    """A snapshot whose rows are being taken."""

    snapshot: LandedSnapshot
    rows: int
    values: Iterator[bytes]


@dataclass(slots=True)
class LandedMessages:
    """What a landed table's snapshots add, in one partition.

    Args:
        reader: The declaration.
        landed: The table.
    """

    reader: LandedTable
    landed: LandedSnapshots
    _mark: _Mark = field(default=_Mark(), repr=False)
    _kept: str = ""
    """The mark that raw has."""
    _next: int = 0
    _acknowledged: int = 0
    _queue: deque[LandedSnapshot] = field(default_factory=deque, repr=False)
    _under_way: _UnderWay | None = field(default=None, repr=False)
    _looked_at: float | None = None
    _gone_at: float | None = None

    @property
    def topic_id(self) -> str:
        """The table's own id: one that was made anew has another."""
        return str(self.landed.uuid)

    def partitions(self) -> Collection[int]:
        """One.

        Raises:
            StreamError: There is no such table.
            LakehouseError: The catalog does not answer.
        """
        self.landed.look()
        return (0,)

    def bounds(self, partition: int) -> Bounds:  # noqa: ARG002  # there is one
        """How many rows were taken, and how many more wait in the snapshots that are known."""
        waiting = sum(snapshot.added for snapshot in self._queue)
        if self._under_way is not None:
            waiting += self._under_way.rows - self._mark.taken
        return Bounds(0, self._next + waiting)

    def begin(self, positions: Mapping[int, int], marks: Mapping[int, str]) -> None:
        """Go on after what was landed.

        Raises:
            StreamGapError: Snapshots that follow are not there any more.
            LandedChangedError: What follows changed rows of before.
            LakehouseError: The table cannot be read.
        """
        self._next = self._acknowledged = positions[0]
        self._kept = marks.get(0, "")
        self._mark = _Mark(**json.loads(self._kept)) if self._kept else _Mark()
        self._under_way = None
        self._look()
        self._advance()

    def take(self, most: int, seconds: float) -> Sequence[TopicMessage]:
        """The next rows, in the order of their snapshots.

        Raises:
            StreamGapError: Snapshots that follow are not there any more.
            LandedChangedError: What follows changed rows of before.
            LakehouseError: The table cannot be read, for two minutes.
        """
        until = time.monotonic() + max(seconds, 0)
        while True:
            found = self._tried(most)
            left = until - time.monotonic()
            if found or left <= 0:
                return found
            time.sleep(min(_BETWEEN_SECONDS, left))

    def acknowledge(self, positions: Mapping[int, int]) -> None:
        """Rows up to there are in the tables: nothing is to be said to the other engine."""
        self._acknowledged = max(self._acknowledged, positions.get(0, 0))

    def idle_marks(self, *, due: bool) -> Mapping[int, str]:
        """Where it goes on, when snapshots without a row were passed: those before may expire."""
        mark = self._mark.text
        if not due or mark == self._kept or self._next > self._acknowledged:
            return {}
        self._kept = mark
        return {0: mark}

    def close(self) -> None:
        """Stop."""
        self._under_way = None

    def _tried(self, most: int) -> list[TopicMessage]:
        """The next rows; none while the catalog or the files do not answer."""
        try:
            found = self._rows(most)
        except LakehouseError:
            # A file may have expired since it was listed: what is there is looked at anew, after the last row taken.
            self._begin_anew()
            now = time.monotonic()
            self._gone_at = self._gone_at if self._gone_at is not None else now
            if now - self._gone_at > _COMES_BACK_WITHIN_SECONDS:
                raise
            return []
        self._gone_at = None
        return found

    def _begin_anew(self) -> None:
        self._under_way, self._looked_at = None, None
        self._queue.clear()

    def _rows(self, most: int) -> list[TopicMessage]:
        found: list[TopicMessage] = []
        size = 0
        while len(found) < most and size < self.reader.slice_bytes and self._goes_on(taken=bool(found)):
            under_way = self._under_way
            assert under_way is not None  # noqa: S101  # it has advanced
            sent_ms, mark = under_way.snapshot.committed_ms, self._mark
            try:
                for value in under_way.values:
                    mark = replace(mark, taken=mark.taken + 1)
                    found.append(TopicMessage(0, self._next, None, value, sent_ms=sent_ms, mark=mark.text))
                    self._next += 1
                    size += len(value)
                    if len(found) >= most or size >= self.reader.slice_bytes:
                        break
            except LakehouseError:
                if not found:
                    raise
                self._begin_anew()
                size = self.reader.slice_bytes  # what was taken of it is landed first
            self._mark = mark
            if mark.taken >= under_way.rows:
                self._under_way, self._mark = None, mark.done(under_way.snapshot)
                if found:
                    found[-1] = found[-1]._replace(mark=self._mark.text)
        if found:
            self._kept = self._mark.text
        return found

    def _goes_on(self, *, taken: bool) -> bool:
        """Whether there are more rows; what was taken before a catalog did not answer is landed first."""
        try:
            return self._advance()
        except LakehouseError:
            if not taken:
                raise
            self._begin_anew()
            return False

    def _advance(self) -> bool:
        """Begin with the next snapshot that has rows; whether there is one."""
        while self._under_way is None:
            if not self._queue and not self._is_due():
                return False
            try:
                if not self._queue:
                    self._look()
                if not self._queue:
                    return False
                files = self._files(self._queue[0])
            except StreamGapError:
                if self._next > self._acknowledged:
                    return False  # what was taken before is brought into the tables first
                raise
            snapshot = self._queue.popleft()
            if not files.files:
                self._mark = self._mark.done(snapshot)
                continue
            if self._mark.now != snapshot.id:
                self._mark = replace(self._mark, now=snapshot.id, taken=0)
            values = self._values(snapshot, files, self._mark.taken)
            self._under_way = _UnderWay(snapshot, files.rows, values)
        return True

    def _is_due(self) -> bool:
        every = self.reader.slice_every.total_seconds()
        return self._looked_at is None or time.monotonic() - self._looked_at >= every

    def _look(self) -> None:
        """Queue the snapshots that follow the mark.

        Raises:
            StreamGapError: Some are not there any more.
            LandedChangedError: The table was rolled back.
        """
        self._queue.clear()
        self.landed.look()
        self._looked_at = time.monotonic()
        current, mark = self.landed.current, self._mark
        if current is None:
            return
        if mark.after == _NEVER and mark.now == _NEVER:
            self._mark = _Mark(now=current.id, whole=True)
            self._queue.append(current)
            return
        last = mark.now or mark.after
        if mark.now != _NEVER and (under_way := self.landed.snapshot(mark.now)) is not None:
            self._queue.append(under_way)
        if current.id != last:
            self._queue.extend(self._following(last, current))

    def _following(self, last: int, current: LandedSnapshot) -> Sequence[LandedSnapshot]:
        """The snapshots that follow one, from old to new, where none is missing between them."""
        mark, found = self._mark, self.landed.after(last)
        there = self.landed.snapshot(last) is not None
        if found[0].parent == last and (there or mark.now == _NEVER):
            return found
        newer = [snapshot for snapshot in found if snapshot.sequence > mark.sequence]
        if there or not newer or (newer[0].parent is not None and self.landed.snapshot(newer[0].parent) is not None):
            raise self._changed(last, current)
        # Where the one before has expired, some engines forget whose parent it was.
        if newer[0].parent is None and newer[0].sequence == mark.sequence + 1 and mark.now == _NEVER:
            return newer
        raise self._gap(last, found[0] if found[0].parent == last else newer[0])

    def _files(self, snapshot: LandedSnapshot) -> SnapshotFiles:
        whole = self._mark.whole and self._mark.now == snapshot.id
        files = self.landed.files(snapshot.id, whole=whole)
        if not files.changes:
            return files
        name = self.reader.describe()
        if whole:
            raise LandedChangedError(
                f"{name} has rows that were deleted without writing its files anew (merge on read): {files.changes}",
                way_out="let its engine compact it (rewrite_data_files), then start the stream again; "
                "to go on with what comes after it: readiness stream --skip-gap --reason …",
                goes_on=_Mark().done(snapshot).text,
            )
        raise LandedChangedError(
            f"snapshot {snapshot.id} of {name} changes or deletes rows that are in the tables already: {files.changes}",
            way_out="land changes as rows of their own; what this snapshot did is put right by hand (replay, "
            "readiness erase), and to go on after it, without its rows: readiness stream --skip-gap --reason …; "
            "or declare another table: it begins with all rows",
            goes_on=self._mark.done(snapshot).text,
        )

    def _changed(self, last: int, current: LandedSnapshot) -> LandedChangedError:
        return LandedChangedError(
            f"{self.reader.describe()} was rolled back, or written anew: snapshot {last}, whose rows are in the "
            f"tables, is not among those that led to snapshot {current.id}",
            way_out="declare another table: it begins with all rows; or go on after what is there now: "
            "readiness stream --skip-gap --reason …",
            goes_on=self._mark.done(current).text,
        )

    def _gap(self, last: int, oldest: LandedSnapshot) -> StreamGapError:
        mark = self._mark
        before = None if oldest.total is None else oldest.total - oldest.added
        sizes = [
            *([f"{oldest.sequence - mark.sequence - 1:,} snapshots"] if oldest.sequence and mark.sequence else []),
            *([f"{before - mark.total - mark.taken:,} rows"] if before is not None and mark.total is not None else []),
        ]
        return StreamGapError(
            f"snapshots of {self.reader.describe()} after {mark.after or last} expired before they were read: "
            f"{' and '.join(sizes) or 'nobody knows how many rows'} are not taken",
            way_out="bring them from elsewhere, and let snapshots live longer than the stream may stand still; "
            "to go on without them, after that: readiness stream --skip-gap --reason …",
            goes_on=_Mark(after=oldest.parent or last, sequence=max(oldest.sequence - 1, 0), total=before).text,
        )

    def _values(self, snapshot: LandedSnapshot, files: SnapshotFiles, skipped: int) -> Iterator[bytes]:
        """A snapshot's rows as JSON objects of text, after so many."""
        for file in files.files:
            if skipped >= file.record_count:
                skipped -= file.record_count
                continue
            for batch in self.landed.rows(snapshot.id, file):
                if skipped >= batch.num_rows:
                    skipped -= batch.num_rows
                    continue
                rest, skipped = batch.slice(skipped), 0
                for first in range(0, rest.num_rows, _ROWS_AT_ONCE):
                    yield from _objects(rest.slice(first, _ROWS_AT_ONCE))


def _objects(batch: pa.RecordBatch) -> Iterator[bytes]:
    names = batch.schema.names
    texts = [as_text(pa.chunked_array([column])).to_pylist() for column in batch.columns]
    for row in zip(*texts, strict=True):
        yield json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False).encode()
