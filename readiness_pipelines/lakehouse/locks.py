"""Turns on this machine: waiting in line beats retrying in a crowd."""

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from readiness_pipelines.lakehouse.names import TableName

BATCH_LOCKS = 512
"""So many files for each table, whatever the number of its batches: a lock's file cannot be removed safely."""


@contextmanager
def commit_lock(warehouse: Path, table: TableName) -> Iterator[None]:
    """Commit to a table, one process at a time."""
    with _held(warehouse, f"{table}.lock"):
        yield


@contextmanager
def batch_lock(warehouse: Path, table: str, batch: str) -> Iterator[None]:
    """Deliver a batch, one process at a time; in rare cases another batch waits, too."""
    with _held(warehouse, f"{table}.batch-{zlib.crc32(batch.encode()) % BATCH_LOCKS}.lock"):
        yield


@contextmanager
def _held(warehouse: Path, name: str) -> Iterator[None]:
    """Hold an advisory lock; released by the system when the process dies."""
    folder = warehouse / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
