"""The ledger's database: SQLite on one machine, Postgres for many."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, make_url, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.tables import SCHEMA_VERSION, VERSION, create_missing, upgrade

LOCK_WAIT_SECONDS = 30

WRITERS = 0x5EAD1E55
"""Key of the advisory lock that a Postgres ledger's writers take."""


class Database:
    """Connections, with errors that name the ledger and the way out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open a ledger's database, and create its tables where they are missing.

        Raises:
            LedgerError: The database cannot be reached, or the ledger is of a newer version.
        """
        engine = _engine(url)
        database = cls(engine)
        with database._reaching():
            if engine.dialect.name == "sqlite" and engine.url.database:
                Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
            _create(engine)
            with engine.begin() as connection:
                version = connection.execute(select(VERSION.c.version)).scalar_one()
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"the ledger at {_shown(engine)} is of version {version}, this program of {SCHEMA_VERSION}",
                way_out="install the newer program",
            )
        return database

    @property
    def server(self) -> str:
        """The kind of database and its version, for people: "Postgres 18.1"."""
        name = {"postgresql": "Postgres", "sqlite": "SQLite"}.get(self.dialect, self.dialect)
        return f"{name} {'.'.join(map(str, self._engine.dialect.server_version_info or ()))}".strip()

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the kind of database."""
        return self._engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to look with."""
        # No transaction: on SQLite, one would take the write lock, and readers need not wait for writers.
        with self._reaching(), self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction: all of it happens, or nothing."""
        with self._reaching(), self._engine.begin() as connection:
            if self.dialect == "postgresql":
                # One writer at a time, as on SQLite: what is checked still holds when it is written.
                connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
            yield connection

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise LedgerError(
                f"the ledger at {_shown(self._engine)} cannot be used: {str(error).splitlines()[0]}",
                way_out="check READINESS_LEDGER_URL and that its database answers, then run again: nothing is lost",
            ) from error


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(
        url if "timeout=" in url else make_url(url).update_query_dict({"timeout": str(LOCK_WAIT_SECONDS)})
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # Transactions are begun by the hook below, which the driver's own would get in the way of.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Taking the write lock first is what makes "check the move, then write" one step on SQLite.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _create(engine: Engine) -> None:
    """Create the tables once, even when several processes open a new ledger at the same time."""
    try:
        create_missing(engine)
    except (OperationalError, IntegrityError, ProgrammingError):
        create_missing(engine)  # another process created them meanwhile: look again
    with engine.begin() as connection:
        version = connection.execute(select(VERSION.c.version)).scalar_one_or_none()
        if version is None:
            connection.execute(insert(VERSION).values(version=SCHEMA_VERSION))
        elif version < SCHEMA_VERSION:
            upgrade(connection, version=version)


def _shown(engine: Engine) -> str:
    return make_url(engine.url).render_as_string(hide_password=True)
