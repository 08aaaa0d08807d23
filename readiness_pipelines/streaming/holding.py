"""What a stream waits for that is declared to pause: a window that is held, or that could not be judged."""

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery.rolling import early_hold
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord


def held_back(table: GatedTable, installation: Installation) -> str:
    """Why no message is to be taken now; "" where nothing stands against it.

    A window that was sealed and has no verdict yet counts: its delivery is under way, was cut off, or broke.

    Raises:
        LedgerError: The ledger cannot be reached.
        LakehouseError: A table cannot be read.
    """
    held = installation.ledger.batches(tables=[table.id], state=BatchState.HELD)
    waiting = [(record, f"is held: {record.reason or 'its gate says so'}") for record in held]
    waiting += _unjudged(table, installation)
    if not waiting:
        return ""
    record, why = min(waiting, key=lambda one: table.batches.order(one[0].ref.batch))
    more = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
    return f"batch {record.ref.batch} {why}{more}"


def _unjudged(table: GatedTable, installation: Installation) -> list[tuple[BatchRecord, str]]:
    """Windows without a verdict to which nothing is added any more."""
    ledger, found = installation.ledger, []
    early = early_hold(table, installation)
    for record in ledger.batches(tables=[table.id], state=BatchState.OPEN):
        raw = ledger.get(BatchRef(table.id.raw, record.ref.batch))
        if early is not None and early.window == record.ref.batch:
            found.append((record, f"is held: {early.why}"))
        elif raw is not None and raw.state is BatchState.SEALED:
            found.append((record, "is sealed and not judged yet"))
    return found
