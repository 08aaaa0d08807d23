"""What Iceberg tables say of a stream, as table properties that are set in the same commit as the rows.

The raw table has the position of each partition: in which epoch it is written, from where to where the last slice
went, that slice's id, and its window. The tables after it have, for each partition, the epoch and the id of the last
slice whose rows they hold. Snapshots expire, and these stay.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from readiness_pipelines.delivery import CLOSED
from readiness_pipelines.errors import StreamFencedError, TopicReplacedError
from readiness_pipelines.lakehouse import Marks
from readiness_pipelines.streaming.messages import Bounds
from readiness_pipelines.streaming.slices import SettledSlice, Slice, WindowClosed

_PARTITION = "readiness.stream.partition."
_SLICE = "readiness.stream.slice."
_WATERMARK = "readiness.stream.watermark"
_TOPIC = "readiness.stream.topic"
_WAY_OUT = "nothing is to be done: the other process goes on; where this one should, end the other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a partition stands.

    Attributes:
        epoch: The epoch of the process that may go on from here; it grows.
        start: Where the last slice began.
        end: The offset of the next message.
        slice: The last slice's id; "" before the first.
        window: The batch that it was added to.
        mark: Where its source goes on, for one that does not know by the offset.
        newest: The newest published event time before it; "" where nobody knows.
        heard_at: When it was added, as text; "" before the first.
    """

    epoch: int
    start: int
    end: int
    slice: str = ""
    window: str = ""
    mark: str = ""
    newest: str = ""
    heard_at: str = ""


def position_of(properties: Mapping[str, str], partition: int) -> Position | None:
    """The position of a partition, by the raw table's properties; ``None`` where nothing of it was read."""
    text = properties.get(f"{_PARTITION}{partition}")
    return Position(**json.loads(text)) if text else None


def positions(properties: Mapping[str, str]) -> Mapping[int, Position]:
    """The positions of all partitions, by the raw table's properties."""
    return {
        int(name.removeprefix(_PARTITION)): Position(**json.loads(text))
        for name, text in properties.items()
        if name.startswith(_PARTITION)
    }


def _written(partition: int, position: Position) -> tuple[str, str]:
    return f"{_PARTITION}{partition}", json.dumps(asdict(position))


def taking(
    bounds: Mapping[int, Bounds], *, from_first: bool, partitions: int, epoch: int, topic: str, topic_id: str
) -> Marks:
    """Take partitions over: whoever has written them so far cannot go on.

    A partition of which nothing was read begins at its end where the stream begins with what comes from now on; but one
    that was added to the topic since the stream began is read from its first message. So the first process that reads
    a topic notes how many partitions it has: they are numbered one after the other.

    Args:
        bounds: The partitions, each with what it has.
        from_first: Whether partitions of which nothing was read begin at their first message.
        partitions: How many the topic has now, those of other shards included.
        epoch: The epoch from now on.
        topic: The topic.
        topic_id: The brokers' id of it; "" where they give none.
    """

    def marks(properties: Mapping[str, str]) -> Mapping[str, str]:
        check_topic(properties, topic, topic_id)
        known = _partitions_at_begin(properties) or partitions
        note = {"name": topic, "id": topic_id or _known_topic(properties)[1], "partitions": known}
        found: dict[str, str] = {_TOPIC: json.dumps(note)}
        for partition, there in bounds.items():
            begin = there.first if from_first or partition >= known else there.end
            before = position_of(properties, partition) or Position(epoch=0, start=begin, end=begin)
            if before.epoch > epoch:
                raise _fenced(partition, f"it is in epoch {before.epoch}, and this process is in {epoch}")
            found |= dict([_written(partition, replace(before, epoch=epoch))])
        return found

    return marks


def _partitions_at_begin(properties: Mapping[str, str]) -> int:
    """How many partitions a topic had when its stream began; 0 before that."""
    noted: int = json.loads(properties.get(_TOPIC, "{}")).get("partitions", 0)
    # Older versions did not note it: what they have read was there.
    return noted or max(positions(properties), default=-1) + 1


def watermark_of(
    properties: Mapping[str, str], *, at: datetime, idle_after: timedelta, newest: Mapping[int, datetime]
) -> datetime | None:
    """The time up to which events have arrived, by the raw table's properties, of whichever process reads partitions.

    It is the least of the newest event times over the partitions that are not idle, and never goes back.

    Args:
        properties: The raw table's properties.
        at: When.
        idle_after: A partition without a message for so long holds nothing back.
        newest: The newest event times that were published since, by partition.
    """
    active: list[datetime] = []
    for partition, one in positions(properties).items():
        times = [*([datetime.fromisoformat(one.newest)] if one.newest else []), *_if_there(newest.get(partition))]
        if times and one.heard_at and at - datetime.fromisoformat(one.heard_at) <= idle_after:
            active.append(max(times))
    before = [datetime.fromisoformat(properties[_WATERMARK])] if _WATERMARK in properties else []
    return max([*before, *([min(active)] if active else [])], default=None)


def _if_there(at: datetime | None) -> tuple[datetime, ...]:
    return () if at is None else (at,)


def _text(at: datetime) -> str:
    """A time as text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def landing(
    slice_: Slice,
    *,
    epoch: int,
    at: datetime | None = None,
    newest: Mapping[int, datetime] | None = None,
    watermark: datetime | None = None,
) -> Marks:
    """Move positions over a slice, if they stand where it begins, in this process's epoch, and its window is open.

    Args:
        slice_: The slice.
        epoch: The process's epoch.
        at: When its messages came; ``None`` where it has none.
        newest: The newest event times that were published of the partitions before, as far as they are known.
        watermark: The one that its rows are judged by; ``None`` where nobody knows.
    """
    heard_at, times = at.isoformat() if at else "", newest or {}

    def marks(properties: Mapping[str, str]) -> Mapping[str, str]:
        if properties.get(CLOSED, "") >= slice_.window_end:
            raise WindowClosed
        found: dict[str, str] = {}
        for partition, (start, end) in slice_.ranges.items():
            before = position_of(properties, partition)
            if before is None or before.epoch != epoch:
                raise _fenced(partition, f"it is not in epoch {epoch} any more")
            if before.end != start:
                raise _fenced(partition, f"it stands at {before.end}, and the slice begins at {start}")
            mark = slice_.marks.get(partition, before.mark)
            known = max(before.newest, _text(times[partition]) if partition in times else "")
            after = Position(
                epoch=epoch,
                start=start,
                end=end,
                slice=slice_.id,
                mark=mark,
                window=slice_.window,
                newest=known,
                heard_at=heard_at or before.heard_at,
            )
            found |= dict([_written(partition, after)])
        if watermark is not None:
            found[_WATERMARK] = max(_text(watermark), properties.get(_WATERMARK, ""))
        return found

    return marks


def resting(marks: Mapping[int, str], *, epoch: int) -> Marks:
    """Say where sources go on of which no message came, if this process still reads their partitions."""
    return _changing({partition: {"mark": mark} for partition, mark in marks.items()}, epoch=epoch)


def passing_over(ends: Mapping[int, int], *, epoch: int) -> Marks:
    """Move positions over offsets that are no messages, if this process still reads their partitions.

    They are added to the last slice, which has the same rows with them.
    """
    return _changing({partition: {"end": end} for partition, end in ends.items()}, epoch=epoch)


def _changing(changes: Mapping[int, Mapping[str, Any]], *, epoch: int) -> Marks:
    def found_marks(properties: Mapping[str, str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for partition, change in changes.items():
            before = position_of(properties, partition)
            if before is None or before.epoch != epoch:
                raise _fenced(partition, f"it is not in epoch {epoch} any more")
            found |= dict([_written(partition, replace(before, **change))])
        return found

    return found_marks


def following(partitions: Collection[int], *, epoch: int) -> Marks:
    """Take partitions over in a table after raw, as `taking` does there."""

    def marks(properties: Mapping[str, str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for partition in partitions:
            before, slice_id = _settled(properties, partition)
            if before > epoch:
                raise _fenced(partition, f"it is in epoch {before}, and this process is in {epoch}")
            found[f"{_SLICE}{partition}"] = json.dumps([epoch, slice_id])
        return found

    return marks


def settling(slice_: Slice, *, epoch: int, before: bool, also: Mapping[str, str] | None = None) -> Marks:
    """Say that a table after raw holds a slice's rows, in this process's epoch.

    Args:
        slice_: The slice.
        epoch: The process's epoch.
        before: Whether the table held rows of it when it was looked at, so that only the others are added.
        also: What else is said in the same commit.
    """

    def marks(properties: Mapping[str, str]) -> Mapping[str, str]:
        if properties.get(CLOSED, "") >= slice_.window_end:
            raise SettledSlice
        for partition in slice_.ranges:
            found = _settled(properties, partition)[0]
            if found != epoch:
                raise _fenced(partition, f"it is in epoch {found}, and this process is in {epoch}")
        if is_settled(properties, slice_) and not before:
            raise SettledSlice
        return {
            **{f"{_SLICE}{partition}": json.dumps([epoch, slice_.id]) for partition in slice_.ranges},
            **(also or {}),
        }

    return marks


def is_settled(properties: Mapping[str, str], slice_: Slice) -> bool:
    """Whether a table after raw says that it holds a slice's rows."""
    return all(_settled(properties, partition)[1] == slice_.id for partition in slice_.ranges)


def _settled(properties: Mapping[str, str], partition: int) -> tuple[int, str]:
    """The epoch in which a partition is written in a table after raw, and the last slice whose rows it holds."""
    epoch, slice_id = json.loads(properties.get(f"{_SLICE}{partition}", '[0, ""]'))
    return int(epoch), str(slice_id)


def check_topic(properties: Mapping[str, str], topic: str, topic_id: str) -> None:
    """Refuse positions of another topic.

    Raises:
        TopicReplacedError: The raw table has positions of a topic of another name or id.
    """
    name, known = _known_topic(properties)
    if name and name != topic:
        raise _replaced(f"the positions in the raw table are of the topic {name}, not of {topic}")
    if known and topic_id and known != topic_id:
        raise _replaced(f"the topic {topic} was made anew: its id is {topic_id}, and was {known}")


def _known_topic(properties: Mapping[str, str]) -> tuple[str, str]:
    said = json.loads(properties.get(_TOPIC, "{}"))
    return said.get("name", ""), said.get("id", "")


def _replaced(what: str) -> TopicReplacedError:
    return TopicReplacedError(
        what, way_out="declare another table for the new topic: its offsets begin anew, and rows are numbered by them"
    )


def replaced_topic(topic: str, partition: int, position: int, end: int) -> TopicReplacedError:
    """The error of a partition that ends before its position."""
    return _replaced(f"partition {partition} of {topic} ends at {end}, before its position {position}")


def _fenced(partition: int, why: str) -> StreamFencedError:
    return StreamFencedError(f"another process reads partition {partition} now: {why}", way_out=_WAY_OUT)
