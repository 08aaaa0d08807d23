"""Chains: each row of an append-only table carries a hash of itself and of the row before it.

A row that is changed, removed, inserted between others or moved breaks the chain at that place. Rows cut off at the end
break no link; their heads, which the snapshots of the tables carry, tell of them.

A column that is null counts as one that is not there, so that a table can get new columns without a new chain.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, TableClause, bindparam, insert, select, update

from readiness_pipelines.ledger.keys import new_number

FIRST = ""
"""What stands for the link before the first row."""

_OWN = frozenset({"id", "link"})
_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first row of a table that is not as it was appended, or does not follow the one before it.

    Attributes:
        id: The row's number.
        what: What is wrong.
    """

    id: int
    what: str


@dataclass(frozen=True, slots=True)
class ChainProof:
    """What was found in the chain of one table.

    Attributes:
        rows: How many rows it has.
        broken: The first broken link; ``None`` where all hold.
        links: The links by row number, as far as they hold.
    """

    rows: int
    broken: BrokenLink | None
    links: Mapping[int, str]


def append_row(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Append a row to an append-only table, linked to the last one. One writer at a time.

    Returns:
        The row's number.
    """
    _, last = head(connection, table)
    link = _link(last, table.name, values)
    return new_number(connection.execute(insert(table).values(**values, link=link)))


def head(connection: Connection, table: Table) -> tuple[int, str]:
    """The number and the link of a table's last row; 0 and nothing where it has none."""
    row = connection.execute(select(table.c.id, table.c.link).order_by(table.c.id.desc()).limit(1)).one_or_none()
    return (0, FIRST) if row is None else (row.id, row.link)


def check_chain(connection: Connection, table: Table) -> ChainProof:
    """Follow a table's chain from its first row to its last."""
    before, count, broken, links = FIRST, 0, None, {}
    for row in _rows(connection, table):
        count += 1
        if broken is not None:
            continue
        if row.link == _link(before, table.name, _values(row)):
            links[row.id] = before = row.link
        elif not row.link:
            broken = BrokenLink(row.id, "it has no link: it was not written by this program")
        else:
            broken = BrokenLink(row.id, "it was changed, or a row before it was removed or inserted")
    return ChainProof(rows=count, broken=broken, links=links)


def _rows(connection: Connection, table: Table) -> Iterator[Row[Any]]:
    """The rows from first to last, not all in memory at once."""
    last: int | None = None
    while True:
        after = select(table).order_by(table.c.id).limit(_ROWS_AT_ONCE)
        rows = connection.execute(after if last is None else after.where(table.c.id > last)).all()
        yield from rows
        if len(rows) < _ROWS_AT_ONCE:
            return
        last = rows[-1].id


def link_rows(connection: Connection, table: TableClause) -> None:
    """Link the rows of a table that have no links yet, as a migration does once."""
    rows = connection.execute(select(table).order_by(table.c.id)).all()
    links = [FIRST]
    for row in rows:
        links.append(_link(links[-1], table.name, _values(row)))
    changes = [{"row": row.id, "new": link} for row, link in zip(rows, links[1:], strict=True)]
    if changes:
        connection.execute(update(table).where(table.c.id == bindparam("row")).values(link=bindparam("new")), changes)


def _values(row: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name not in _OWN}


def _link(before: str, table: str, values: Mapping[str, Any]) -> str:
    """SHA-256 of the link before and of a row, whose columns are in the order of their names."""
    there = {name: _plain(value) for name, value in values.items() if value is not None}
    return hashlib.sha256(json.dumps([before, table, there], sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A value as JSON gives it back: what is hashed when a row is written is hashed again when it is read."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return json.loads(json.dumps(value))
