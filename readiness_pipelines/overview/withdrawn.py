"""Windows of streams whose seal withdrew rows that consumers may have acted on already."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import GatedTable, Table, answers_for
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, Finding, FindingKind, FoundFinding, Severity
from readiness_pipelines.names import TableId
from readiness_pipelines.sources import StreamReader

LASTS = timedelta(days=7)
"""So long it is a finding, unless somebody closes it or the rows are visible again."""


def withdrawn_windows(
    tables: Mapping[TableId, Table], *, installation: Installation, now: datetime
) -> Iterator[Finding]:
    """One finding for each window of which rows were withdrawn lately.

    No product is at risk: none is made of open windows.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    for ref, one in withdrawals(tables, installation=installation).items():
        if now - one.found_at >= LASTS:
            continue
        yield Finding(
            kind=FindingKind.WITHDRAWN,
            severity=Severity.WARN,
            table=ref.table,
            batch=ref.batch,
            promised=one.finding.promised,
            seen=one.finding.seen,
            since=one.found_at,
            details=(_named(one),),
            way_out=one.finding.details["way_out"],
            answers=answers_for(tables[ref.table]),
        )


def withdrawals(tables: Mapping[TableId, Table], *, installation: Installation) -> Mapping[BatchRef, FoundFinding]:
    """What seals withdrew of the windows of some tables, and is not visible again.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    streamed = [ident for ident, table in tables.items() if _is_streamed(table)]
    if not streamed:
        return {}
    ledger = installation.ledger
    found = (one for one in ledger.findings.of(tables=streamed) if one.finding.kind is FindingKind.WITHDRAWN)
    return {one.ref: one for one in found if _is_gone(one, ledger.get(one.ref))}


def _is_streamed(table: Table) -> bool:
    return isinstance(table, GatedTable) and isinstance(table.source.reader, StreamReader)


def _is_gone(one: FoundFinding, record: BatchRecord | None) -> bool:
    """Whether rows are withdrawn: its seal came to its end, and what it withdrew was not published since."""
    if record is None or not record.state.judged:
        return False
    again = record.state.visible if one.finding.details["held"] else record.state is BatchState.PUBLISHED
    return not again


def _named(one: FoundFinding) -> str:
    details = one.finding.details
    more = details["rows"] - len(details["first"])
    return f"partition/offset: {', '.join(details['first'])}" + (f" and {more:,} more" if more > 0 else "")
