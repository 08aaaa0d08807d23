"""A Postgres database whose table `customers` is read by a slot, and nothing left of it afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from readiness_pipelines_tests.databases import logical_postgres
from readiness_pipelines_tests.waiting import wait_until

Statements = Callable[..., list[Any]]


@contextmanager
def shop_database() -> Iterator[Statements]:
    """Runs statements, each a transaction; of the last one its rows."""
    connection = psycopg2.connect(logical_postgres())
    connection.autocommit = True

    def run(*statements: str) -> list[Any]:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    run(
        "DROP PUBLICATION IF EXISTS shop",
        "DROP TABLE IF EXISTS customers, others",
        "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, bio text, paid numeric)",
        "ALTER TABLE customers ALTER bio SET STORAGE EXTERNAL",
        "CREATE TABLE others (id int PRIMARY KEY)",
        "CREATE PUBLICATION shop FOR TABLE customers, others",
    )
    try:
        yield run
    finally:
        run("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
        wait_until(lambda: not run("SELECT 1 FROM pg_replication_slots WHERE active"))
        run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        connection.close()
