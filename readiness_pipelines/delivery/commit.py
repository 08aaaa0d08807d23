"""The only place where a delivery commits to a table or records what became of a batch."""

from collections.abc import Mapping, Sequence
from typing import Any

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged
from readiness_pipelines.ledger import BatchFinding, BatchRecord, FindingKind
from readiness_pipelines.names import TableId


def commit_rows(
    store: TableId,
    staged: Staged,
    ref: BatchRef,
    *,
    attempt: OpenAttempt,
    installation: Installation,
    run: Run,
    facts: Mapping[str, object] | None = None,
    whole: bool = False,
) -> int:
    """Put staged rows in place of what an Iceberg table has of a batch, in one snapshot.

    Args:
        store: The Iceberg table.
        staged: The rows.
        ref: The batch of the table that is delivered.
        attempt: The delivery.
        installation: Where the tables are.
        run: Who, and when.
        facts: What else the snapshot's summary should tell: counts, the gate's version, decisions.
        whole: Replace all that the table has, not only the batch.

    Returns:
        The snapshot.

    Raises:
        CommitConflictError: Another delivery of the batch has begun.
        LakehouseError: The table cannot be written.
    """
    properties = {
        "readiness.table": str(ref.table),
        "readiness.batch": ref.batch,
        "readiness.run": run.run_id,
        "readiness.attempt": attempt.id,
        **{f"readiness.{name}": str(value) for name, value in (facts or {}).items()},
    }
    commit = installation.lakehouse.replace(store, staged, properties=properties, confirm=attempt.confirm, whole=whole)
    return commit.snapshot_id


def record_batch(
    record: BatchRecord,
    *,
    installation: Installation,
    run: Run,
    what: str,
    why: str | None = None,
    details: Mapping[str, Any] | None = None,
    found: Mapping[FindingKind, Sequence[BatchFinding]] | None = None,
) -> None:
    """Record in the ledger what became of a batch; see `Ledger.record`.

    Raises:
        CommitConflictError: Another delivery of the batch has begun, and takes precedence.
        LedgerError: Rows that are not accounted for, or a move that is not allowed.
    """
    installation.ledger.record(record, what=what, who=run.who, why=why, details=details, found=found)
