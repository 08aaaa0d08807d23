"""One delivery of a batch at a time: the second waits on the same machine, and gives way on another one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.ledger import BatchRef


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAttempt:
    """A delivery that has begun.

    Attributes:
        id: Tells it from all others, in the ledger and in the snapshots that it makes.
        confirm: Raises `CommitConflictError` once another delivery of the batch has begun. Asked after the table is
            loaded and before each commit: what was judged before the other's rows must not replace them.
    """

    id: str
    confirm: Callable[[], None]


@contextmanager
def attempted(ref: BatchRef, *, installation: Installation, run: Run) -> Iterator[OpenAttempt]:
    """Begin a delivery of a batch; an error ends it, and so does the record that it leaves in the ledger.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    attempt = uuid4().hex
    ledger = installation.ledger
    with installation.lakehouse.turn(ref.table, ref.batch):
        ledger.begin(ref, attempt=attempt, run_id=run.run_id, who=run.who, at=run.clock())
        try:
            yield OpenAttempt(id=attempt, confirm=lambda: ledger.confirm(ref, attempt=attempt))
        except Exception as error:
            # A ledger that is gone, too, keeps the attempt open: the first error is the one to see.
            with suppress(LedgerError):
                ledger.fail(ref, attempt=attempt, at=run.clock(), error=str(error))
            raise


def left_by_crash(table: TableId, ref: BatchRef, installation: Installation) -> bool:
    """Whether what the table has of a batch was committed by a delivery that never came to its end."""
    if not installation.lakehouse.exists(table):
        return False
    last = installation.lakehouse.last_attempts(table).get(ref.batch)
    if last is None:
        return False
    ended = installation.ledger.recorded_attempts(path=ref.path, table=ref.table, batch=ref.batch)
    return last not in ended.get(ref.batch, frozenset())


def has_more_to_say(table: TableId, ref: BatchRef, installation: Installation) -> bool:
    """Whether a delivery with no rows for a table must commit all the same: to clear rows, or to end what a crash left.

    The newest snapshot of every batch is then one of a delivery that the ledger recorded, which is what `reconcile`
    looks for.
    """
    lakehouse = installation.lakehouse
    return lakehouse.exists(table) and (
        bool(lakehouse.files(table, batch=ref.batch)) or left_by_crash(table, ref, installation)
    )
