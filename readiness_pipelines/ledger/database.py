"""The ledger's database: SQLite on one machine, Postgres for many."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, make_url, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from readiness_pipelines.errors import LedgerError, first_line
from readiness_pipelines.ledger.tables import FIRST_VERSION, METADATA, SCHEMA_VERSION, VERSION
from readiness_pipelines.ledger.waits import LOCK_WAIT_SECONDS, busy_error, take_turn
from readiness_pipelines.postgres import limit_lock_waits, session_options
from readiness_pipelines.sqlite import reconnect_where_read_only


class Database:
    """Connections, with errors that name the ledger and the way out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # At the latest when the process ends: what SQLite wrote beside its file is in the file then, and backups whole.
        weakref.finalize(self, engine.dispose)

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open a ledger's database, and create its tables where there are none.

        Raises:
            LedgerError: The database cannot be reached, or the ledger is of another version; nothing is changed.
        """
        database = cls.connect(url)
        try:
            database._create()
        except LedgerError as error:
            if database.dialect != "sqlite" or not isinstance(error.__cause__, OperationalError):
                raise
            database._create()  # SQLite does not wait while another process turns a new file into a ledger
        database.check_version(SCHEMA_VERSION)
        return database

    @classmethod
    def connect(cls, url: str) -> "Database":
        """The database of a ledger of whatever version; nothing is created in it."""
        return cls(_engine(url))

    @property
    def server(self) -> str:
        """The kind of database and its version, for people: "Postgres 18.1"."""
        name = {"postgresql": "Postgres", "sqlite": "SQLite"}.get(self.dialect, self.dialect)
        return f"{name} {'.'.join(map(str, self._engine.dialect.server_version_info or ()))}".strip()

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the kind of database."""
        return self._engine.dialect.name

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; ``None`` for others, and in memory."""
        name = self._engine.url.database
        return Path(name) if self.dialect == "sqlite" and name and name != ":memory:" else None

    def __str__(self) -> str:
        return make_url(self._engine.url).render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to look with."""
        # No transaction: on SQLite, one would take the write lock, and readers need not wait for writers.
        with self._reaching(), self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction: all of it happens, or nothing.

        Raises:
            LedgerBusyError: Another session holds the ledger, or a row of it, for longer than is waited.
            LedgerError: The database cannot be used.
        """
        with self._reaching(), self._engine.begin() as connection:
            if self.dialect == "postgresql":
                # One writer at a time, as on SQLite: what is checked still holds when it is written.
                take_turn(connection, str(self))
            yield connection

    def vacuum(self) -> None:
        """Write an SQLite file anew, so that nothing of what was deleted is left in it; others see to that themselves.

        Raises:
            LedgerError: Somebody else uses it meanwhile.
        """
        if self.file is None:
            return
        with self.reading() as connection:
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def version(self) -> int | None:
        """The version of the ledger in the database; ``None`` where there is no ledger."""
        if self.file is not None:
            with self._reaching():
                if not self.file.exists():
                    return None
        with self.reading() as connection:
            return version_in(connection)

    def check_version(self, program: int) -> int:
        """The version of the ledger, if a program of a version can read it.

        Raises:
            LedgerError: There is no ledger, or it is of another version; with the way out.
        """
        version = self.version()
        self.check_supported(version, program)
        assert version is not None  # noqa: S101  # it is supported
        if version < program:
            raise LedgerError(
                f"the ledger at {self} is of version {version}, and this program is of version {program}",
                way_out="readiness migrate",
            )
        return version

    def check_supported(self, version: int | None, program: int) -> None:
        """Refuse a ledger that a program of a version can neither read nor migrate.

        Raises:
            LedgerError: There is no ledger, or it is of a newer program, or of one too old.
        """
        if version is None:
            raise LedgerError(f"there is no ledger at {self}", way_out="check READINESS_LEDGER_URL")
        if version > program:
            raise LedgerError(
                f"the ledger at {self} is of version {version}, and this program is of version {program}",
                way_out="install the newer program",
            )
        if version < FIRST_VERSION:
            raise LedgerError(
                f"the ledger at {self} is of version {version}, of a program that knew tables by their paths; "
                "it was left as it is",
                way_out="start with a new warehouse and a new ledger (READINESS_WAREHOUSE, READINESS_LEDGER_URL), "
                "or keep running the older program",
            )

    def _create(self) -> None:
        """Create the tables once, even when several processes open a new ledger at the same time."""
        if self.file is not None:
            with self._reaching():
                self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.reading() as connection:
            if version_in(connection) is not None:
                return
        with self.writing() as connection:
            if version_in(connection) is None:
                METADATA.create_all(connection)
                connection.execute(insert(VERSION).values(version=SCHEMA_VERSION))

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, self._engine.dialect.loaded_dbapi.Error) as error:
            # The driver's own error comes where a connection is given back that its server ended meanwhile.
            if (busy := busy_error(error, str(self), self._engine, self.file)) is not None:
                raise busy from error
            raise LedgerError(
                f"the ledger at {self} cannot be used: {first_line(error)}",
                way_out="check READINESS_LEDGER_URL and that its database answers, then run again: nothing is lost",
            ) from error


def version_in(connection: Connection) -> int | None:
    """The version of the ledger that a connection sees; ``None`` where there is no ledger."""
    if not inspect(connection).has_table(VERSION.name):
        return None
    return connection.execute(select(VERSION.c.version)).scalar_one_or_none()


def set_version(connection: Connection, version: int) -> None:
    """Note that the ledger is of a version now."""
    connection.execute(update(VERSION).values(version=version))


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=session_options(url))
        limit_lock_waits(engine, LOCK_WAIT_SECONDS)
        return engine
    engine = create_engine(
        url if "timeout=" in url else make_url(url).update_query_dict({"timeout": str(LOCK_WAIT_SECONDS)}),
        hide_parameters=True,  # an error repeats them, and they may be values that decisions name
    )
    reconnect_where_read_only(engine)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # Transactions are begun by the hook below, which the driver's own would get in the way of.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Taking the write lock first is what makes "check the move, then write" one step on SQLite. The hook is also
        # called for connections that only look; a transaction would make them wait for writers.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
