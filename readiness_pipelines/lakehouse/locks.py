"""Turns: waiting in line beats retrying in a crowd. On one machine by files, for many by a Postgres that they share."""

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, NullPool, create_engine, make_url, text

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place

BATCH_LOCKS = 512
"""So many locks for each table, whatever the number of its batches: a lock's file cannot be removed safely."""


class Turns(Protocol):
    """Who may work on what, one process at a time; a process that dies gives its turns back."""

    def held(self, name: str) -> AbstractContextManager[None]:
        """Wait until nobody else holds a name, and hold it."""
        ...


class FileTurns:
    """Turns of the processes of one machine, by locked files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold the lock of a file; released by the system when the process dies."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class PostgresTurns:
    """Turns of the processes of many machines, by advisory locks of a Postgres server."""

    def __init__(self, url: URL) -> None:
        # A connection of its own for each turn: waiting ones must not use up the pool of those that work.
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold an advisory lock; released by the server when the connection ends."""
        with self._engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), {"name": name})
            yield


def turns_of(url: str, warehouse: Place) -> Turns:
    """The turns of all who share a database: by Postgres, or by files in the warehouse or beside SQLite's own."""
    if url.startswith("postgresql"):
        return PostgresTurns(make_url(url))
    if warehouse.is_local:
        return FileTurns(warehouse.path / ".locks")
    if url.startswith("sqlite"):
        return FileTurns(Path(url.removeprefix("sqlite:///").split("?")[0]).parent / ".locks")
    raise LakehouseError(
        "deliveries have no database in which they wait for each other's turn",
        way_out="set READINESS_LEDGER_URL to the Postgres that all machines share, or to SQLite on the only one",
    )


def commit_turn(turns: Turns, table: TableId) -> AbstractContextManager[None]:
    """Commit to a table, one process at a time."""
    return turns.held(str(table))


def batch_turn(turns: Turns, table: str, batch: str) -> AbstractContextManager[None]:
    """Deliver a batch, one process at a time; in rare cases another batch waits, too."""
    return turns.held(f"{table}.batch-{zlib.crc32(batch.encode()) % BATCH_LOCKS}")
