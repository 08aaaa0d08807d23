"""Batches that are not like those before them: what was found at their delivery and nobody called normal."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from readiness_pipelines.commands import report_command
from readiness_pipelines.contracts import Table, answers_for, products_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BESIDE, BatchFinding, Finding, FindingKind, FoundFinding, Severity
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.latency import Publications

ByBatch = Mapping[str, Sequence[FoundFinding]]


def unusual_batches(
    tables: Mapping[TableId, Table], *, installation: Installation, publications: Publications
) -> Iterator[Finding]:
    """One finding for each table and kind: of its newest batch, unless a later one was published that is as expected.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    grouped: dict[tuple[TableId, FindingKind], dict[str, list[FoundFinding]]] = {}
    for one in installation.ledger.findings.of(tables=tables):
        if one.finding.kind in BESIDE or one.finding.kind is FindingKind.WITHDRAWN:
            continue
        grouped.setdefault((one.ref.table, one.finding.kind), {}).setdefault(one.ref.batch, []).append(one)
    for (name, _), batches in grouped.items():
        table, published = tables[name], [one.batch for one in publications.get(name, ())]
        newest = max(batches, key=table.batches.order)
        if any(table.batches.order(batch) > table.batches.order(newest) for batch in published):
            continue
        unusual = [one for one in batches[newest] if not _is_normal(table, one, batches)]
        if unusual:
            yield _finding(table, unusual, first_batch=_first_like(table, unusual[0], batches))


def _is_normal(table: Table, one: FoundFinding, batches: ByBatch) -> bool:
    """Whether somebody called it normal: in this batch, or, of a source's columns, in one before."""
    if one.normal_at is not None:
        return True
    place = table.batches.order(one.ref.batch)
    return one.finding.kind is FindingKind.SCHEMA and any(
        other.normal_at is not None and _same(one.finding, other.finding)
        for batch, others in batches.items()
        if table.batches.order(batch) < place
        for other in others
    )


def _first_like(table: Table, one: FoundFinding, batches: ByBatch) -> str:
    """The oldest batch of which the same was found."""
    like: Collection[str] = [
        batch for batch, others in batches.items() if any(_same(other.finding, one.finding) for other in others)
    ]
    return min(like, key=table.batches.order)


def _finding(table: Table, unusual: Sequence[FoundFinding], *, first_batch: str) -> Finding:
    first = unusual[0]
    seen = _about(first.finding) + (f", and {len(unusual) - 1} more" if len(unusual) > 1 else "")
    if first.finding.kind is FindingKind.SCHEMA:
        seen += f"; first in {first_batch}"
    column = f"{first.finding.column}: " if first.finding.column else ""
    return Finding(
        kind=first.finding.kind,
        severity=Severity.WARN,
        table=table.id,
        batch=first.ref.batch,
        promised=f"{column}{first.finding.promised}",
        seen=seen,
        since=min(one.found_at for one in unusual),
        details=tuple(
            f"{_about(one.finding)} (expected: {one.finding.promised}{_how_unusual(one.finding)})" for one in unusual
        ),
        way_out=report_command(table.id.domain),
        answers=answers_for(table),
        at_risk=products_of(table),
    )


def _about(finding: BatchFinding) -> str:
    return f"{finding.column}: {finding.seen}" if finding.column else finding.seen


def _how_unusual(finding: BatchFinding) -> str:
    p = finding.details.get("p")
    return "" if p is None else f"; by chance p = {p:.0e}"


def _same(one: BatchFinding, other: BatchFinding) -> bool:
    return (one.measured, one.column) == (other.measured, other.column)
