"""Dagster's event log on SQLite, with its connections kept open while runs are executed one after the other.

A run of one batch writes some hundred and fifty events, and for each of them Dagster opens its database up to three
times: with a new engine, whose statements are compiled anew. That takes longer than the delivery. What is written is
the same, in the same transactions. What this relies on of Dagster is not public; a test of its own says what breaks.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

_MOST_OPEN = 4
"""The index of all runs, the run under way, and those that have just ended."""

_BUSY_SECONDS = 120


@contextmanager
def connections_kept(instance: dg.DagsterInstance) -> Iterator[None]:
    """Let an instance's event log keep its connections. Does nothing where the log is not on SQLite, a file a run."""
    storage = instance.event_log_storage
    if type(storage) is not SqliteEventLogStorage:
        yield
        return
    kept = _Kept(storage)
    vars(storage)["_connect"] = kept.connect  # of this storage alone
    try:
        yield
    finally:
        del vars(storage)["_connect"]
        kept.close()


class _Kept:
    """The engines of the files that were used last."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self._engines: OrderedDict[str, Engine] = OrderedDict()

    @contextmanager
    def connect(self, shard: str) -> Iterator[Connection]:
        """What the storage's own method does, on a connection that is open already."""
        storage = self._storage
        with storage._db_lock:  # one at a time, as there
            engine = self._engine(shard)
            if shard not in storage._initialized_dbs:
                storage._initdb(engine)
                storage._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.get(shard)
        if engine is None:
            engine = self._engines[shard] = create_engine(
                self._storage.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            )
            event.listen(engine, "connect", _without_waiting_for_the_disk)
        self._engines.move_to_end(shard)
        while len(self._engines) > _MOST_OPEN:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def close(self) -> None:
        """Close all connections."""
        with self._storage._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()


def _without_waiting_for_the_disk(connection: Any, _: Any) -> None:
    """A power loss may take the newest events, not the file's order: the ledger is the truth, Dagster is the view."""
    connection.execute("PRAGMA synchronous=NORMAL")
