"""Runs the steps from a ledger's version to the program's, one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.database import Database, set_version, version_in
from readiness_pipelines.ledger.migrations.backups import back_up
from readiness_pipelines.ledger.migrations.steps import Step, known_steps
from readiness_pipelines.ledger.tables import FIRST_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """A ledger that was brought to a version.

    Attributes:
        before: Its version before.
        after: Its version now.
        backup: Where the copy of what it was is: a file, or a schema of the database; ``None`` where it was of this
            version already.
    """

    before: int
    after: int
    backup: str | None


def migrate(url: str, *, at: datetime, force: bool = False, steps: Sequence[Step] | None = None) -> Migrated:
    """Bring a ledger to the program's version. Safe to do again, and after a crash: it goes on where it stopped.

    Args:
        url: SQLAlchemy URL of its database.
        at: The time, which the backup is named by.
        force: Whether to migrate while deliveries are open: where a crash left them, and nothing runs.
        steps: The steps; those of this program unless given.

    Raises:
        LedgerError: There is no ledger, it is of a version that cannot be migrated, deliveries are open, or the
            database cannot be used. What the failing step did is undone; the steps before it stay.
    """
    chosen = known_steps() if steps is None else tuple(steps)
    target = chosen[-1].version if chosen else FIRST_VERSION
    database = Database.connect(url)
    before = database.version()
    database.check_supported(before, target)
    assert before is not None  # noqa: S101  # it is supported
    missing = [step for step in chosen if step.version > before]
    if not missing:
        return Migrated(before=before, after=before, backup=None)
    if not force:
        with database.reading() as connection:
            _check_nothing_open(connection, database)
    backup = back_up(database, version=before, at=at)
    for step in missing:
        with database.writing() as connection:
            if version_in(connection) != step.version - 1:
                continue  # somebody else migrates it too, and was faster
            if not force:
                _check_nothing_open(connection, database)
            step.migrate(connection)
            set_version(connection, step.version)
    return Migrated(before=before, after=database.check_version(target), backup=backup)


def _check_nothing_open(connection: Connection, database: Database) -> None:
    """Refuse while deliveries are open: they would write what the older program knows into the newer ledger."""
    found = connection.execute(text("SELECT count(*) FROM ledger_attempts WHERE ended_at IS NULL")).scalar_one()
    if found:
        raise LedgerError(
            f"{found} deliveries are open in the ledger at {database}, so it cannot be migrated now",
            way_out="wait until they have ended; where a crash left them and nothing runs: readiness migrate --force",
        )
