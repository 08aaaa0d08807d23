"""What depends on what, over all declared tables: upstream, downstream, and what a changed column reaches."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from readiness_pipelines.contracts import GatedTable, Kpi, Table
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.lineage.influences import ANY_COLUMN, ColumnLineage, How, Influence
from readiness_pipelines.names import TableId

ROWS = ""
"""In place of a column: which rows the table has."""


class Node(NamedTuple):
    """A column of a table, or `ROWS`."""

    table: TableId
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}" if self.column else f"{self.table} (which rows)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLink:
    """A step from one column to another.

    Attributes:
        node: Where it leads to: what something is made of, or what is made of it.
        how: How.
        masking: Whether values are protected on the way.
    """

    node: Node
    how: How
    masking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A column, and what follows from it.

    Attributes:
        node: The column.
        links: How it is reached from the branch above; none for the first.
        again: Whether it was shown before, and is not followed once more.
        branches: What follows.
    """

    node: Node
    links: tuple[ColumnLink, ...] = ()
    again: bool = False
    branches: tuple["Branch", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What a change of a column reaches.

    Attributes:
        node: The column.
        columns: Columns that have its values in them, or that it decides about, in the order rows flow.
        rows: Tables of which it decides which rows they have, or whose inputs' rows it decides.
        tables: All tables with one of these.
        kpis: Those among them that are KPIs.
        consumers: Who declared that they rely on one of these tables, or its columns.
        unresolved: Why more may be reached than is named here, or less, by table.
    """

    node: Node
    columns: tuple[ColumnLink, ...]
    rows: tuple[TableId, ...]
    tables: tuple[TableId, ...]
    kpis: tuple[TableId, ...]
    consumers: tuple[str, ...]
    unresolved: Mapping[TableId, tuple[str, ...]] = field(default_factory=dict)


class LineageGraph:
    """Column lineage over some tables; each table's is found when it is first needed.

    Args:
        tables: The tables, each after what it reads: those of all domains.
        lineage: What a table's columns are made of.
    """

    def __init__(self, tables: Iterable[Table], lineage: Callable[[Table], ColumnLineage]) -> None:
        self._tables = {table.id: table for table in tables}
        self._lineage = lineage
        self._known: dict[TableId, ColumnLineage] = {}

    def of(self, table: TableId) -> ColumnLineage | None:
        """What a table's columns are made of; ``None`` for raw tables, which are made of a source's."""
        declared = self._tables.get(table)
        if declared is None:
            return None
        if table not in self._known:
            self._known[table] = self._lineage(declared)
        return self._known[table]

    def node(self, text: str) -> Node:
        """The column or table that a text names: ``shop.orders``, ``shop.orders.amount``, ``shop_raw.orders.amount``.

        Raises:
            UnknownNameError: There is no such table or column; names the nearest.
        """
        table, column = self._split(text)
        if not column:
            return Node(table, ROWS)
        known = self.columns(table)
        for name in known:
            if name.lower() == column.lower():
                return Node(table, name)
        if table.is_raw:
            return Node(table, column)  # a source may have columns that no gate asks for
        raise UnknownNameError(f"column of {table}", column, known)

    def _split(self, text: str) -> tuple[TableId, str]:
        parts = text.split(".", 2)
        if len(parts) == 1:
            known = [str(one) for one in self._tables]
            raise UnknownNameError("table", text, known)
        table = TableId.parse(".".join(parts[:2]))
        if table not in self._tables and table not in self._raw:
            raise UnknownNameError("table", str(table), [str(one) for one in (*self._tables, *self._raw)])
        return table, parts[2] if len(parts) > 2 else ""  # noqa: PLR2004  # domain, name and column

    @cached_property
    def _raw(self) -> Mapping[TableId, TableId]:
        """The table that each raw table feeds."""
        return {one.id.raw: one.id for one in self._tables.values() if isinstance(one, GatedTable)}

    def columns(self, table: TableId) -> tuple[str, ...]:
        """The columns of a table that are known; of a raw table those that its gate asks for."""
        found = self.of(self._raw.get(table, table))
        if found is None:
            return ()
        if table not in self._raw:
            return tuple(found.columns)
        asked = {one.column for made in found.columns.values() for one in made if one.table == table}
        return tuple(sorted(asked))

    def made_of(self, node: Node) -> tuple[ColumnLink, ...]:
        """What a column is made of and what decides about it, or about which rows its table has; by one step."""
        found = self.of(node.table)
        if found is None:
            return ()
        influences = found.rows if node.column == ROWS else found.columns.get(node.column, frozenset())
        return tuple(_link(one) for one in sorted(influences, key=_shown_order))

    def makes(self, node: Node) -> tuple[ColumnLink, ...]:
        """What is made of a column, or decided by it; by one step. What is made of "any column" may be made of it."""
        if node.column == ROWS:
            return tuple(ColumnLink(node=Node(reader, ROWS), how=How.FILTER) for reader in self._readers(node.table))
        found: list[ColumnLink] = []
        for reader in self._readers(node.table):
            lineage = self.of(reader)
            if lineage is None:
                continue
            parts = [*lineage.columns.items(), (ROWS, lineage.rows)]
            for column, influences in parts:
                ways = [
                    one for one in influences if one.table == node.table and one.column in (node.column, ANY_COLUMN)
                ]
                found += [
                    ColumnLink(node=Node(reader, column), how=one.how, masking=one.masking)
                    for one in sorted(ways, key=_shown_order)
                ]
        return tuple(found)

    def _readers(self, table: TableId) -> tuple[TableId, ...]:
        if table in self._raw:
            return (self._raw[table],)
        declared = self._tables.get(table)
        if declared is None:
            return ()
        read = [one.id for one in declared.readers if one.id in self._tables]
        compared = [
            one.id
            for one in self._tables.values()
            if any(read.table.id == table for read in one.references.values()) and one.id != table
        ]
        return tuple(dict.fromkeys([*read, *compared]))

    def upstream(self, node: Node, *, direct: bool = False) -> Branch:
        """All that a column comes from, back to the sources.

        Args:
            node: The column.
            direct: Only columns whose values are in it, not those that decide.
        """
        return self._tree(node, (), self.made_of, direct=direct, seen=set())

    def downstream(self, node: Node, *, direct: bool = False) -> Branch:
        """All that is made of a column, down to the products.

        Args:
            node: The column.
            direct: Only columns that have its values in them, not those that it decides about.
        """
        return self._tree(node, (), self.makes, direct=direct, seen=set())

    def _tree(
        self,
        node: Node,
        links: tuple[ColumnLink, ...],
        step: Callable[[Node], tuple[ColumnLink, ...]],
        *,
        direct: bool,
        seen: set[Node],
    ) -> Branch:
        if node in seen:
            return Branch(node=node, links=links, again=bool(step(node)))
        seen.add(node)
        onwards: dict[Node, list[ColumnLink]] = {}
        for link in step(node):
            if (link.how.direct or not direct) and link.node != node:
                onwards.setdefault(link.node, []).append(link)
        branches = tuple(self._tree(to, tuple(ways), step, direct=direct, seen=seen) for to, ways in onwards.items())
        return Branch(node=node, links=links, branches=branches)

    def impact(self, node: Node) -> Impact:
        """What a change of a column reaches: columns, tables, KPIs, and those who rely on them."""
        reached: dict[Node, ColumnLink] = {}
        left = [node]
        while left:
            for link in self.makes(left.pop()):
                known = reached.get(link.node)
                if known is None:
                    left.append(link.node)
                if known is None or (link.how.direct and not known.how.direct):
                    reached[link.node] = link
        order = {table: place for place, table in enumerate(self._tables)}
        links = sorted(reached.values(), key=lambda link: (order.get(link.node.table, -1), link.node.column))
        tables = tuple(dict.fromkeys(link.node.table for link in links))
        return Impact(
            node=node,
            columns=tuple(link for link in links if link.node.column != ROWS),
            rows=tuple(link.node.table for link in links if link.node.column == ROWS),
            tables=tables,
            kpis=tuple(one for one in tables if isinstance(self._tables.get(one), Kpi)),
            consumers=tuple(dict.fromkeys(self._consumers([node, *reached]))),
            unresolved={one: found.unresolved for one in tables if (found := self.of(one)) and found.unresolved},
        )

    def _consumers(self, reached: Iterable[Node]) -> Iterator[str]:
        """Who declared that they rely on a table, or on columns of it, that are reached."""
        for node in reached:
            declared = self._tables.get(node.table)
            for consumer in declared.consumers if declared is not None else ():
                if not consumer.columns or node.column == ROWS or node.column in consumer.columns:
                    yield str(consumer)


def _link(one: Influence) -> ColumnLink:
    return ColumnLink(node=Node(one.table, one.column), how=one.how, masking=one.masking)


def _shown_order(one: Influence) -> tuple[bool, TableId, str, str]:
    """Values before what decides."""
    return not one.how.direct, one.table, one.column, one.how.value
