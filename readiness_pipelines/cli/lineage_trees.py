"""Lineage as trees for people, of 80 columns, and as JSON for programs."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text
from rich.tree import Tree

from readiness_pipelines.cli.output import OUT, say
from readiness_pipelines.lineage import ROWS, Branch, ColumnLink, Impact, LineageGraph, Node, TableBranch, TableLink

SHOWN_BATCHES = 3
"""So many of the batches that were read are named."""


def show_table(tree: TableBranch) -> None:
    """Print a tree of tables."""
    OUT.print(_table_branch(tree, Tree(_table_words(tree))))


def _table_branch(branch: TableBranch, tree: Tree) -> Tree:
    for one in branch.branches:
        _table_branch(one, tree.add(_table_words(one)))
    return tree


def _table_words(branch: TableBranch) -> Text:
    link = branch.link
    words = Text(str(branch.table), style="bold" if link is None else "")
    if link is not None:
        _, _, which = link.which.partition(" ")
        notes = [which.strip("()")] if which else []
        notes += ["compared with"] if link.compared else []
        notes += [] if link.declared else ["not declared any more"]
        if notes:
            words.append(f" ({', '.join(notes)})", style="dim")
        if link.recorded:
            words.append(f"\n{_recorded(link)}", style="dim")
    if branch.source:
        words.append(f"\nfrom {branch.source}", style="dim")
    if branch.again:
        words.append(" …", style="dim")
    return words


def _recorded(link: TableLink) -> str:
    shown = [f"{batch} at {snapshot}" for batch, snapshot in list(link.recorded.items())[-SHOWN_BATCHES:]]
    more = len(link.recorded) - len(shown)
    earlier = f"{more} more, " if more > 0 else ""
    return f"batch {link.batch} read {earlier}{', '.join(shown)}".replace("* at", "all batches at")


def table_value(branch: TableBranch) -> dict[str, Any]:
    """A tree of tables as JSON."""
    link = branch.link
    return {
        "table": str(branch.table),
        "source": branch.source or None,
        "link": None
        if link is None
        else {
            "reads": link.which,
            "compared": link.compared,
            "declared": link.declared,
            "batch": link.batch or None,
            "recorded": {batch: str(snapshot) for batch, snapshot in link.recorded.items()},
        },
        "again": branch.again,
        "branches": list(map(table_value, branch.branches)),
    }


def show_column(branch: Branch, graph: LineageGraph, *, upstream: bool) -> None:
    """Print a tree of columns, with what is not known about them."""
    OUT.print(_column_branch(branch, Tree(Text(str(branch.node), style="bold"))))
    if upstream and branch.node.column != ROWS:
        rows = Node(branch.node.table, ROWS)
        deciding = ", ".join(dict.fromkeys(str(link.node) for link in graph.made_of(rows)))
        if deciding:
            say(("which rows there are: ", "dim"), deciding)
    for why in _not_known(branch, graph):
        say(("not known: ", "yellow"), why)


def _column_branch(branch: Branch, tree: Tree) -> Tree:
    for one in branch.branches:
        words = Text(str(one.node))
        words.append(f"\n{link_words(one.links)}", style="dim")
        if one.again:
            words.append(" …", style="dim")
        _column_branch(one, tree.add(words))
    return tree


def _not_known(branch: Branch, graph: LineageGraph) -> Iterable[str]:
    found: dict[str, None] = {}
    left = [branch]
    while left:
        one = left.pop()
        lineage = graph.of(one.node.table)
        found |= dict.fromkeys(lineage.unresolved if lineage else ())
        left += one.branches
    return found


def link_words(links: Iterable[ColumnLink]) -> str:
    """How a column has its part, in words: "aggregation, filter", with what protects it."""
    words = list(dict.fromkeys(link.how.value.replace("_", " ") for link in links))
    return ", ".join([*words, *(["protected"] if any(link.masking for link in links) else [])])


def column_value(branch: Branch) -> dict[str, Any]:
    """A tree of columns as JSON."""
    return {
        **_node_value(branch.node),
        "how": [link_value(link) for link in branch.links],
        "again": branch.again,
        "branches": list(map(column_value, branch.branches)),
    }


def _node_value(node: Node) -> dict[str, Any]:
    return {"table": str(node.table), "column": node.column or None}


def link_value(link: ColumnLink) -> dict[str, Any]:
    """How a column has its part, as JSON."""
    return {"type": "direct" if link.how.direct else "indirect", "how": link.how.value, "masking": link.masking}


def impact_lines(impact: Impact) -> Iterator[Text]:
    """What a change of a column reaches, a line each."""
    yield Text.assemble("a change of ", (str(impact.node), "bold"), " reaches")
    if not impact.tables:
        yield Text("  nothing that is declared")
    for table in impact.tables:
        kind = "KPI " if table in impact.kpis else ""
        yield Text.assemble(f"  {kind}", (str(table), "bold"), (" (which rows)", "dim") if table in impact.rows else "")
        for link in impact.columns:
            if link.node.table == table:
                yield Text.assemble(f"    {link.node.column}  ", (link_words([link]), "dim"))
    if impact.consumers:
        yield Text.assemble(("relied on by ", "bold"), ", ".join(impact.consumers))
    for table, reasons in impact.unresolved.items():
        for why in reasons:
            yield Text.assemble(("not known: ", "yellow"), f"{table}: {why}")


def impact_value(impact: Impact) -> dict[str, Any]:
    """What a change of a column reaches, as JSON."""
    return {
        **_node_value(impact.node),
        "columns": [{**_node_value(link.node), **link_value(link)} for link in impact.columns],
        "rows": list(map(str, impact.rows)),
        "tables": list(map(str, impact.tables)),
        "kpis": list(map(str, impact.kpis)),
        "consumers": list(impact.consumers),
        "unresolved": {str(table): list(why) for table, why in impact.unresolved.items()},
    }
