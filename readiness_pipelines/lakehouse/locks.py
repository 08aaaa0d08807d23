"""Turns: waiting in line beats retrying in a crowd. On one machine by files, for many by a Postgres that they share."""

import zlib
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import make_url

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.lakehouse.file_turns import FileTurns
from readiness_pipelines.lakehouse.postgres_turns import PostgresTurns
from readiness_pipelines.lakehouse.turns import Turn, Turns
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place

BATCH_LOCKS = 512
"""So many locks for each table, whatever the number of its batches: a lock's file cannot be removed safely."""

COMMIT_WAIT_SECONDS = 600
"""The longest wait for a commit's turn: a commit takes seconds, whatever the size of the batch."""


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


def commit_turn(turns: Turns, table: TableId, *, wait_seconds: float, run_id: str = "") -> AbstractContextManager[None]:
    """Commit to a table, one process at a time.

    Args:
        turns: All turns.
        table: The table.
        wait_seconds: The longest wait that is wanted; shorter where a commit cannot take so long.
        run_id: The run that commits, where it is known.
    """
    wait_seconds = min(wait_seconds, COMMIT_WAIT_SECONDS)
    return turns.held(Turn(name=str(table), what=f"a commit to {table}", run_id=run_id, wait_seconds=wait_seconds))


def batch_turn(
    turns: Turns, table: str, batch: str, *, wait_seconds: float, run_id: str = ""
) -> AbstractContextManager[None]:
    """Deliver a batch, one process at a time; in rare cases another batch waits, too.

    Args:
        turns: All turns.
        table: The batch's table.
        batch: The batch.
        wait_seconds: The longest wait: the turn is held for as long as the batch takes.
        run_id: The run that delivers.
    """
    name = f"{table}.batch-{zlib.crc32(batch.encode()) % BATCH_LOCKS}"
    return turns.held(Turn(name=name, what=f"batch {batch!r} of {table}", run_id=run_id, wait_seconds=wait_seconds))
