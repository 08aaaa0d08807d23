"""Which tables are made of which: as declared, and as the ledger recorded what was read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.lineage.reads import read_text
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLink:
    """One table that another is made of, or compared with.

    Attributes:
        table: The table that is read.
        reader: The table that reads it.
        which: What of it is read, in words: "shop.orders (the batch before)".
        compared: Whether its rows are only compared with.
        declared: Whether the code says so; a link that is not declared any more is still recorded.
        batch: The batch of the reader that was delivered last; "" where none was.
        recorded: The snapshots that this batch read of the table, by the table's batch.
    """

    table: TableId
    reader: TableId
    which: str
    compared: bool = False
    declared: bool = True
    batch: str = ""
    recorded: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBranch:
    """A table, and those that it is made of or that are made of it.

    Attributes:
        table: The table.
        link: How it is reached from the branch above; ``None`` for the first.
        source: Where its rows come from, for a raw table; "" for others.
        again: Whether it was shown before, and is not followed once more.
        branches: What follows.
    """

    table: TableId
    link: TableLink | None = None
    source: str = ""
    again: bool = False
    branches: tuple["TableBranch", ...] = ()


def table_links(tables: Iterable[Table], *, installation: Installation | None = None) -> tuple[TableLink, ...]:
    """All links between some tables: as declared, with what the last delivery read.

    Args:
        tables: The tables.
        installation: Where the ledger is; ``None`` for declarations alone.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    found: list[TableLink] = []
    for table in tables:
        record = installation.ledger.latest(table.id) if installation is not None else None
        declared = list(_declared(table))
        found += [_with_record(link, record) for link in declared]
        known = {link.table for link in declared} | {table.id, table.id.versions, table.id.profiles}
        for ident in record.inputs if record is not None else ():
            if ident not in known:
                link = TableLink(table=ident, reader=table.id, which=str(ident), declared=False)
                found.append(_with_record(link, record))
    return tuple(found)


def _declared(table: Table) -> Iterable[TableLink]:
    if isinstance(table, GatedTable):
        yield TableLink(table=table.id.raw, reader=table.id, which=str(table.id.raw))
    for read in table.reads.values():
        yield TableLink(table=read.table.id, reader=table.id, which=read_text(read))
    for read in table.references.values():
        yield TableLink(table=read.table.id, reader=table.id, which=read_text(read), compared=True)


def _with_record(link: TableLink, record: BatchRecord | None) -> TableLink:
    if record is None:
        return link
    return TableLink(
        table=link.table,
        reader=link.reader,
        which=link.which,
        compared=link.compared,
        declared=link.declared,
        batch=record.ref.batch,
        recorded=dict(record.inputs.get(link.table, {})),
    )


def table_tree(start: TableId, tables: Iterable[Table], links: Iterable[TableLink], *, upstream: bool) -> TableBranch:
    """The tables that one is made of, back to the sources; or that are made of it, down to the products.

    Args:
        start: The table.
        tables: The declared tables.
        links: Their links.
        upstream: Whether it goes back to the sources.

    Raises:
        UnknownNameError: No such table; names the nearest.
    """
    declared = {table.id: table for table in tables}
    fed = [one for one in declared.values() if isinstance(one, GatedTable)]
    sources = {one.id.raw: f"{one.source.origin}: {one.source.reader.describe()}" for one in fed}
    if start not in declared and start not in sources:
        raise UnknownNameError("table", str(start), [str(one) for one in (*declared, *sources)])
    onwards: dict[TableId, list[TableLink]] = {}
    for link in links:
        onwards.setdefault(link.reader if upstream else link.table, []).append(link)
    following: Callable[[TableLink], TableId] = (lambda link: link.table) if upstream else (lambda link: link.reader)
    seen: set[TableId] = set()

    def branch(table: TableId, link: TableLink | None) -> TableBranch:
        source = sources.get(table, "")
        if table in seen:
            return TableBranch(table=table, link=link, source=source, again=bool(onwards.get(table)))
        seen.add(table)
        branches = tuple(branch(following(one), one) for one in onwards.get(table, ()) if following(one) != table)
        return TableBranch(table=table, link=link, source=source, branches=branches)

    return branch(start, None)
