"""Sessions of a Postgres server: ours carry a name and wait with a limit, and who holds a lock can be looked up."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

_LOCK_NOT_AVAILABLE = "55P03"
_KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4}
"""A server that is gone without a word is noticed after two minutes, also by who waits for a lock of it."""

_ADVISORY_HOLDERS = text(
    """
    SELECT a.pid, a.usename, a.application_name, a.client_addr::text AS address, a.state,
      coalesce(a.xact_start, a.state_change) AS since
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.granted AND l.locktype = 'advisory' AND l.objsubid = 1 AND a.datname = current_database()
      AND ((l.classid::bigint << 32) | l.objid::bigint) = :key AND a.pid <> pg_backend_pid()
    """
)

_TABLE_HOLDERS = text(
    """
    SELECT a.pid, a.usename, a.application_name, a.client_addr::text AS address, a.state,
      coalesce(a.xact_start, a.state_change) AS since, bool_or(l.mode <> 'AccessShareLock') AS locks_rows
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = l.relation
    WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND c.relkind = 'r' AND c.relname LIKE :tables AND a.pid <> pg_backend_pid()
      AND a.pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = :besides)
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 6
    """
)

MOST_NAMED = 3
"""How many sessions an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of a Postgres server, as far as we may know it.

    Attributes:
        pid: The server's number of it.
        user: The role it works for.
        application: What it calls itself; "" where it does not.
        address: From where it came; "" for the server's own machine, and where we may not know.
        state: "active", "idle in transaction" …; "" where we may not know.
        since: Since when it holds what was asked for, or is in its state; ``None`` where we may not know.
    """

    pid: int
    user: str
    application: str
    address: str
    state: str
    since: datetime | None

    @classmethod
    def of(cls, row: Any) -> "Session":
        """The session that a row of ``pg_stat_activity`` tells of."""
        return cls(
            pid=row.pid,
            user=row.usename or "",
            application=row.application_name or "",
            address=row.address or "",
            state=row.state or "",
            since=row.since,
        )

    def __str__(self) -> str:
        whose = f" of {self.user}" if self.user else ""
        where = f" at {self.address}" if self.address else ""
        since = f"since {self.since:%Y-%m-%d %H:%M:%S %Z}" if self.since else ""
        facts = ", ".join(filter(None, (self.application, self.state, since)))
        return f"session {self.pid}{whose}{where}" + (f" ({facts})" if facts else "")


def session_options(url: str) -> dict[str, Any]:
    """What to connect with, so that our sessions are known by name and notice a server that is gone."""
    if make_url(url).get_driver_name() not in ("psycopg2", "psycopg"):
        return {}
    return {"fallback_application_name": session_name(), **_KEEPALIVES}


def session_name(run_id: str = "") -> str:
    """What our sessions call themselves, unless their URL says otherwise: the process, its run, and its machine."""
    # The machine comes last: the server cuts off what is longer than 63 bytes.
    return f"readiness {os.getpid()}{f' run {run_id}' if run_id else ''} on {socket.gethostname()}"


def milliseconds(seconds: float) -> str:
    """A limit of waits as ``lock_timeout`` takes it; never zero, which would mean without limit."""
    return f"{max(1, int(seconds * 1000))}ms"


def limit_lock_waits(engine: Engine, seconds: float) -> None:
    """Make the server give up each wait of an engine's sessions for a lock after a time, unless they say otherwise."""

    @event.listens_for(engine, "connect")
    def _limit(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{milliseconds(seconds)}'")
        connection.commit()


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a server gave up a wait for a lock."""
    original = getattr(error, "orig", None)
    return _LOCK_NOT_AVAILABLE in (getattr(original, "pgcode", None), getattr(original, "sqlstate", None))


def advisory_holders(connection: Connection, key: int) -> tuple[Session, ...]:
    """The sessions that hold an advisory lock."""
    return tuple(Session.of(row) for row in connection.execute(_ADVISORY_HOLDERS, {"key": key}))


def table_holders(connection: Connection, tables: str, *, besides: int = 0) -> tuple[Session, ...]:
    """The sessions that may hold rows of some tables: the server says only who has locked rows of a table.

    Args:
        connection: To the tables' database.
        tables: A pattern of their names, as ``LIKE`` takes it.
        besides: Without those that hold this advisory lock, or wait for it.
    """
    rows = connection.execute(_TABLE_HOLDERS, {"tables": tables, "besides": besides}).all()
    return tuple(Session.of(row) for row in [row for row in rows if row.locks_rows] or rows)


def find_sessions(engine: Engine, find: Callable[[Connection], tuple[Session, ...]]) -> tuple[Session, ...]:
    """Look for sessions in a new connection; none where the server does not answer any more."""
    try:
        with engine.connect() as connection:
            return find(connection)
    except SQLAlchemyError:
        return ()


def name_sessions(sessions: Sequence[Session]) -> str:
    """Some sessions, for people."""
    return ", ".join(map(str, sessions[:MOST_NAMED])) or "a session that cannot be named"


def ending(sessions: Sequence[Session]) -> str:
    """The way out of waiting for some sessions."""
    end = f"; if it is idle, end it: SELECT pg_terminate_backend({sessions[0].pid})" if sessions else ""
    return f"run it again: nothing is lost{end}"
