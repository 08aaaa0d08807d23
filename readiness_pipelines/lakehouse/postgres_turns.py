"""Turns of the processes of many machines, by advisory locks of a Postgres server."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import URL, Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from readiness_pipelines.lakehouse.turns import (
    NOTICE_SECONDS,
    UNKNOWN_HOLDER,
    Turn,
    busy_error,
    lost_error,
    say_waiting,
)
from readiness_pipelines.postgres import (
    Session,
    advisory_holders,
    is_lock_timeout,
    milliseconds,
    session_name,
    session_options,
)

SLICE_SECONDS = 30
"""The server is asked for so long at a time: Ctrl-C is not heard meanwhile."""

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0)), set_config('application_name', :session, false)")
# In one statement, evaluated from left to right.
_WAIT = text("SELECT set_config('lock_timeout', :wait, false), pg_advisory_lock(hashtextextended(:name, 0))")
_KEY = text("SELECT hashtextextended(:name, 0)")


class PostgresTurns:
    """Turns of the processes of many machines; each session's name says who holds its turn."""

    def __init__(self, url: URL) -> None:
        # A connection of its own for each turn: waiting ones must not use up the pool of those that work.
        self._engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=session_options(str(url))
        )

    @contextmanager
    def held(self, turn: Turn) -> Iterator[None]:
        """Hold an advisory lock; released by the server when the connection ends."""
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(self._engine.connect())
                self._wait(connection, turn)
            except SQLAlchemyError as error:
                way_out = "check READINESS_LEDGER_URL and READINESS_CATALOG_URL, and that the database answers"
                raise lost_error(turn, error, where=str(self._engine.url), way_out=way_out) from error
            yield

    def _wait(self, connection: Connection, turn: Turn) -> None:
        """Wait for a lock in the server's line.

        Raises:
            LakehouseBusyError: It takes too long.
        """
        if connection.execute(_TRY, {"name": turn.name, "session": session_name(turn.run_id)}).scalar_one():
            return
        ends = time.monotonic() + turn.wait_seconds
        told = False
        while (left := ends - time.monotonic()) > 0:
            if _take(connection, turn, min(left, SLICE_SECONDS if told else NOTICE_SECONDS)):
                return
            if not told and turn.wait_seconds > NOTICE_SECONDS:
                say_waiting(turn, _named(_holders(connection, turn)))
            told = True
        holders = _holders(connection, turn)
        stop = f"SELECT pg_terminate_backend({holders[0].pid})" if holders else "it has ended meanwhile"
        raise busy_error(turn, _named(holders), stop=stop)


def _take(connection: Connection, turn: Turn, seconds: float) -> bool:
    """Wait for a lock for at most a time; whether it was had."""
    try:
        connection.execute(_WAIT, {"name": turn.name, "wait": milliseconds(seconds)})
    except DBAPIError as error:
        if not is_lock_timeout(error):
            raise
        return False
    return True


def _holders(connection: Connection, turn: Turn) -> tuple[Session, ...]:
    return advisory_holders(connection, connection.execute(_KEY, {"name": turn.name}).scalar_one())


def _named(holders: tuple[Session, ...]) -> str:
    return ", ".join(map(str, holders)) or UNKNOWN_HOLDER
