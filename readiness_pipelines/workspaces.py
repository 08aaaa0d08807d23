"""Empty databases in memory to work in, one for each step; DuckDB itself stays open between steps.

To open DuckDB costs 20 milliseconds of processor time, more than it takes to judge a small batch. So one that was used
is kept for the next step with the same settings, which works in a new database attached to it, on a connection of its
own: nothing of an earlier step is there.
"""

import atexit
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

import duckdb

from readiness_pipelines.spill import make_spill_folder
from readiness_pipelines.sql import identifier, lock_connection, utc_connection

_MOST_IDLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A DuckDB, and where it keeps what does not fit into memory."""

    settings: tuple[int, tuple[str, ...]]
    connection: duckdb.DuckDBPyConnection
    spill: str

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self.spill, ignore_errors=True)


_idle: list[_Opened] = []
_lock = threading.Lock()


@contextmanager
def workspace(
    *, memory_mb: int, reaches: tuple[str, ...], driver: object | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database in memory, which is gone at the end.

    Args:
        memory_mb: Memory that DuckDB may use; what does not fit is spilled to disk.
        reaches: Absolute paths of the only folders whose files it reads.
        driver: A file system by which it reads an object store; it can then not be held to folders, and is new.
    """
    opened = _take(memory_mb, reaches) if driver is None else _open(memory_mb, reaches, driver)
    name, again = f"step_{uuid4().hex}", False
    try:
        with opened.connection.cursor() as connection:
            connection.execute(f"ATTACH ':memory:' AS {name}")
            connection.execute(f"USE {name}")
            try:
                yield connection
            finally:
                again = _left_empty(connection, name) and driver is None
    finally:
        if again:
            _keep(opened)
        else:
            opened.close()


def _left_empty(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Drop a step's database; whether that could be done, and the next step finds nothing of it."""
    with suppress(duckdb.Error):
        connection.execute("USE memory")
        connection.execute(f"DETACH {identifier(name)}")
        return True
    return False


def _take(memory_mb: int, reaches: tuple[str, ...]) -> _Opened:
    settings = (memory_mb, reaches)
    with _lock:
        for place, opened in enumerate(_idle):
            if opened.settings == settings:
                return _idle.pop(place)
    return _open(memory_mb, reaches, None)


def _keep(opened: _Opened) -> None:
    with _lock:
        _idle.append(opened)
        surplus = _idle[:-_MOST_IDLE]
        del _idle[:-_MOST_IDLE]
    for one in surplus:
        one.close()


def _open(memory_mb: int, reaches: tuple[str, ...], driver: object | None) -> _Opened:
    spill = make_spill_folder()
    connection = utc_connection(
        config={
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": spill,
            # Rows are told apart by _row, not by their place: order would cost memory and speed.
            "preserve_insertion_order": False,
        }
    )
    if driver is not None:
        connection.register_filesystem(driver)
        connection.execute("SET lock_configuration = true")
    else:
        lock_connection(connection, spill, *reaches)
    return _Opened(settings=(memory_mb, reaches), connection=connection, spill=spill)


def _close_all() -> None:
    with _lock:
        closing, _idle[:] = list(_idle), []
    for opened in closing:
        opened.close()


atexit.register(_close_all)
# A child has none of their threads: what it inherited would break it, at its end at the latest.
os.register_at_fork(before=_close_all)
