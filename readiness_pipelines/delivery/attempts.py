"""One delivery of a batch at a time: the second waits on the same machine, and gives way on another one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Domain, Table
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.errors import LedgerError, ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchContents, Home
from readiness_pipelines.masking import quoted
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAttempt:
    """A delivery that has begun.

    Attributes:
        id: Tells it from all others, in the ledger and in the snapshots that it makes.
        confirm: Raises `CommitConflictError` once another delivery of the batch has begun. Asked after the table is
            loaded and before each commit: what was judged before the other's rows must not replace them.
        committed: What it has put into the Iceberg tables so far; the ledger keeps it with the batch's record.
    """

    id: str
    confirm: Callable[[], None]
    committed: list[BatchContents] = field(default_factory=list)


def home_of(table: Table) -> Home:
    """Where a table is declared: what the ledger remembers of whoever delivers it first."""
    domain: Domain = table.domain
    source = getattr(table, "source", None)
    return Home(module=domain.module, owner=domain.owner, origin=source.origin if source else "")


@contextmanager
def attempted(table: Table, ref: BatchRef, *, installation: Installation, run: Run) -> Iterator[OpenAttempt]:
    """Begin a delivery of a batch; an error ends it, and so does the record that it leaves in the ledger.

    Args:
        table: The table that is declared.
        ref: The batch, of the table or of its raw rows.
        installation: Where the ledger is.
        run: Who, and when.

    Raises:
        DeclarationError: Another declaration delivers a table of this name: its rows would be overwritten.
        LedgerError: The ledger cannot be reached.
        LakehouseBusyError: Another process has delivered the batch for longer than is waited.
    """
    attempt = uuid4().hex
    ledger = installation.ledger
    ledger.claim(table.id, home_of(table), at=run.clock())
    with handling_rows(table), installation.lakehouse.turn(str(ref.table), ref.batch, run_id=run.run_id):
        ledger.begin(ref, attempt=attempt, run_id=run.run_id, who=run.who, at=run.clock())
        try:
            yield OpenAttempt(id=attempt, confirm=lambda: ledger.confirm(ref, attempt=attempt))
        except Exception as error:
            # A ledger that is gone, too, keeps the attempt open: the first error is the one to see.
            with suppress(LedgerError):
                ledger.fail(ref, attempt=attempt, at=run.clock(), error=_said(error))
            raise


def _said(error: Exception) -> str:
    """What an error says, as the ledger keeps it for ever: ours as they are, of others nothing that may be a value."""
    return str(error) if isinstance(error, ReadinessError) else f"{type(error).__name__}: {quoted(error)}"


def left_by_crash(store: TableId, ref: BatchRef, installation: Installation) -> bool:
    """Whether what an Iceberg table has of a batch was committed by a delivery that never came to its end."""
    if not installation.lakehouse.exists(store):
        return False
    last = installation.lakehouse.last_attempts(store).get(ref.batch)
    if last is None:
        return False
    ended = installation.ledger.recorded_attempts(ref.table, batch=ref.batch)
    return last not in ended.get(ref.batch, frozenset())


def must_commit(store: TableId, ref: BatchRef, installation: Installation) -> bool:
    """Whether a delivery without rows for an Iceberg table must commit: to clear rows, or what a crash left.

    The newest snapshot of every batch is then one of a delivery that the ledger recorded, which is what `reconcile`
    looks for.
    """
    lakehouse = installation.lakehouse
    return lakehouse.exists(store) and (
        bool(lakehouse.files(store, batch=ref.batch)) or left_by_crash(store, ref, installation)
    )
