"""The only place where a delivery commits to a table or records what became of a batch."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import duckdb

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import NO_ROWS, Marks, Staged
from readiness_pipelines.ledger import BatchContents, BatchFinding, BatchRecord, FileContents, FindingKind
from readiness_pipelines.names import TableId

ANCHOR = "readiness.trail"
"""The snapshots' property that names the last rows of the ledger's trail: two stores would have to be forged alike."""


def commit_rows(
    store: TableId,
    staged: Staged,
    ref: BatchRef,
    *,
    attempt: OpenAttempt,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
    run: Run,
    facts: Mapping[str, object] | None = None,
    whole: bool = False,
    marks: Marks | None = None,
) -> int:
    """Put staged rows in place of what an Iceberg table has of a batch, in one snapshot.

    Args:
        store: The Iceberg table.
        staged: The rows.
        ref: The batch of the table that is delivered.
        attempt: The delivery.
        installation: Where the tables are.
        engine: Reads the staged files back.
        run: Who, and when.
        facts: What else the snapshot's summary should tell: counts, the gate's version, decisions.
        whole: Replace all that the table has, not only the batch.
        marks: Table properties to set in the same commit.

    Returns:
        The snapshot.

    Raises:
        CommitConflictError: Another delivery of the batch has begun.
        LakehouseError: The table cannot be written.
    """
    contents = _contents(store, staged, installation, engine)
    properties = {
        "readiness.table": str(ref.table),
        "readiness.batch": ref.batch,
        "readiness.run": run.run_id,
        "readiness.attempt": attempt.id,
        **{f"readiness.{name}": str(value) for name, value in (facts or {}).items()},
        ANCHOR: installation.ledger.anchor(),
        "readiness.rows": str(contents.rows),
        "readiness.digest": contents.digest,
        "readiness.files": json.dumps([asdict(file) for file in contents.files]),
    }
    commit = installation.lakehouse.replace(
        store, staged, properties=properties, confirm=attempt.confirm, whole=whole, marks=marks
    )
    attempt.committed.append(replace(contents, snapshot=commit.snapshot_id))
    return commit.snapshot_id


def _contents(
    store: TableId, staged: Staged, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> BatchContents:
    """What staged files hold, read back from where they lie: what is committed is what is kept of it."""
    lakehouse = installation.lakehouse
    digest = lakehouse.digest_staged(engine, staged) if staged.files else NO_ROWS
    files = [
        FileContents(path=file.name, size_bytes=file.size_bytes, sha256=file.sha256, rows=rows)
        for file, rows in lakehouse.staged_files(staged)
    ]
    ref = BatchRef(store, staged.batch)
    return BatchContents(ref=ref, snapshot=0, rows=digest.rows, digest=digest.text, files=tuple(files))


def record_batch(
    record: BatchRecord,
    *,
    attempt: OpenAttempt,
    installation: Installation,
    run: Run,
    what: str,
    why: str | None = None,
    details: Mapping[str, Any] | None = None,
    found: Mapping[FindingKind, Sequence[BatchFinding]] | None = None,
    profile: str | None = None,
) -> None:
    """Record in the ledger what became of a batch and what its delivery committed; see `Ledger.record`.

    Raises:
        CommitConflictError: Another delivery of the batch has begun, and takes precedence.
        LedgerError: Rows that are not accounted for, or a move that is not allowed.
    """
    installation.ledger.record(
        record,
        what=what,
        who=run.who,
        why=why,
        details=details,
        found=found,
        committed=attempt.committed,
        profile=profile,
    )
