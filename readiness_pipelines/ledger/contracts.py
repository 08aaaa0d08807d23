"""Contracts: what a table promised since when, and whom the change to it breaks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.keys import in_tables, is_table, table_of
from readiness_pipelines.ledger.tables import CONTRACTS
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBreakage:
    """Something that a change of contract takes from a consumer, or will.

    Attributes:
        who: The consumer.
        contact: Where it is reached.
        of: What changed: ``column email``.
        what: What happened to it.
        until: For what is only announced, the first day on which it may be there, in ISO form; "" for what is there.
        noticed: Whether it was announced, and the notice is over.
    """

    who: str
    contact: str
    of: str
    what: str
    until: str = ""
    noticed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContract:
    """What a table promised from some time on.

    Attributes:
        table: The table.
        version: The contract's version.
        text: The contract, as it is exported.
        breakages: Whom the change to it breaks.
        at: Since when it is known, in UTC.
    """

    table: TableId
    version: str
    text: str
    breakages: tuple[KnownBreakage, ...]
    at: datetime


class Contracts:
    """What tables promised."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, tables: Collection[TableId]) -> Mapping[TableId, str]:
        """The versions of the newest contracts of some tables, as far as one is known."""
        last = select(func.max(CONTRACTS.c.id)).where(in_tables(CONTRACTS, tables)).group_by(CONTRACTS.c.table_name)
        query = select(CONTRACTS.c.table_name, CONTRACTS.c.version).where(CONTRACTS.c.id.in_(last))
        with self._database.reading() as connection:
            return {TableId.parse(row.table_name): row.version for row in connection.execute(query)}

    def of(self, table: TableId) -> tuple[KnownContract, ...]:
        """All contracts of a table, oldest first."""
        query = select(CONTRACTS).where(is_table(CONTRACTS, table)).order_by(CONTRACTS.c.id)
        with self._database.reading() as connection:
            return tuple(map(_known, connection.execute(query)))

    def since(self, at: datetime, *, tables: Collection[TableId]) -> tuple[KnownContract, ...]:
        """The contracts of some tables that are known since a time, oldest first."""
        query = select(CONTRACTS).where(in_tables(CONTRACTS, tables), CONTRACTS.c.at >= at).order_by(CONTRACTS.c.id)
        with self._database.reading() as connection:
            return tuple(map(_known, connection.execute(query)))

    def keep(
        self, table: TableId, *, version: str, text: str, breakages: Sequence[KnownBreakage], at: datetime
    ) -> bool:
        """Keep a contract, unless it is the newest already; whether it was kept."""
        newest = select(CONTRACTS.c.version).where(is_table(CONTRACTS, table)).order_by(CONTRACTS.c.id.desc()).limit(1)
        values: dict[str, Any] = {"breakages": [asdict(one) for one in breakages], "at": at}
        with self._database.writing() as connection:
            if connection.execute(newest).scalar_one_or_none() == version:
                return False
            connection.execute(insert(CONTRACTS).values(table_name=str(table), version=version, text=text, **values))
        return True


def _known(row: Any) -> KnownContract:
    return KnownContract(
        table=table_of(row),
        version=row.version,
        text=row.text,
        breakages=tuple(KnownBreakage(**one) for one in row.breakages),
        at=row.at,
    )
