"""The only place where a delivery commits to a table, and the one spelling of what a snapshot says about it."""

from collections.abc import Mapping

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged
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
