"""Guards: triggers with which the database itself refuses to change, delete, replace or renumber rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

_REFUSE = "'append-only'"


def guard(connection: Connection, table: str) -> None:
    """Make the database refuse to change or delete a table's rows, and new ones with a number that is not the next."""
    for statement in _guards(connection.dialect.name, table):
        connection.exec_driver_sql(statement)


@contextmanager
def unguarded(connection: Connection, table: str) -> Iterator[None]:
    """Let a migration change the rows of a guarded table; the guard is back afterwards, in the same transaction."""
    for statement in _removals(connection.dialect.name, table):
        connection.exec_driver_sql(statement)
    yield
    guard(connection, table)


def missing_guards(connection: Connection, table: str) -> tuple[str, ...]:
    """The triggers of an append-only table that are not there, are switched off, or do something else; by name."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        there = {row.name: row.sql for row in found}
    else:
        found = connection.exec_driver_sql(
            f"""
            SELECT tgname AS name, prosrc AS body FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
            WHERE tgrelid = '{table}'::regclass AND tgenabled IN ('O', 'A') AND NOT tgisinternal
            """  # noqa: S608  # a table of ours
        )
        there = {row.name: row.body for row in found}
    wanted = _bodies(dialect, table)
    return tuple(name for name, body in wanted.items() if there.get(name, "").split() != body.split())


def _bodies(dialect: str, table: str) -> dict[str, str]:
    """What each trigger of a table does: on SQLite all that creates it, on Postgres the function's body."""
    statements = [statement.strip() for statement in _guards(dialect, table)]
    triggers = [statement for statement in statements if statement.startswith("CREATE TRIGGER")]
    if dialect == "sqlite":
        return {statement.split()[2]: statement for statement in triggers}
    bodies = {
        statement.split()[4].partition("(")[0]: statement.split("$$")[1]
        for statement in statements
        if statement.startswith("CREATE OR REPLACE FUNCTION")
    }
    return {statement.split()[2]: bodies[statement.split()[-1].partition("(")[0]] for statement in triggers}


def _removals(dialect: str, table: str) -> list[str]:
    # A ledger of an older program has only some of them.
    if dialect == "sqlite":
        names = [f"{table}_{what}" for what in ("no_update", "no_delete", "no_replace", "next_id")]
        return [f"DROP TRIGGER IF EXISTS {name}" for name in names]
    names = [f"{table}_{what}" for what in ("append_only", "no_truncate", "next_id")]
    return [f"DROP TRIGGER IF EXISTS {name} ON {table}" for name in names]


def _guards(dialect: str, table: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, {_REFUSE}); END"
    if dialect == "sqlite":
        last = f"(SELECT coalesce(max(id), 0) FROM {table} WHERE id < NEW.id)"  # noqa: S608  # a table of ours
        known = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608  # as above
        return [
            *(f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} {refuse}" for verb in ("update", "delete")),
            # INSERT OR REPLACE deletes without calling the trigger for deletions.
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {known} {refuse}",
            # Before the insertion, the number that SQLite gives is not known.
            f"CREATE TRIGGER {table}_next_id AFTER INSERT ON {table} WHEN NEW.id <> {last} + 1 {refuse}",
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
        f"""
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()
        """,
        # A delivery that was undone leaves a gap, so the next number is one that the sequence gave, above all others.
        f"""
        CREATE OR REPLACE FUNCTION {table}_next_id() RETURNS trigger LANGUAGE plpgsql AS
        $$ DECLARE given bigint; newest bigint; BEGIN
          SELECT last_value INTO given FROM {table}_id_seq;
          SELECT coalesce(max(id), 0) INTO newest FROM {table};
          IF NEW.id <= newest OR NEW.id > given THEN RAISE EXCEPTION {_REFUSE}; END IF;
          RETURN NEW;
        END $$
        """,  # noqa: S608  # a table of ours
        f"""
        CREATE TRIGGER {table}_next_id BEFORE INSERT ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_next_id()
        """,
    ]
