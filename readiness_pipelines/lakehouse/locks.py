"""One commit to a table at a time on this machine: waiting in line beats retrying in a crowd."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from readiness_pipelines.lakehouse.names import TableName


@contextmanager
def commit_lock(warehouse: Path, table: TableName) -> Iterator[None]:
    """Hold the table's advisory lock; released by the system when the process dies."""
    folder = warehouse / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{table}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
