"""Claims: which declaration a table's name belongs to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from readiness_pipelines.errors import DeclarationError, LedgerError
from readiness_pipelines.ledger.chain import append_row
from readiness_pipelines.ledger.keys import is_table, table_of
from readiness_pipelines.ledger.tables import CLAIMS
from readiness_pipelines.names import TableId

FIRST = "first delivery"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a table is declared.

    Attributes:
        module: The Python module of its domain.
        owner: The domain's owner.
        origin: Where its rows come from: its source's origin, or the tables it is derived from.
    """

    module: str
    owner: str
    origin: str

    def __str__(self) -> str:
        return f"{self.module} (owner {self.owner}" + (f", from {self.origin})" if self.origin else ")")

    def is_same(self, other: "Home") -> bool:
        """Whether two homes are one: the same module, where not both the owner and the origin have changed."""
        return self.module == other.module and (self.owner == other.owner or self.origin == other.origin)


def home_of(connection: Connection, table: TableId) -> Home | None:
    """The home of a table; ``None`` before it is claimed."""
    query = select(CLAIMS).where(is_table(CLAIMS, table)).order_by(CLAIMS.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else Home(module=row.module, owner=row.owner, origin=row.origin)


def homes(connection: Connection) -> Mapping[TableId, Home]:
    """The home of every table that is claimed."""
    rows = connection.execute(select(CLAIMS).order_by(CLAIMS.c.id))
    return {table_of(row): Home(module=row.module, owner=row.owner, origin=row.origin) for row in rows}


def check_home(table: TableId, known: Home, home: Home) -> None:
    """Refuse a declaration of a table that belongs to another one.

    Raises:
        DeclarationError: Another home; names both, and the way out.
    """
    if not known.is_same(home):
        raise DeclarationError(
            f"{table} belongs to {known}, and is also declared by {home}",
            way_out=f"if it is the same table, moved: readiness adopt {table}; if it is another one, "
            "declare it in a domain of another name",
        )


def set_home(connection: Connection, table: TableId, home: Home, *, who: str, why: str, at: datetime) -> None:
    """Give a table a home from now on.

    Raises:
        LedgerError: No reason.
    """
    if not why.strip():
        raise LedgerError(f"adopting {table} has no reason", way_out='give one: --reason "…"')
    append_row(connection, CLAIMS, {"table_name": str(table), **asdict(home), "who": who, "why": why, "at": at})
