"""The contracts that the code declares against those that consumers know."""

from collections.abc import Iterable, Mapping
from datetime import date

from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.compatibility.declared import contract_of
from readiness_pipelines.compatibility.verdict import ContractVerdict, judge_change
from readiness_pipelines.contracts import Table, downstream
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.interop.odcs.baseline import consumer_contract, consumer_needs


def declared_contract(table: Table) -> Contract:
    """The contract that the code declares for a table.

    Raises:
        GateBuildError: Its schema cannot become a gate.
    """
    return contract_of(table, gate_of(table))


def check_contracts(
    tables: Iterable[Table], known: Mapping[str, Contract], *, today: date, whole: bool = True
) -> tuple[ContractVerdict, ...]:
    """What becomes of each table's contract; of those that are gone, too.

    Args:
        tables: The tables that the code declares.
        known: The contracts that consumers know, by table.
        today: The day.
        whole: Whether these are all tables of their domains: what is known and not among them is gone.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
        DeclarationError: A consumer's own contract cannot be read.
    """
    there = list(tables)
    found = [
        judge_change(
            known.get(str(table.id)),
            declared_contract(table),
            today=today,
            needs=consumer_needs(table),
            readers=[str(one.id) for one in downstream(table)],
        )
        for table in there
    ]
    domains = {table.id.domain for table in there}
    names = {str(table.id) for table in there}
    gone = [one for name, one in known.items() if name not in names and name.partition(".")[0] in domains]
    return (*found, *(judge_change(one, None, today=today) for one in gone if whole))


def unread_needs(table: Table) -> tuple[str, ...]:
    """What of the contracts of a table's consumers is not compared, a line each.

    Raises:
        DeclarationError: One of them cannot be read.
    """
    return tuple(
        f"of the contract of {one.name} this is not compared: {left}"
        for one in table.consumers
        if one.contract is not None
        for left in consumer_contract(one).unmapped
    )
