"""Consumers that a change of contract breaks, or will: each is to know, wherever it is reached."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from readiness_pipelines.commands import contract_check_command
from readiness_pipelines.contracts import Table, products_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Finding, FindingKind, KnownBreakage, Severity
from readiness_pipelines.names import TableId

LASTS = timedelta(days=7)
"""So long a change that is there is a finding; one that is announced is until its day has come."""

_FAR_BACK = timedelta(days=400)


def broken_consumers(
    tables: Mapping[TableId, Table], *, installation: Installation, now: datetime
) -> Iterator[Finding]:
    """One finding for each consumer of each table, with all that breaks it.

    Args:
        tables: The tables.
        installation: Where the ledger is.
        now: The time.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    found: dict[tuple[TableId, str, str], list[tuple[KnownBreakage, datetime]]] = {}
    for known in installation.ledger.contracts.since(now - _FAR_BACK, tables=tables):
        for one in known.breakages:
            if _lasts(one, known.at, now):
                found.setdefault((known.table, one.who, one.contact), []).append((one, known.at))
    for (ident, who, contact), breakages in found.items():
        first = breakages[0][0]
        more = f", and {len(breakages) - 1} more" if len(breakages) > 1 else ""
        there = any(not one.until and not one.noticed for one, _ in breakages)
        yield Finding(
            kind=FindingKind.CONTRACT,
            severity=Severity.ERROR if there else Severity.WARN,
            table=ident,
            batch=None,
            promised=f"what {who} relies on",
            seen=f"{_said(first)}{more}",
            since=min(at for _, at in breakages),
            details=tuple(_said(one) for one, _ in breakages[1:]),
            way_out=contract_check_command(ident),
            answers=contact,
            at_risk=products_of(tables[ident]),
        )


def _lasts(one: KnownBreakage, at: datetime, now: datetime) -> bool:
    return now.date() < date.fromisoformat(one.until) if one.until else now - at < LASTS


def _said(one: KnownBreakage) -> str:
    if one.until:
        return f"{one.of}: {one.what}, from {one.until} on"
    return f"{one.of} {one.what}" + (", as announced" if one.noticed else "")
