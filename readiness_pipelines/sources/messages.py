"""Messages of a topic as raw rows: text as text, and what cannot be decoded as a row that says why."""

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.columns import OFFSET_BITS, RAW_COLUMNS, RAW_NAMES, RESERVED_COLUMNS
from readiness_pipelines.errors import StreamError
from readiness_pipelines.limits import Limits
from readiness_pipelines.sources.flat_json import FlatObjects
from readiness_pipelines.sources.json_values import records_table, storable
from readiness_pipelines.sources.layout import MOST_NAME, NUL
from readiness_pipelines.sources.message_values import MessageDecoder, json_values
from readiness_pipelines.sources.unreadable import UnreadableError

_MOST_PARTITIONS = 1 << (63 - OFFSET_BITS)


class TopicMessage(NamedTuple):
    """One message: where it is in the topic, what it holds, and when it was sent, in milliseconds since 1970."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    sent_ms: int | None = None
    mark: str = ""
    """Where its source goes on after it, for one that does not know by the offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedMessages:
    """Messages as raw rows, without their batch.

    Attributes:
        names: The source's columns, all text.
        table: One row a message: the columns, then ``_row``, ``_file``, ``_unreadable`` and its reason.
        unreadable: How many could not be decoded.
    """

    names: tuple[str, ...]
    table: pa.Table
    unreadable: int

    def of_batch(self, batch: str) -> pa.RecordBatchReader:
        """The rows as raw has them, of a batch."""
        rows = self.table.append_column("_batch", pa.repeat(pa.scalar(batch, pa.string()), self.table.num_rows))
        columns = pa.schema([*((name, pa.string()) for name in self.names), *RAW_COLUMNS])
        return pa.RecordBatchReader.from_batches(columns, rows.select(columns.names).cast(columns).to_batches())


def row_number(partition: int, offset: int) -> int:
    """The number of a message's row: the same whenever, and by whomever, it is read.

    Raises:
        StreamError: A partition or offset that no number is left for.
    """
    if not (0 <= partition < _MOST_PARTITIONS and 0 <= offset < 1 << OFFSET_BITS):
        raise StreamError(f"no row number is left for offset {offset} of partition {partition}")
    return partition << OFFSET_BITS | offset


def place_of(row: int) -> tuple[int, int]:
    """The partition and the offset that a row's number names."""
    return row >> OFFSET_BITS, row & ((1 << OFFSET_BITS) - 1)


def decode_messages(
    messages: Sequence[TopicMessage],
    *,
    topic: str,
    known: Collection[str],
    limits: Limits,
    decode: MessageDecoder = json_values,
) -> DecodedMessages:
    """Decode messages. None is left out.

    Args:
        messages: The messages.
        topic: The topic, for ``_file``.
        known: The columns that the raw table has.
        limits: How deep values may nest, and how many columns there may be.
        decode: Gives a message's values.

    Raises:
        RegistryError: The schemas of messages cannot be had now.
    """
    spelled = {name.lower(): name for name in known if name not in RAW_NAMES}
    records: list[dict[str, Any] | None] = []
    texts: list[str | None] = []
    reasons: list[str | None] = []
    names: dict[str, None] = {}
    flat = FlatObjects()
    others: list[int] = []
    for place, message in enumerate(messages):
        if decode is json_values and flat.take(place, message.value):
            continue
        others.append(place)
        values: dict[str, Any] | None
        try:
            values = decode(message.key, message.value, spelled, limits)
            reason = _refused_keys(values, spelled, limits)
        except UnreadableError as error:
            values, reason = None, str(error)
        if reason is None and values is not None:
            spelled |= {name.lower(): name for name in values}
            names.update(dict.fromkeys(values))
            flat.learn(values)
            records.append(values)
            texts.append(None)
        else:
            records.append(None)
            texts.append(_as_it_came(message))
        reasons.append(reason)
    files = {partition: f"{topic}/{partition}" for partition in {message.partition for message in messages}}
    parts = [
        ([*records_table(records, tuple(names)), pa.array(texts, pa.string()), pa.array(reasons, pa.string())], others)
    ]
    for places, columns in flat.tables(tuple(names)):
        nothing = pa.nulls(len(places), pa.string())
        parts.append(([*columns, nothing, nothing], places))
    columns = _in_order(parts)
    table = pa.table(
        [
            *columns[:-2],
            pa.array([row_number(message.partition, message.offset) for message in messages], pa.int64()),
            pa.array([files[message.partition] for message in messages], pa.string()),
            *columns[-2:],
        ],
        names=[*names, "_row", "_file", "_unreadable", "_unreadable_reason"],
    )
    return DecodedMessages(names=tuple(names), table=table, unreadable=sum(text is not None for text in texts))


def _in_order(parts: Sequence[tuple[Sequence[pa.Array], Sequence[int]]]) -> list[pa.ChunkedArray]:
    """Columns of all parts together, whose rows are put where they were among all messages."""
    order = pa.array([place for _, places in parts for place in places], pa.int64())
    by_place = pc.array_sort_indices(order)
    chunked = [pa.chunked_array(columns, pa.string()) for columns in zip(*(one for one, _ in parts), strict=True)]
    return [column.take(by_place) for column in chunked]


def _refused_keys(values: Mapping[str, Any], spelled: Mapping[str, str], limits: Limits) -> str | None:
    """Why a message's keys cannot be columns; ``None`` where they can."""
    if not values:
        return None
    lower = [name.lower() for name in values]
    if len(set(lower)) < len(lower):
        return "two of its keys differ in letter case only"
    for name, folded in zip(values, lower, strict=True):
        if not name or len(name) > MOST_NAME or NUL in name:
            return f"its key {name[:80]!r} cannot be a column's name"
        if folded in RESERVED_COLUMNS:
            return f"its key {name!r} is the name of a column that the framework adds itself"
        if spelled.get(folded, name) != name:
            return f"its key {name!r} differs from the column {spelled[folded]!r} in letter case only"
    if len({*spelled, *lower}) > limits.most_columns:
        return f"with its keys there would be more than {limits.most_columns:,} columns"
    return None


def _as_it_came(message: TopicMessage) -> str:
    """All that a message has, as JSON; bytes that are not text in base64."""
    headers = [[name, _text(value)] for name, value in message.headers]
    return json.dumps({"key": _text(message.key), "headers": headers, "value": _text(message.value)})


def _text(value: bytes | None) -> str | dict[str, str] | None:
    if value is None:
        return None
    try:
        return storable(value.decode())
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
