"""Column: what it is made of, back to the sources, and what is made of it, down to the products."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.lineage import ROWS, Branch, Node
from readiness_pipelines.web.map_picture import Box, drawn
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

MOST_BOXES = 80


@dataclass(frozen=True, slots=True)
class ColumnStep:
    """A column on the way: how many steps away, in words how it has its part, and where its own page is."""

    node: Node
    distance: int
    how: str
    href: str


def show(request: Request, site: Site) -> Response:
    """A column."""
    table = site.table(request.path_params["domain"], request.path_params["table"])
    graph, every = site.lineage, bool(request.query_params.get("all"))
    node = graph.node(f"{table.id}.{request.path_params['column']}")
    upstream, downstream = graph.upstream(node, direct=not every), graph.downstream(node, direct=not every)
    impact = graph.impact(node)
    boxes, lines = _picture(node, upstream, downstream, site)
    label = f"{len(boxes)} columns; the tables below say the same"
    return page(
        "column",
        request,
        site,
        table=table,
        node=node,
        address=column_address(site.root, node),
        every=every,
        picture=drawn(boxes, lines, label, large=True),
        before=list(_steps(upstream, site, 0)),
        after=list(_steps(downstream, site, 0)),
        impact=impact,
        unresolved={**impact.unresolved, **_unresolved(site, node)},
    )


def column_address(root: str, node: Node) -> str:
    """The address of a column's page."""
    return f"{root}/columns/{node.table.domain}/{node.table.name}/{quote(node.column, safe='')}"


def _unresolved(site: Site, node: Node) -> dict[object, tuple[str, ...]]:
    own = site.lineage.of(node.table)
    return {node.table: own.unresolved} if own is not None and own.unresolved else {}


def _steps(branch: Branch, site: Site, distance: int) -> Iterator[ColumnStep]:
    for one in branch.branches:
        how = ", ".join(
            f"{link.how.value.replace('_', ' ')}{', protected' if link.masking else ''}" for link in one.links
        )
        yield ColumnStep(one.node, distance + 1, how, _href(one.node, site))
        yield from _steps(one, site, distance + 1)


def _href(node: Node, site: Site) -> str:
    known = node.table in site.tables and node.column not in (ROWS, "*")
    return column_address(site.root, node) if known else ""


def _picture(node: Node, before: Branch, after: Branch, site: Site) -> tuple[dict[str, Box], list[tuple[str, str]]]:
    """The column in the middle, what it is made of on the left, what is made of it on the right."""
    places: dict[Node, int] = {node: 0}
    lines: list[tuple[str, str]] = []

    def visit(branch: Branch, step: int) -> None:
        for one in branch.branches:
            if one.node not in places and len(places) >= MOST_BOXES:
                continue
            far = places[branch.node] + step
            places[one.node] = max(places.get(one.node, far), far) if step > 0 else min(places.get(one.node, far), far)
            pair = (str(one.node), str(branch.node)) if step < 0 else (str(branch.node), str(one.node))
            if pair not in lines:
                lines.append(pair)
            visit(one, step)

    visit(before, -1)
    visit(after, 1)
    first = min(places.values())
    boxes = {
        str(one): Box(
            key=str(one),
            name=one.column or "which rows",
            under=str(one.table),
            href=_href(one, site) if one != node else "",
            standing=None,
            column=place - first,
            tone="chosen" if one == node else "plain",
        )
        for one, place in places.items()
    }
    return boxes, lines
