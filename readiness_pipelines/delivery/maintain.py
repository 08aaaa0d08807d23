"""Upkeep of all tables and of the ledger, so that a delivery costs the same after a thousand batches as after ten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.delivery.clones import remove_abandoned_clones
from readiness_pipelines.delivery.settling import CLOCKS_DIFFER_AT_MOST
from readiness_pipelines.errors import DamagedTableError
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import KEPT_SNAPSHOTS, Maintained
from readiness_pipelines.spill import remove_abandoned

RETENTION = timedelta(days=30)
"""How long a table's past can be read, as far as `KEPT_SNAPSHOTS` reaches."""

ORPHAN_AGE = timedelta(days=1)
"""Files younger than this stay, whoever names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """What was done.

    Attributes:
        tables: By table.
        damaged: Tables that cannot be read, and were left alone.
        forgotten_attempts: Closed attempts that the ledger forgot.
        removed_spills: Temporary folders that killed processes of this machine had left.
        removed_clones: Folders of evaluations that killed processes had left in the warehouse.
    """

    tables: tuple[Maintained, ...]
    damaged: tuple[DamagedTableError, ...]
    forgotten_attempts: int
    removed_spills: int
    removed_clones: int


def maintain(
    installation: Installation,
    *,
    now: datetime,
    retention: timedelta = RETENTION,
    orphan_age: timedelta = ORPHAN_AGE,
    most_snapshots: int = KEPT_SNAPSHOTS,
) -> Maintenance:
    """Expire snapshots, remove files that nothing names, and let the ledger forget closed attempts.

    What the ledger tells of a batch stays; what a batch holds now is always readable. Files of a delivery that is under
    way are never touched: they are younger than its beginning, which the ledger knows, and not much older than the
    newest file, whatever the clocks of machines say.

    Args:
        installation: Where the tables and the ledger are.
        now: The time.
        retention: How long snapshots and closed attempts are kept.
        orphan_age: How old a file that nothing names must be to be removed.
        most_snapshots: How many snapshots a table keeps at most.

    Raises:
        LakehouseError: A table cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    begun = [attempt.begun_at for attempt in installation.ledger.open_attempts()]
    begun += [shard.heartbeat_at - CLOCKS_DIFFER_AT_MOST for shard in installation.ledger.streams.running(now)]
    untouched = min([now - orphan_age, *begun])
    tables: list[Maintained] = []
    damaged: list[DamagedTableError] = []
    for table in installation.lakehouse.tables():
        try:
            done = installation.lakehouse.maintain(
                table,
                expire_before=now - retention,
                most_snapshots=most_snapshots,
                orphans_before=untouched,
                orphan_age=orphan_age,
            )
            tables.append(done)
        except DamagedTableError as error:
            damaged.append(error)
    forgotten = installation.ledger.prune(before=now - retention)
    return Maintenance(
        tables=tuple(tables),
        damaged=tuple(damaged),
        forgotten_attempts=forgotten,
        removed_spills=remove_abandoned(),
        removed_clones=sum(
            remove_abandoned_clones(place, now=now, age=orphan_age) for place in installation.lakehouse.homes.places
        ),
    )
