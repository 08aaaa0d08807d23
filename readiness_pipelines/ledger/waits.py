"""Waits for the ledger's locks: how long a writer waits, and who it waited for."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from readiness_pipelines.errors import LedgerBusyError
from readiness_pipelines.postgres import Session, advisory_holders, is_lock_timeout, milliseconds

LOCK_WAIT_SECONDS = 30
"""How long a writer waits for its turn, and a reader for a table."""

ROW_WAIT_SECONDS = 5
"""How long the writer whose turn it is waits for a row on Postgres: shorter, as all others wait for it meanwhile."""

WRITERS = 0x5EAD1E55
"""Key of the advisory lock that a Postgres ledger's writers take."""

MOST_NAMED = 3
"""How many sessions an error names."""

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

# In one statement, which is one trip to the server, evaluated from left to right.
_TAKE_TURN = text(
    """
    SELECT set_config('lock_timeout', :turn, true), pg_advisory_xact_lock(:writers),
      set_config('lock_timeout', :row, true)
    """
)

# The server does not say who holds a row, only who has locked rows of a table. Our own writers have not: they hold, or
# wait for, the turn that whoever waited for the row had.
_ROW_HOLDERS = text(
    """
    SELECT a.pid, a.usename, a.application_name, a.client_addr::text AS address, a.state, a.xact_start AS since,
      bool_or(l.mode <> 'AccessShareLock') AS locks_rows
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = l.relation
    WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND c.relkind = 'r' AND c.relname LIKE 'ledger\\_%' AND a.pid <> pg_backend_pid()
      AND a.pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = :writers)
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY a.xact_start
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
        raise _held_by(ledger, _look_up(connection.engine, lambda other: advisory_holders(other, WRITERS))) from error


def busy_error(error: BaseException, ledger: str, engine: Engine, file: Path | None) -> LedgerBusyError | None:
    """What to raise in place of a database's error, where it gave up a wait for a lock; ``None`` where it did not.

    Args:
        error: The database's error.
        ledger: The ledger, for people.
        engine: Its database.
        file: The database's file, where it has one.
    """
    if is_lock_timeout(error):
        return _held_by(ledger, _look_up(engine, _row_holders))
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is None or code & 0xFF not in _BUSY:  # the low byte is the kind; the rest says which case of it
        return None
    return LedgerBusyError(
        f"the ledger at {ledger} is held by another session, for longer than is waited",
        way_out=f"run it again: nothing is lost; if it stays so, find the process and stop it: fuser -v {file}",
    )


def _row_holders(connection: Connection) -> tuple[Session, ...]:
    """The sessions that may hold a row of the ledger."""
    rows = connection.execute(_ROW_HOLDERS, {"writers": WRITERS}).all()
    return tuple(Session.of(row) for row in [row for row in rows if row.locks_rows] or rows)


def _look_up(engine: Engine, sessions: Callable[[Connection], tuple[Session, ...]]) -> tuple[Session, ...]:
    """Look for sessions; none where the server does not answer any more."""
    try:
        with engine.connect() as connection:
            return sessions(connection)
    except SQLAlchemyError:
        return ()


def _held_by(ledger: str, sessions: tuple[Session, ...]) -> LedgerBusyError:
    """The error that names the sessions that hold a ledger."""
    named = ", ".join(map(str, sessions[:MOST_NAMED])) or "a session that cannot be named"
    ending = "".join(f"; if it is idle, end it: SELECT pg_terminate_backend({one.pid})" for one in sessions[:1])
    return LedgerBusyError(
        f"the ledger at {ledger} is held by {named}, for longer than is waited",
        way_out=f"run it again: nothing is lost{ending}",
    )
