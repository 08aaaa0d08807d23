"""What tables promise now, kept in the ledger when it changes, with whom the change breaks."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.compatibility.verdict import ContractVerdict, NoticeState, concerns, judge_change
from readiness_pipelines.contracts import Domain, Table
from readiness_pipelines.domains import tables_of
from readiness_pipelines.errors import DeclarationError, GateBuildError
from readiness_pipelines.installation import Installation
from readiness_pipelines.interop.bounded_yaml import parse_yaml
from readiness_pipelines.interop.odcs.baseline import consumer_needs
from readiness_pipelines.interop.odcs.checking import declared_contract
from readiness_pipelines.interop.odcs.reading import read_odcs
from readiness_pipelines.interop.odcs.writing import odcs_text
from readiness_pipelines.ledger import KnownBreakage
from readiness_pipelines.names import TableId

_TABLES_KEPT = 4_096


def publish_contracts(
    domains: Iterable[Domain], *, installation: Installation, now: datetime, most: int | None = None
) -> tuple[TableId, ...]:
    """Keep the contracts of some domains where they are others than those kept last. Safe to do at any time.

    A table whose gate cannot be built, or whose consumer has a contract that cannot be read, is left for later: that is
    found elsewhere.

    Args:
        domains: The domains.
        installation: Where the ledger is.
        now: The time.
        most: How many tables that this process has not looked at yet are looked at now; ``None`` for all. Whoever comes
            again every half minute need not do all at once.

    Returns:
        The tables whose contract changed.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    tables = tables_of(domains)
    newest = installation.ledger.contracts.newest(list(tables))
    changed = []
    for ident, table in tables.items():
        if table not in _DECLARED:
            if most is not None and most <= 0:
                continue
            most = None if most is None else most - 1
        with suppress(GateBuildError, DeclarationError):
            contract, version = _declared(table)
            if version != newest.get(ident) and _publish(table, contract, version, installation=installation, now=now):
                changed.append(ident)
    return tuple(changed)


def _publish(table: Table, contract: Contract, version: str, *, installation: Installation, now: datetime) -> bool:
    """Keep a contract that is another one; whether it was kept."""
    kept = installation.ledger.contracts.of(table.id)
    breakages: list[KnownBreakage] = []
    if kept:
        (old,) = read_odcs(parse_yaml(kept[-1].text.encode(), file=str(table.id))).contracts
        verdict = judge_change(old, contract, today=now.date(), needs=consumer_needs(table))
        breakages = [*_breakages(verdict), *_announced(verdict, contract)]
    return installation.ledger.contracts.keep(
        table.id, version=version, text=odcs_text(contract), breakages=breakages, at=now
    )


_DECLARED: dict[Table, tuple[Contract, str]] = {}
"""What the tables of this process promise, and the versions of that: the same as long as they are there."""


def _declared(table: Table) -> tuple[Contract, str]:
    if table not in _DECLARED:
        if len(_DECLARED) >= _TABLES_KEPT:  # where a process makes domains again and again, as tests do
            _DECLARED.clear()
        contract = declared_contract(table)
        _DECLARED[table] = contract, contract.version
    return _DECLARED[table]


def _breakages(verdict: ContractVerdict) -> Iterator[KnownBreakage]:
    for one in verdict.breakages:
        if one.who:
            yield KnownBreakage(
                who=one.who,
                contact=one.contact,
                of=one.change.subject,
                what=one.change.what,
                noticed=one.notice is NoticeState.KEPT,
            )


def _announced(verdict: ContractVerdict, contract: Contract) -> Iterator[KnownBreakage]:
    """The changes that are announced now, for each consumer that they are about."""
    new = {one.subject for one in verdict.changes if one.subject.startswith("announcement of ")}
    for change in contract.announced:
        if f"announcement of {change.what}" not in new:
            continue
        for who in contract.consumers:
            if concerns(change, who, contract):
                yield KnownBreakage(
                    who=who.name,
                    contact=who.contact,
                    of=change.what,
                    what=f"will change: {change.why}",
                    until=change.effective.isoformat(),
                )
