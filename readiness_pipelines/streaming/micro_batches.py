"""Spark Structured Streaming into the same tables by the same protocol: each of its micro-batches is a slice.

Executors write the rows into files that no snapshot names; the driver commits them to raw, together with the position:
how many rows there are so far, and the micro-batch's number in the slice's id. Spark gives a micro-batch again whose
end it has not noted: raw has it then, and it is finished from there, not written twice.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow as pa

from readiness_pipelines.columns import RAW_COLUMNS
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.errors import DeclarationError, LedgerError, ReadinessError, StreamError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged, stored_columns
from readiness_pipelines.sources import Topic
from readiness_pipelines.sources.message_values import json_values
from readiness_pipelines.sources.messages import TopicMessage, row_number
from readiness_pipelines.streaming.marks import landing, positions
from readiness_pipelines.streaming.messages import Bounds
from readiness_pipelines.streaming.monitor import Progress
from readiness_pipelines.streaming.points import Point, Step
from readiness_pipelines.streaming.reading import BEATS_EVERY, TRIES, ShardProcess
from readiness_pipelines.streaming.shards import Shard
from readiness_pipelines.streaming.slices import Slice, WindowClosed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PARTITION = 0
"""All rows are of one partition: Spark numbers its micro-batches, and they come one after the other."""

_MOST_ROWS = 1 << 44


class _NoMessages:
    """The source of a process to which rows are brought."""

    def __init__(self, query: str) -> None:
        self.topic_id = query

    def partitions(self) -> Collection[int]:
        return (_PARTITION,)

    def bounds(self, partition: int) -> Bounds:  # noqa: ARG002  # as a MessageSource has it
        return Bounds(0, _MOST_ROWS)

    def begin(self, positions: Mapping[int, int], marks: Mapping[int, str]) -> None:
        """Nothing is pulled."""

    def idle_marks(self, *, due: bool) -> Mapping[int, str]:  # noqa: ARG002  # as above
        """Rows are counted: there are no marks."""
        return {}

    def take(self, most: int, seconds: float) -> Sequence[TopicMessage]:  # noqa: ARG002  # as above
        return ()

    def acknowledge(self, positions: Mapping[int, int]) -> None:
        """Spark notes by itself which micro-batch has ended."""

    def close(self) -> None:
        """Nothing is open."""


class MicroBatches:
    """What ``writeStream.foreachBatch`` calls: brings each micro-batch into a table, once.

    The table is declared with the `Topic` that Spark reads. All of the query's columns arrive as text, as in a file;
    the gate reads them. One query writes a table; it is known by its checkpoint, and another one is refused.

    Args:
        table: The table.
        installation: Where the tables and the ledger are. Its warehouse is a place that all executors see.
        run: Who, and when.
        step: Called at each point of the protocol, before the next one.

    Raises:
        DeclarationError: The table is not fed by a topic, has a rule about late rows, or pauses.

    Example:
        rows = messages.selectExpr("from_json(CAST(value AS STRING), …) AS v").select("v.*")
        rows.writeStream.foreachBatch(MicroBatches(payments, installation=installation)).option(…).start()
    """

    def __init__(
        self,
        table: GatedTable,
        *,
        installation: Installation,
        run: Run | None = None,
        step: Step = lambda _: None,
    ) -> None:
        if not isinstance(table.source.reader, Topic):
            raise DeclarationError(
                f"{table.id} is not fed by a topic but by {table.source.reader.describe()}",
                way_out="declare Source(…, reader=Topic(…)), the topic that Spark reads",
            )
        if gate_of(table).lateness is not None:  # Spark's rows come without the watermark they arrived at
            raise DeclarationError(
                f"{table.id} has a rule about late rows, which Spark's micro-batches cannot follow",
                way_out="let `readiness stream` read the topic, or declare the table without Late(…)",
            )
        if table.source.reader.on_hold == "pause":  # Spark would go on asking, and a query that waits cannot be stopped
            raise DeclarationError(
                f"the stream of {table.id} pauses while a batch is held, which Spark's micro-batches cannot do",
                way_out='let `readiness stream` read the topic, or declare it with on_hold="continue"',
            )
        self._table, self._topic = table, table.source.reader
        self._installation, self._run, self._step = installation, run or Run(), step
        self._process: _Process | None = None
        self._lock = Lock()

    def __call__(self, rows: "DataFrame", batch_id: int) -> None:
        """Bring one micro-batch into the tables. Doing it twice equals doing it once.

        Raises:
            StreamFencedError: Another process has taken over.
            TopicReplacedError: It is of another query than those before: one with another checkpoint.
            StreamError: A micro-batch came after later ones.
            DeclarationError: A column holds bytes.
            LedgerBusyError: Another process brings micro-batches.
            LakehouseError: A table cannot be read or written.
        """
        from readiness_pipelines.engines.spark.streaming import query_of  # noqa: PLC0415  # an extra

        with self._lock, handling_rows(self._table):
            try:
                if self._process is None:
                    self._process = self._started(query_of(rows))
                    self._process.start()
                self._process.bring(rows, batch_id)
            except BaseException as raised:
                self._end(str(raised) if isinstance(raised, ReadinessError) else type(raised).__name__)
                raise

    def close(self) -> None:
        """Give the table back when the query has ended; another process may have it a minute later in any case."""
        with self._lock:
            self._end("")

    def _end(self, error: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.give_back(error)

    def _started(self, query: str) -> "_Process":
        return _Process(
            table=self._table,
            # Rows are counted, and not offsets of Kafka's: `readiness stream` must not go on from there.
            topic=self._topic.model_copy(update={"topic": f"{self._topic.topic} (by Spark)"}),
            decode=json_values,  # which Spark has done
            shard=Shard(),
            source=_NoMessages(query),
            installation=self._installation,
            run=self._run,
            stop=lambda: False,
            progress=Progress(str(self._table.id), str(Shard())),
            each_beat=lambda: None,
            step=self._step,
        )


@dataclass(slots=True, kw_only=True)
class _Process(ShardProcess):
    def start(self) -> None:
        """Take the table over, and finish what was begun."""
        self.take_shard()
        self._begin("")

    def give_back(self, error: str) -> None:
        """Say in the ledger that nobody brings rows any more, and why."""
        with suppress(LedgerError):
            self.installation.ledger.streams.end(
                self.table.id, str(self.shard), epoch=self.epoch, at=self.run.clock(), error=error
            )

    def bring(self, rows: "DataFrame", batch_id: int) -> None:
        """Land a micro-batch in raw if it is not there, and finish it."""
        position = positions(self.installation.lakehouse.properties(self.table.id.raw))[_PARTITION]
        last = int(position.slice.rpartition("_")[2]) if position.slice else -1
        window = self.table.batches.window(position.window)
        if last > batch_id:
            raise StreamError(
                f"micro-batch {batch_id} of {self.table.id} came after {last}: the query began anew",
                way_out="start it with its own checkpoint; a query that begins anew belongs to another table",
            )
        if last == batch_id and window is not None:
            ranges = {_PARTITION: (position.start, position.end)}
            there = Slice(id=position.slice, window=window.batch, window_end=window.end.isoformat(), ranges=ranges)
            self._finish(there, None)
        else:
            self.step(Point.TAKEN)
            landed = self._landed(rows, batch_id, position.end)
            if landed is not None:
                slice_, staged = landed
                self._count(slice_, self._finish(slice_, staged), 0.0)
        if self.beat_at is None or self.run.clock() - self.beat_at >= BEATS_EVERY:
            self._beat()

    def _landed(self, rows: "DataFrame", batch_id: int, start: int) -> tuple[Slice, Staged] | None:
        """Let the executors write the rows, and commit them to raw with the position; ``None`` where there are none."""
        from readiness_pipelines.engines.spark.streaming import arrow_text, text_columns, write_slice  # noqa: PLC0415

        lakehouse, raw = self.installation.lakehouse, self.table.id.raw
        texts = text_columns(rows)
        for _ in range(TRIES):
            window = self._window(self.run.clock())
            columns = stored_columns(arrow_text(texts), lakehouse.schema(raw))
            schema = pa.schema([*(column.field for column in columns), *RAW_COLUMNS])
            area, files, count = write_slice(
                texts,
                file=self.topic.stream_name,
                window=window.batch,
                number=lambda place: row_number(_PARTITION, start + place),
                area=lambda _: lakehouse.staging_area(raw, batch=window.batch, schema=schema),  # noqa: B023  # called now
            )
            if not count:
                return None
            ranges = {_PARTITION: (start, start + count)}
            id_ = f"{uuid4().hex}_{batch_id}"
            slice_ = Slice(id=id_, window=window.batch, window_end=window.end.isoformat(), ranges=ranges)
            self._keep_open(slice_.window)
            staged = lakehouse.accept(area, files)
            self.step(Point.STAGED)
            try:
                lakehouse.append(raw, staged, properties=self._facts(slice_), marks=landing(slice_, epoch=self.epoch))
            except WindowClosed:
                lakehouse.forget(staged)
                self.open_until = max(self.open_until, slice_.window_end)
                continue
            self.at = {_PARTITION: start + count}
            self.progress.records += count
            self.progress.window = slice_.window
            self.step(Point.LANDED)
            return slice_, staged
        raise StreamError(f"no window of {self.table.id} is open", way_out="check the clocks of all machines")

    def _lag(self) -> int | None:
        """Spark says it."""
        return None
