"""Guards: triggers with which the database itself refuses to change or delete rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

_REFUSE = "'append-only'"


def guard(connection: Connection, table: str) -> None:
    """Make the database refuse to change or delete a table's rows."""
    for statement in _guards(connection.dialect.name, table):
        connection.exec_driver_sql(statement)


@contextmanager
def unguarded(connection: Connection, table: str) -> Iterator[None]:
    """Let a migration change the rows of a guarded table; the guard is back afterwards, in the same transaction."""
    if connection.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")
    else:
        connection.exec_driver_sql(f"DROP TRIGGER {table}_append_only ON {table}")
    yield
    guard(connection, table)


def _guards(dialect: str, table: str) -> list[str]:
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, {_REFUSE}); END"
            for verb in ("update", "delete")
        ]
    return [
        f"""
        CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION {_REFUSE}; END $$
        """,
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_append_only()
        """,
    ]
