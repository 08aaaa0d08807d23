"""What was found about batches at their delivery: unusual rows, values or columns, and who called it normal."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.finding import FindingKind
from readiness_pipelines.ledger.keys import batch_key, batch_of, in_tables, is_batch
from readiness_pipelines.ledger.tables import FINDINGS
from readiness_pipelines.names import TableId

BESIDE = frozenset({FindingKind.PROOF, FindingKind.QUEUE, FindingKind.ONLINE})
"""What is found beside deliveries, about a batch and not about what is usual: open until it is not so any more."""

UNLIKE = frozenset({FindingKind.VOLUME, FindingKind.DISTRIBUTION})
"""A batch with such a finding is not an example for later ones, until somebody says that it is normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFinding:
    """Something about a batch that is not as in the batches before it.

    Attributes:
        kind: What it is about.
        measured: What was compared: rows, values, missing values, a column's type …
        column: The column; ``None`` for the batch as a whole.
        promised: What was expected, for people.
        seen: What was seen, for people.
        details: What else there is to know, as JSON.
    """

    kind: FindingKind
    measured: str
    column: str | None
    promised: str
    seen: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFinding:
    """A finding in the ledger: of which batch, since when, and who called it normal."""

    ref: BatchRef
    finding: BatchFinding
    found_at: datetime
    normal_at: datetime | None
    normal_by: str | None
    normal_why: str | None


class Findings:
    """What was found about batches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(
        self, *, tables: Collection[TableId] | None = None, batch: BatchRef | None = None
    ) -> tuple[FoundFinding, ...]:
        """What was found in some tables or in a batch, in the order in which it was found."""
        query = select(FINDINGS).order_by(FINDINGS.c.id)
        if tables is not None:
            query = query.where(in_tables(FINDINGS, tables))
        if batch is not None:
            query = query.where(is_batch(FINDINGS, batch))
        with self._database.reading() as connection:
            return tuple(_found(row) for row in connection.execute(query))

    def replace(self, ref: BatchRef, found: Mapping[FindingKind, Sequence[BatchFinding]], *, at: datetime) -> None:
        """Put what was found of a batch since its delivery in place of what was found before, kind by kind."""
        with self._database.writing() as connection:
            replace_findings(connection, ref, found, at=at)

    def accept(
        self, ref: BatchRef, kinds: Iterable[FindingKind], *, who: str, why: str, at: datetime
    ) -> tuple[FoundFinding, ...]:
        """Call what was found of a batch normal: from this batch on, so are batches like it.

        Raises:
            LedgerError: No reason, or nothing of these kinds was found.
        """
        if not why.strip():
            raise LedgerError(f"calling {ref} normal has no reason", way_out='give one: --reason "…"')
        chosen = (is_batch(FINDINGS, ref), FINDINGS.c.kind.in_([kind.value for kind in kinds]))
        with self._database.writing() as connection:
            values = {"normal_at": at, "normal_by": who, "normal_why": why}
            if not connection.execute(update(FINDINGS).where(*chosen).values(**values)).rowcount:
                raise LedgerError(
                    f"nothing was found of {ref} that could be normal", way_out="readiness incidents list"
                )
        return tuple(one for one in self.of(batch=ref) if one.normal_at == at)


def replace_findings(
    connection: Connection, ref: BatchRef, found: Mapping[FindingKind, Sequence[BatchFinding]], *, at: datetime
) -> None:
    """Put what was found of a batch in place of what was found before, kind by kind; what is normal stays so."""
    old = connection.execute(select(FINDINGS).where(is_batch(FINDINGS, ref))).all()
    normal = {(row.kind, row.measured, row.column_name): row for row in old if row.normal_at is not None}
    first = {(row.kind, row.measured, row.column_name): row.found_at for row in old}
    connection.execute(
        delete(FINDINGS).where(is_batch(FINDINGS, ref), FINDINGS.c.kind.in_([kind.value for kind in found]))
    )
    for one in (one for findings in found.values() for one in findings):
        key = (one.kind.value, one.measured, one.column)
        kept = normal.get(key)
        connection.execute(
            insert(FINDINGS).values(
                **batch_key(ref),
                kind=one.kind.value,
                measured=one.measured,
                column_name=one.column,
                promised=one.promised,
                seen=one.seen,
                details=dict(one.details),
                found_at=first.get(key, at),
                normal_at=kept.normal_at if kept else None,
                normal_by=kept.normal_by if kept else None,
                normal_why=kept.normal_why if kept else None,
            )
        )


def _found(row: Any) -> FoundFinding:
    return FoundFinding(
        ref=batch_of(row),
        finding=BatchFinding(
            kind=FindingKind(row.kind),
            measured=row.measured,
            column=row.column_name,
            promised=row.promised,
            seen=row.seen,
            details=row.details,
        ),
        found_at=row.found_at,
        normal_at=row.normal_at,
        normal_by=row.normal_by,
        normal_why=row.normal_why,
    )
