"""The process that reads a shard: takes messages, lands them in raw with the position, and finishes each slice.

Raw is the boundary: what its commit says has been read is read, and from there all else follows. A process that was
killed is followed by one that takes the partitions over (so that the other cannot write any more, should it live),
finishes the last slices from raw, and reads on from where raw stands.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState, Counts, Window
from readiness_pipelines.columns import RAW_COLUMNS, WATERMARK
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import gate_of, store_of
from readiness_pipelines.delivery.attempts import home_of
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.delivery.rolling import early_hold
from readiness_pipelines.errors import (
    CommitConflictError,
    DeclarationError,
    EngineError,
    LedgerError,
    ReadinessError,
    RegistryError,
    SlotLostError,
    StreamError,
    StreamFencedError,
    StreamGapError,
    UpstreamNotPublishedError,
)
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged, stored_columns
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId
from readiness_pipelines.sources import StreamReader, Topic
from readiness_pipelines.sources.message_values import MessageDecoder, decoder_of
from readiness_pipelines.sources.messages import DecodedMessages, TopicMessage, decode_messages
from readiness_pipelines.streaming.finishing import Finished, finish_slice
from readiness_pipelines.streaming.holding import held_back
from readiness_pipelines.streaming.kafka import gap
from readiness_pipelines.streaming.marks import (
    Position,
    following,
    landing,
    positions,
    replaced_topic,
    resting,
    taking,
    watermark_of,
)
from readiness_pipelines.streaming.messages import MessageSource
from readiness_pipelines.streaming.monitor import Progress
from readiness_pipelines.streaming.points import Point, Step
from readiness_pipelines.streaming.shards import Shard
from readiness_pipelines.streaming.slices import Slice, WindowClosed, ranges_of

BEATS_EVERY = timedelta(seconds=10)
SILENT_AFTER = timedelta(seconds=60)
"""A process of which nothing was heard for so long has lost its shard, and is an incident."""

PARTITIONS_EVERY_SECONDS = 60.0
IDLE_AFTER = timedelta(minutes=1)
"""A partition without messages for so long holds no watermark back."""

TAKES_SECONDS = 0.2
LOOKS_SECONDS = 1.0
"""So often a stream that is paused looks whether what it waits for was decided."""

RESTS_EVERY_SECONDS = 60.0
TRIES = 5
REGISTRY_WAITS_SECONDS = (1.0, 30.0)
"""How long until a schema registry that did not answer is tried again, at first and at most."""


class _Stopped(Exception):  # noqa: N818  # it says what is so, and is never shown
    """Somebody wants the process to stop while it waits."""


def read_shard(
    table: GatedTable,
    shard: Shard,
    *,
    source: MessageSource,
    installation: Installation,
    run: Run,
    stop: Callable[[], bool],
    progress: Progress | None = None,
    each_beat: Callable[[], None] = lambda: None,
    each_slice: Callable[[], None] = lambda: None,
    step: Step = lambda _: None,
    skip_gap: str = "",
) -> Progress:
    """Read a shard of a table's topic until somebody wants it to stop; the slice that was begun is finished.

    Args:
        table: A table that is fed by a topic.
        shard: The shard.
        source: Its messages.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        stop: Whether to stop; asked several times a second.
        progress: Kept up to date while it reads.
        each_beat: Called every few seconds.
        each_slice: Called when a slice is finished.
        step: Called at each point of the protocol, before the next one.
        skip_gap: Why messages that are gone are passed over; "" refuses to.

    Returns:
        How far it came.

    Raises:
        StreamFencedError: Another process has taken over.
        StreamGapError: Messages are gone that were not read.
        TopicReplacedError: The topic was made anew.
        StreamError: The topic cannot be read.
        LedgerBusyError: Another process reads the shard.
        LakehouseError: A table cannot be read or written.
    """
    reader = table.source.reader
    if not isinstance(reader, StreamReader):
        raise DeclarationError(
            f"{table.id} is not fed by a topic but by {reader.describe()}",
            way_out="declare Source(…, reader=Topic(…)), or: readiness run",
        )
    process = ShardProcess(
        table=table,
        topic=reader,
        decode=decoder_of(reader, installation.connection),
        shard=shard,
        source=source,
        installation=installation,
        run=run,
        stop=stop,
        progress=progress or Progress(str(table.id), str(shard)),
        each_beat=each_beat,
        each_slice=each_slice,
        step=step,
    )
    with handling_rows(table):
        process.run_until_stopped(skip_gap)
    return process.progress


@dataclass(slots=True, kw_only=True)
class ShardProcess:
    """What one process knows of the shard it reads, and what it does; see `read_shard`."""

    table: GatedTable
    topic: StreamReader
    decode: MessageDecoder
    shard: Shard
    source: MessageSource
    installation: Installation
    run: Run
    stop: Callable[[], bool]
    progress: Progress
    each_beat: Callable[[], None]
    step: Step
    each_slice: Callable[[], None] = lambda: None
    epoch: int = 0
    at: dict[int, int] = field(default_factory=dict)
    """The offset of the next message, by partition."""
    marks: dict[int, str] = field(default_factory=dict)
    """Where the source goes on, by partition, for one that does not know by the offset."""
    open_until: str = ""
    """Windows that end up to this time are known to be closed."""
    opened: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    newest: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)
    """The newest event time by partition, for freshness, and when the partition last had a message."""
    marking: dict[int, datetime] = field(default_factory=dict)
    """The newest event time by partition, by the column that tells late rows."""
    beat_at: datetime | None = None
    listed_at: float = 0.0
    rested_at: float = field(default_factory=time.monotonic)

    def take_shard(self) -> None:
        """Take the shard in the ledger, for an epoch of its own."""
        ledger, now = self.installation.ledger, self.run.clock()
        holder = f"{self.run.who} on {platform.node()}, process {os.getpid()}, run {self.run.run_id[:12]}"[:200]
        ledger.claim(self.table.id, home_of(self.table), at=now)
        self.epoch = ledger.streams.begin(
            self.table.id, str(self.shard), holder=holder, at=now, silent_after=SILENT_AFTER
        )

    def run_until_stopped(self, skip_gap: str) -> None:
        """Take the shard, read it, and give it back."""
        self.take_shard()
        ledger = self.installation.ledger
        error = ""
        try:
            self._read_on(skip_gap)
            self._beat()
        except BaseException as raised:
            error = str(raised) if isinstance(raised, ReadinessError) else type(raised).__name__
            raise
        finally:
            with suppress(LedgerError):
                ledger.streams.end(self.table.id, str(self.shard), epoch=self.epoch, at=self.run.clock(), error=error)
            self.source.close()

    def _read_on(self, skip_gap: str) -> None:
        try:
            self._begin(skip_gap)
            with suppress(_Stopped):
                while not self.stop():
                    self._turn()
        except SlotLostError:
            self._beat()  # whoever has taken the shard over moves the slot: then that is what is to be said
            raise

    def _begin(self, skip_gap: str) -> None:
        lakehouse = self.installation.lakehouse
        lakehouse.ensure(self.table.id.raw, RAW_COLUMNS)
        lakehouse.ensure(self.table.id.quarantine, RAW_COLUMNS)
        lakehouse.ensure(store_of(self.table), gate_of(self.table).schema)
        self._take_partitions(self._mine(), skip_gap)
        self._beat()

    def _mine(self) -> tuple[int, ...]:
        self.listed_at = time.monotonic()
        return tuple(partition for partition in self.source.partitions() if self.shard.has(partition))

    def _take_partitions(self, partitions: Sequence[int], skip_gap: str) -> None:
        """Take partitions over, finish what was begun of them, and read on from where they stand."""
        lakehouse, raw = self.installation.lakehouse, self.table.id.raw
        bounds = {partition: self.source.bounds(partition) for partition in partitions}
        begins = {p: one.first if _from_first(self.topic) else one.end for p, one in bounds.items()}
        topic_id = self.source.topic_id
        properties = {"readiness.run": self.run.run_id, "readiness.attempt": uuid4().hex}
        marks = taking(begins, epoch=self.epoch, topic=self.topic.stream_name, topic_id=topic_id)
        lakehouse.append(raw, None, properties=properties, marks=marks)
        for store in (self.table.id.quarantine, store_of(self.table)):
            # Those who read the partitions before may still be about to write there.
            lakehouse.append(store, None, properties=properties, marks=following(partitions, epoch=self.epoch))
        found = positions(lakehouse.properties(raw))
        for partition in partitions:
            position, there = found[partition].end, bounds[partition]
            if not topic_id and there.end < position:
                raise replaced_topic(self.topic.stream_name, partition, position, there.end)
            if there.first > position:
                position = self._over_gap(partition, position, skip_gap)
            self.at[partition] = position
            self.marks[partition] = found[partition].mark
        self._recover(found, partitions)
        self._begin_source(skip_gap)

    def _begin_source(self, reason: str) -> None:
        """Let the source go on; over what is gone or was changed, where somebody says so: the trail keeps who."""
        while True:
            try:
                return self.source.begin(self.at, self.marks)
            except StreamGapError as error:
                if not (reason and error.goes_on):
                    raise
                (partition,) = self.at
                self._land_marks({partition: error.goes_on})
                self.marks[partition] = error.goes_on
                window = self._window(self.run.clock()).batch
                self.installation.ledger.streams.announce(
                    BatchRef(self.table.id.raw, window),
                    what="passed over a gap",
                    who=self.run.who,
                    why=reason,
                    at=self.run.clock(),
                    details={"partition": partition, "gap": error.what},
                )

    def _over_gap(self, partition: int, position: int, reason: str) -> int:
        """Go on after messages that are gone, where somebody says so; the trail keeps who, and how many."""
        bounds = self.source.bounds(partition)
        error = gap(self.topic.stream_name, partition, position, bounds)
        if not reason:
            raise error
        slice_ = self._slice({partition: (position, bounds.first)}, self._window(self.run.clock()))
        properties = {"readiness.run": self.run.run_id, "readiness.attempt": slice_.id}
        self.installation.lakehouse.append(
            self.table.id.raw, None, properties=properties, marks=landing(slice_, epoch=self.epoch)
        )
        self.installation.ledger.streams.announce(
            BatchRef(self.table.id.raw, slice_.window),
            what="passed over a gap",
            who=self.run.who,
            why=reason,
            at=self.run.clock(),
            details={"partition": partition, "first": position, "messages": bounds.first - position},
        )
        return bounds.first

    def _recover(self, found: Mapping[int, Position], partitions: Sequence[int]) -> None:
        """Finish what partitions have of their last slices, which whoever read them before may not have finished."""
        for partition in partitions:
            position = found[partition]
            window = self.table.batches.window(position.window)
            if position.slice and window is not None:
                ranges = {partition: (position.start, position.end)}
                end = window.end.isoformat()
                slice_ = Slice(id=position.slice, window=window.batch, window_end=end, ranges=ranges)
                self._learn_newest(slice_, self._finish(slice_, None))

    def _turn(self) -> None:
        """Take and finish one slice, if there is any; beat from time to time."""
        self._wait_for_decision()
        messages, received_at = self._collect()
        if messages:
            began = time.monotonic()
            self.step(Point.TAKEN)
            slice_, staged = self._land(messages, received_at)
            finished = self._finish(slice_, staged)
            self.source.acknowledge({partition: self.at[partition] for partition in slice_.ranges})
            self.step(Point.ACKNOWLEDGED)
            self._count(slice_, finished, time.monotonic() - began)
            if finished is not None:
                self.progress.latencies.add(time.time() * 1_000, messages)
            self.each_slice()
        else:
            self._rest()
        if self.beat_at is None or self.run.clock() - self.beat_at >= BEATS_EVERY:
            self._beat()
        if time.monotonic() - self.listed_at >= PARTITIONS_EVERY_SECONDS:
            added = [partition for partition in self._mine() if partition not in self.at]
            if added:
                self._take_partitions(added, "")

    def _wait_for_decision(self) -> None:
        """Take no message while a batch waits for a decision, where the stream is declared to pause for it."""
        if self.topic.on_hold == "continue":
            return
        while why := held_back(self.table, self.installation):
            new = why != self.progress.paused
            self.progress.pause(why, self.run.clock())
            if new:
                early = early_hold(self.table, self.installation)
                if early is not None:
                    self._note(early.window)  # whoever seals it looks for the reason there
                self._beat()
            self._pause(LOOKS_SECONDS)
        if self.progress.paused:
            self.progress.pause("", self.run.clock())
            self._beat()

    def _rest(self) -> None:
        """Land where a source goes on that had no message: its database need not keep what is before."""
        due = time.monotonic() - self.rested_at >= RESTS_EVERY_SECONDS
        if due:
            self.rested_at = time.monotonic()
        marks = self.source.idle_marks(due=due)
        if marks:
            self._land_marks(marks)
            self.source.acknowledge({partition: self.at[partition] for partition in marks})

    def _land_marks(self, marks: Mapping[int, str]) -> None:
        properties = {"readiness.run": self.run.run_id, "readiness.attempt": uuid4().hex}
        raw = self.table.id.raw
        self.installation.lakehouse.append(raw, None, properties=properties, marks=resting(marks, epoch=self.epoch))

    def _collect(self) -> tuple[list[TopicMessage], datetime]:
        """Messages until the slice is full, old enough, or its window ends; and when the first one came."""
        found: list[TopicMessage] = []
        size, received_at = 0, self.run.clock()
        closes_at, ends_at = 0.0, received_at
        while not self.stop():
            self.progress.looked_at = self.run.clock()
            taken = self.source.take(self.topic.slice_records - len(found), TAKES_SECONDS)
            now = self.run.clock()
            fresh = [message for message in taken if message.offset >= self.at[message.partition]]
            if fresh and not found:
                received_at, ends_at = now, self._window(now).end
                closes_at = time.monotonic() + self.topic.slice_every.total_seconds()
            found += fresh
            size += sum(len(message.value or b"") for message in fresh)
            full = len(found) >= self.topic.slice_records or size >= self.topic.slice_bytes
            if not found or full or now >= ends_at or time.monotonic() >= closes_at:
                break
        found.sort(key=lambda message: message[:2])
        return found, received_at

    def _window(self, at: datetime) -> Window:
        """The window that a moment lies in, or the first one after it that is not known to be closed."""
        batches = self.table.batches
        key = batches.key_at(at)
        window = batches.window(key) if key is not None else None
        first = batches.first_start()
        while window is not None and window.end.isoformat() <= self.open_until:
            key = batches.key_at(window.end)
            window = batches.window(key) if key is not None else None
        if window is None or first is None or not batches.has(window.batch):
            raise StreamError(
                f"no batch of {self.table.id} is for what arrives at {at.isoformat()}",
                way_out="declare batches that have begun and go on",
            )
        return window

    def _slice(
        self, ranges: Mapping[int, tuple[int, int]], window: Window, marks: Mapping[int, str] | None = None
    ) -> Slice:
        end = window.end.isoformat()
        return Slice(id=uuid4().hex, window=window.batch, window_end=end, ranges=ranges, marks=marks or {})

    def _land(self, messages: Sequence[TopicMessage], received_at: datetime) -> tuple[Slice, Staged]:
        """Commit messages to raw, together with the position."""
        lakehouse, raw = self.installation.lakehouse, self.table.id.raw
        ranges = ranges_of(messages, self.at)
        places = {message.partition: message.mark for message in messages}
        for left in reversed(range(TRIES)):
            known = lakehouse.schema(raw)
            decoded = self._decoded(messages, known.names)
            slice_ = self._slice(ranges, self._window(received_at), places)
            self._keep_open(slice_.window)
            times = dict(self.marking)
            watermark = self._watermark(received_at, times)
            staged = self._staged(decoded, slice_, known, watermark)
            self.step(Point.STAGED)
            marks = landing(slice_, epoch=self.epoch, at=received_at, newest=times, watermark=watermark)
            try:
                lakehouse.append(raw, staged, properties=self._facts(slice_), marks=marks)
            except WindowClosed:
                lakehouse.forget(staged)
                self.open_until = max(self.open_until, slice_.window_end)
            except CommitConflictError:
                lakehouse.forget(staged)
                if not left:
                    raise
            else:
                self.at |= {partition: end for partition, (_, end) in ranges.items()}
                self.progress.records += len(messages)
                self.progress.unreadable += decoded.unreadable
                self.progress.window = slice_.window
                self.step(Point.LANDED)
                return slice_, staged
        raise StreamError(f"no window of {self.table.id} is open", way_out="check the clocks of all machines")

    def _decoded(self, messages: Sequence[TopicMessage], known: Sequence[str]) -> DecodedMessages:
        """Decode messages; while their schemas cannot be had, wait: no message is passed over, and lag grows."""
        wait = REGISTRY_WAITS_SECONDS[0]
        while True:
            try:
                decoded = decode_messages(
                    messages,
                    topic=self.topic.stream_name,
                    known=known,
                    limits=self.installation.limits,
                    decode=self.decode,
                )
            except RegistryError as error:
                self.progress.pause(str(error), self.run.clock())
                self._pause(wait)
                wait = min(2 * wait, REGISTRY_WAITS_SECONDS[1])
            else:
                self.progress.pause("", self.run.clock())
                return decoded

    def _pause(self, seconds: float) -> None:
        """Wait, and beat meanwhile; end where somebody wants it to stop: what was taken is taken again."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.stop():
                raise _Stopped
            self.progress.looked_at = self.run.clock()
            if self.beat_at is None or self.run.clock() - self.beat_at >= BEATS_EVERY:
                self._beat()
            time.sleep(min(TAKES_SECONDS, seconds))

    def _watermark(self, at: datetime, newest: Mapping[int, datetime]) -> datetime | None:
        """The watermark that rows arrive at; ``None`` where late rows are not told, or nobody knows it yet."""
        late = gate_of(self.table).lateness
        if late is None:
            return None
        properties = self.installation.lakehouse.properties(self.table.id.raw)
        return watermark_of(properties, at=at, idle_after=late.idle_time, newest=newest)

    def _staged(self, decoded: DecodedMessages, slice_: Slice, known: pa.Schema, watermark: datetime | None) -> Staged:
        columns = stored_columns(pa.schema([(name, pa.string()) for name in decoded.names]), known)
        schema = pa.schema([*(column.field for column in columns), *RAW_COLUMNS])
        rows = decoded.of_batch(slice_.window)
        if gate_of(self.table).lateness is not None:
            # Kept with each row: whoever judges it later says the same of it.
            field = pa.field(WATERMARK, pa.timestamp("us", "UTC"))
            table = rows.read_all()
            table = table.append_column(field, pa.repeat(pa.scalar(watermark, field.type), table.num_rows))
            rows, schema = table.to_reader(), schema.append(field)
        return self.installation.lakehouse.stage(self.table.id.raw, rows, batch=slice_.window, schema=schema)

    def _facts(self, slice_: Slice) -> dict[str, str]:
        offsets = ", ".join(f"{p}: {start}-{end}" for p, (start, end) in slice_.ranges.items())
        return {
            "readiness.table": str(self.table.id.raw),
            "readiness.run": self.run.run_id,
            "readiness.attempt": slice_.id,
            "readiness.stream.shard": str(self.shard),
            "readiness.stream.epoch": str(self.epoch),
            "readiness.stream.offsets": offsets,
        }

    def _finish(self, slice_: Slice, staged: Staged | None) -> Finished | None:
        """Judge and publish a slice; one that cannot be judged by itself waits in raw for the seal of its window."""
        for left in reversed(range(TRIES)):
            try:
                return finish_slice(
                    self.table,
                    slice_,
                    epoch=self.epoch,
                    installation=self.installation,
                    run=self.run,
                    staged=staged,
                    step=self.step,
                )
            except (DeclarationError, EngineError, UpstreamNotPublishedError) as error:
                self._tell_unjudged(slice_, error)
                return None
            except ReadinessError as error:
                if isinstance(error, StreamFencedError) or not error.retryable or not left:
                    raise
                staged = None  # what a try has committed is looked for
                time.sleep(0.2 * 2 ** (TRIES - left))
        raise AssertionError("each try ends")

    def _tell_unjudged(self, slice_: Slice, error: ReadinessError) -> None:
        self.progress.unjudged += 1
        if slice_.window not in self.told:
            self.told.add(slice_.window)
            self.installation.ledger.streams.announce(
                BatchRef(self.table.id, slice_.window),
                what="waits for the seal",
                who=self.run.who,
                why=str(error),
                at=self.run.clock(),
                details={"slice": slice_.id},
            )

    def _count(self, slice_: Slice, finished: Finished | None, seconds: float) -> None:
        progress, now = self.progress, self.run.clock()
        progress.slices += 1
        progress.slice_seconds += seconds
        progress.last_slice_seconds = seconds
        if finished is not None:
            progress.published += finished.published
            progress.quarantined += finished.quarantined
        self._learn_newest(slice_, finished)
        active = [at for at, seen in self.newest.values() if now - seen <= IDLE_AFTER]
        progress.watermark = min(active) if active else progress.watermark

    def _learn_newest(self, slice_: Slice, finished: Finished | None) -> None:
        now = self.run.clock()
        for partition in slice_.ranges:
            newest = (finished.newest if finished else {}).get(partition)
            before = self.newest.get(partition)
            known = [one for one in (newest, before[0] if before else None) if one is not None]
            if known:
                self.newest[partition] = (max(known), now)
            marked = finished.marking.get(partition) if finished else None
            if marked is not None:
                self.marking[partition] = max(marked, self.marking.get(partition, marked))

    def _keep_open(self, window: str) -> None:
        """Say in the ledger that a window is open, before anything is added to it."""
        if window not in self.opened:
            for before in (*self.opened, window):
                self._note(before)
            self.opened = {window}

    def _note(self, window: str) -> None:
        """Note how many rows an open window has."""
        lakehouse, now = self.installation.lakehouse, self.run.clock()

        def rows(store: TableId) -> int:
            return sum(file.rows for file in lakehouse.files(store, batch=window)) if lakehouse.exists(store) else 0

        published, waiting = rows(store_of(self.table)), rows(self.table.id.quarantine)
        counts = Counts(ingested=published + waiting, published=published, quarantined=waiting)
        early = early_hold(self.table, self.installation)
        reason = early.why if early is not None and early.window == window else None
        both = {self.table.id.raw: Counts(ingested=rows(self.table.id.raw)), self.table.id: counts}
        records = [
            BatchRecord(
                ref=BatchRef(ident, window),
                state=BatchState.OPEN,
                counts=count,
                run_id=self.run.run_id,
                reason=reason,
                updated_at=now,
                newest_event_at=self.progress.watermark if ident == self.table.id else None,
            )
            for ident, count in both.items()
        ]
        self.installation.ledger.streams.keep_open(records, who=self.run.who)

    def _beat(self) -> None:
        self.beat_at = self.run.clock()
        self.progress.lag = self._lag()
        self.installation.ledger.streams.beat(
            self.table.id,
            str(self.shard),
            epoch=self.epoch,
            at=self.beat_at,
            window=self.progress.window,
            positions=self.at,
            records=self.progress.records,
            lag=self.progress.lag,
            watermark=self.progress.watermark,
            paused_since=self.progress.paused_since,
            paused=self.progress.paused,
        )
        for window in self.opened:
            self._note(window)
        self.each_beat()

    def _lag(self) -> int | None:
        """Messages that are there and not in raw; ``None`` where nobody can say.

        Raises:
            StreamGapError: While it is paused, messages are gone that it has not read: no decision brings them back.
        """
        paused = bool(self.progress.paused)
        if paused and not isinstance(self.topic, Topic):
            return None  # a database counts what it has sent, and while it is paused nothing is taken
        try:
            bounds = {partition: self.source.bounds(partition) for partition in self.at}
        except StreamError:
            return None
        for partition, there in bounds.items():
            if paused and there.first > self.at[partition]:
                raise gap(self.topic.stream_name, partition, self.at[partition], there)
        return sum(max(there.end - self.at[partition], 0) for partition, there in bounds.items())


def _from_first(reader: StreamReader) -> bool:
    """Whether a partition that was never read is read from its first message."""
    return reader.begins == "first" if isinstance(reader, Topic) else True
