"""What Postgres sends of a table's changes (`pgoutput`, version 1), as values of text."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from readiness_pipelines.errors import StreamError

_BOOLEAN = 16
_TRUTH = {"t": "true", "f": "false"}
_MICROSECONDS_TO_2000 = 946_684_800_000_000


class PgColumn(NamedTuple):
    """A column of a table as it is sent."""

    name: str
    type: int


class PgChange(NamedTuple):
    """A change of one row.

    Attributes:
        op: As Debezium has it: c, u, d, t.
        before: The row, or its key, before; ``None`` where that was not sent.
        after: The row after; ``None`` where there is none.
        untouched: Its columns whose large values were not sent, because nothing changed them; they are null in it.
    """

    op: str
    before: Mapping[str, str | None] | None
    after: Mapping[str, str | None] | None
    untouched: Sequence[str] = ()


class PgCommit(NamedTuple):
    """The end of a transaction."""


@dataclass(slots=True)
class PgDecoder:
    """Decodes messages one after the other, of one table among those that are sent.

    Attributes:
        table: The table, as ``schema.table``.
        relation: Its number in the database, by which it is known also while it was called otherwise.
        commit: Where the transaction's commit is in the log.
        committed_ms: When it was committed, in milliseconds since 1970.
        transaction: Its number.
    """

    table: str
    relation: int = 0
    commit: int = 0
    committed_ms: int = 0
    transaction: int = 0
    columns: dict[int, tuple[PgColumn, ...] | None] = field(default_factory=dict)

    def decode(self, data: bytes) -> PgChange | PgCommit | None:
        """A change of the table, or the end of a transaction; ``None`` for what is neither.

        Raises:
            StreamError: It is not such a message.
        """
        try:
            return self._decode(data)
        except (struct.error, IndexError, KeyError, ValueError) as error:
            raise StreamError(f"the database sends what is not a change ({type(error).__name__})") from error

    def _decode(self, data: bytes) -> PgChange | PgCommit | None:
        kind = data[:1]
        match kind:
            case b"B":
                self.commit, at, self.transaction = struct.unpack_from(">QqI", data, 1)
                self.committed_ms = (at + _MICROSECONDS_TO_2000) // 1_000
            case b"C":
                return PgCommit()
            case b"R":
                self._relation(data)
            case b"I" | b"U" | b"D":
                (number,) = struct.unpack_from(">I", data, 1)
                columns = self.columns[number]
                if columns is not None:
                    return _row_change(data, columns)
            case b"T":
                count = struct.unpack_from(">I", data, 1)[0]
                numbers = struct.unpack_from(f">{count}I", data, 6)
                if any(self.columns[number] is not None for number in numbers):
                    return PgChange("t", None, None)
        return None

    def _relation(self, data: bytes) -> None:
        (number,) = struct.unpack_from(">I", data, 1)
        schema, at = _word(data, 5)
        name, at = _word(data, at)
        (count,) = struct.unpack_from(">H", data, at + 1)
        at += 3
        found = []
        for _ in range(count):
            column, at = _word(data, at + 1)
            (kind,) = struct.unpack_from(">I", data, at)
            at += 8
            found.append(PgColumn(column, kind))
        ours = number == self.relation or f"{schema or 'pg_catalog'}.{name}" == self.table
        self.columns[number] = tuple(found) if ours else None


def _row_change(data: bytes, columns: tuple[PgColumn, ...]) -> PgChange:
    parts: dict[str, Mapping[str, str | None]] = {}
    untouched: Sequence[str] = ()
    at = 5
    while at < len(data):
        part = data[at : at + 1].decode()
        values, untouched, at = _tuple(data, at + 1, columns)
        # Of a key alone, the others are sent as null, which they need not be.
        parts[part] = {name: value for name, value in values if part != "K" or value is not None}
    before, after = parts.get("O") or parts.get("K"), parts.get("N")
    if after is not None and "O" in parts:
        # The old row, which REPLICA IDENTITY FULL gives, has what was not touched.
        after, untouched = {**after, **{name: parts["O"][name] for name in untouched}}, ()
    return PgChange({b"I": "c", b"U": "u", b"D": "d"}[data[:1]], before, after, untouched)


def _tuple(data: bytes, at: int, columns: tuple[PgColumn, ...]) -> tuple[list[tuple[str, str | None]], list[str], int]:
    """A row's values, the columns among them that were not sent, and where it ends."""
    (count,) = struct.unpack_from(">H", data, at)
    at += 2
    if count != len(columns):
        raise ValueError("a row of other columns")
    found: list[tuple[str, str | None]] = []
    untouched: list[str] = []
    for column in columns:
        kind = data[at : at + 1]
        at += 1
        if kind == b"n":
            found.append((column.name, None))
        elif kind == b"u":
            found.append((column.name, None))
            untouched.append(column.name)
        elif kind == b"t":
            (length,) = struct.unpack_from(">I", data, at)
            at += 4
            if at + length > len(data):
                raise ValueError("a value that is cut off")
            text = data[at : at + length].decode()
            at += length
            found.append((column.name, _TRUTH.get(text, text) if column.type == _BOOLEAN else text))
        else:
            raise ValueError("a value of another kind")
    return found, untouched, at


def _word(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def place_in_log(text: str) -> int:
    """A place in Postgres's log, of its text ``16/B374D848``."""
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)


def log_text(place: int) -> str:
    """The same, as Postgres writes it."""
    return f"{place >> 32:X}/{place & 0xFFFFFFFF:X}"
