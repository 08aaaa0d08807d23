"""Waits for the ledger's locks: how long a writer waits, and who it waited for."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from readiness_pipelines.errors import LedgerBusyError
from readiness_pipelines.postgres import (
    Session,
    advisory_holders,
    ending,
    find_sessions,
    is_lock_timeout,
    milliseconds,
    name_sessions,
    table_holders,
)

LOCK_WAIT_SECONDS = 30
"""How long a writer waits for its turn, and a reader for a table."""

ROW_WAIT_SECONDS = 5
"""How long the writer whose turn it is waits for a row on Postgres: shorter, as all others wait for it meanwhile."""

WRITERS = 0x5EAD1E55
"""Key of the advisory lock that a Postgres ledger's writers take."""

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

# In one statement, which is one trip to the server, evaluated from left to right.
_TAKE_TURN = text(
    """
    SELECT set_config('lock_timeout', :turn, true), pg_advisory_xact_lock(:writers),
      set_config('lock_timeout', :row, true)
    """
)


def take_turn(connection: Connection, ledger: str) -> None:
    """Make a transaction the only one that writes to a Postgres ledger, and limit its waits for rows.

    Raises:
        LedgerBusyError: Another session has had the turn for longer than is waited; names it.
    """
    limits = {"turn": milliseconds(LOCK_WAIT_SECONDS), "row": milliseconds(ROW_WAIT_SECONDS)}
    try:
        connection.execute(_TAKE_TURN, {**limits, "writers": WRITERS})
    except DBAPIError as error:
        if not is_lock_timeout(error):
            raise
        raise _held_by(
            ledger, find_sessions(connection.engine, lambda other: advisory_holders(other, WRITERS))
        ) from error


def busy_error(error: BaseException, ledger: str, engine: Engine, file: Path | None) -> LedgerBusyError | None:
    """What to raise in place of a database's error, where it gave up a wait for a lock; ``None`` where it did not.

    Args:
        error: The database's error.
        ledger: The ledger, for people.
        engine: Its database.
        file: The database's file, where it has one.
    """
    if is_lock_timeout(error):
        return _held_by(ledger, find_sessions(engine, _row_holders))
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is None or code & 0xFF not in _BUSY:  # the low byte is the kind; the rest says which case of it
        return None
    return LedgerBusyError(
        f"the ledger at {ledger} is held by another session, for longer than is waited",
        way_out=f"run it again: nothing is lost; if it stays so, find the process and stop it: fuser -v {file}",
    )


def _row_holders(connection: Connection) -> tuple[Session, ...]:
    # Our own writers hold no row: they hold, or wait for, the turn that whoever waited for the row had.
    return table_holders(connection, r"ledger\_%", besides=WRITERS)


def _held_by(ledger: str, sessions: tuple[Session, ...]) -> LedgerBusyError:
    """The error that names the sessions that hold a ledger."""
    return LedgerBusyError(
        f"the ledger at {ledger} is held by {name_sessions(sessions)}, for longer than is waited",
        way_out=ending(sessions),
    )
