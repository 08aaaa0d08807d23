"""Tables and what they read as a picture, drawn here: sources on the left, products on the right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from readiness_pipelines.contracts import GatedTable, Kpi, Table
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import Standing
from readiness_pipelines.page_addresses import product_address, table_address
from readiness_pipelines.web.site import Site

WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 200, 46, 260, 66, 16
MOST_CHARACTERS = 21
ROUNDS = 4

_SHAPES = {
    Standing.HELD: ("m-held", "bad"),
    Standing.BROKEN: ("m-broken", "bad"),
    Standing.MISSED: ("m-missed", "bad"),
    Standing.LATE: ("m-late", "warn"),
    Standing.UNUSUAL: ("m-unusual", "warn"),
    Standing.NOTHING: ("m-nothing", "soft"),
    Standing.FINE: ("m-fine", "ok"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MapNode:
    """A table, or a source, on the map."""

    name: str
    kind: str
    standing: str
    href: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """Something that is drawn: its name, what stands below it, where it leads, how it stands, and in which column."""

    key: str
    name: str
    under: str
    href: str
    standing: Standing | None
    column: int
    tone: str = "source"


def nodes_of(tables: Sequence[Table], site: Site) -> tuple[MapNode, ...]:
    """What a picture says, in words."""
    stands = site.now.standings()
    return tuple(
        MapNode(
            name=str(table.id),
            kind=_kind(table),
            standing=stands[table.id].value,
            href=_href(table, site.root),
            reads=_reads(table),
        )
        for table in tables
    )


def picture_of(tables: Sequence[Table], site: Site, *, large: bool = False) -> Markup:
    """A picture of some tables and of what they read, as far as that is among them.

    Args:
        tables: The tables.
        site: Where they are looked up.
        large: Whether it can be moved and made larger.
    """
    if not tables:
        return Markup('<p class="soft">Nothing is declared.</p>')
    boxes, lines = _boxes(tables, site)
    label = f"{len(boxes)} tables and sources, and what they read; the words beside the picture say the same"
    return drawn(boxes, lines, label, large=large)


def drawn(boxes: Mapping[str, "Box"], lines: Sequence[tuple[str, str]], label: str, *, large: bool = False) -> Markup:
    """Boxes in their columns, and the lines between them, as SVG.

    Args:
        boxes: The boxes, by what lines call them.
        lines: From which box to which.
        label: What it is, for who cannot see it.
        large: Whether it can be moved and made larger.
    """
    rows = _rows(boxes, lines)
    width = MARGIN * 2 + max(box.column for box in boxes.values()) * ACROSS + WIDTH
    height = MARGIN * 2 + (max(rows.values()) * DOWN) + HEIGHT
    at = {key: (MARGIN + boxes[key].column * ACROSS, MARGIN + rows[key] * DOWN) for key in boxes}
    parts = [_line(at[start], at[end]) for start, end in lines]
    parts += [_box(box, *at[key]) for key, box in boxes.items()]
    return Markup(
        '<div class="map{}" role="region" aria-label="Picture of the map" tabindex="0">'
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}">{}</svg></div>'
    ).format(" large" if large else "", width, height, width, height, label, Markup().join(parts))


def _boxes(tables: Sequence[Table], site: Site) -> tuple[dict[str, Box], list[tuple[str, str]]]:
    stands, known = site.now.standings(), {table.id: table for table in tables}
    depth: dict[TableId, int] = {}

    def depth_of(table: Table) -> int:
        if table.id not in depth:
            depth[table.id] = 0
            below = [
                depth_of(read.table)
                for read in (*table.reads.values(), *table.references.values())
                if read.table.id in known
            ]
            depth[table.id] = max([*(one + 1 for one in below), 1 if isinstance(table, GatedTable) else 0])
        return depth[table.id]

    boxes: dict[str, Box] = {}
    lines: list[tuple[str, str]] = []
    for table in tables:
        key = str(table.id)
        column = depth_of(table)
        boxes[key] = Box(
            key, table.name, f"{table.id.domain} · {_kind(table)}", _href(table, site.root), stands[table.id], column
        )
        if isinstance(table, GatedTable):
            source = f"source {table.source.origin}"
            boxes.setdefault(source, Box(source, table.source.origin, table.source.steward.name, "", None, 0))
            lines.append((source, key))
        for read in (*table.reads.values(), *table.references.values()):
            if read.table.id in known and (str(read.table.id), key) not in lines:
                lines.append((str(read.table.id), key))
    return boxes, lines


def _rows(boxes: Mapping[str, Box], lines: Sequence[tuple[str, str]]) -> dict[str, float]:
    """The row of each box: near those that it is joined to, so that few lines cross."""
    columns: dict[int, list[str]] = {}
    for key, box in boxes.items():
        columns.setdefault(box.column, []).append(key)
    joined: dict[str, list[str]] = {key: [] for key in boxes}
    for start, end in lines:
        joined[start].append(end)
        joined[end].append(start)
    rows = {key: float(place) for some in columns.values() for place, key in enumerate(some)}
    for turn in range(ROUNDS):
        for column in sorted(columns, reverse=turn % 2 == 1):
            some = sorted(columns[column], key=lambda key: fmean([rows[one] for one in joined[key]] or [rows[key]]))
            columns[column] = some
            rows |= {key: float(place) for place, key in enumerate(some)}
    most = max(len(some) for some in columns.values())
    return {key: place + (most - len(some)) / 2 for some in columns.values() for place, key in enumerate(some)}


def _line(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    x1, y1, x2, y2 = start[0] + WIDTH, start[1] + HEIGHT / 2, end[0], end[1] + HEIGHT / 2
    bend = max(30.0, abs(x2 - x1) / 2)
    return Markup('<path class="edge" d="M{} {}C{} {} {} {} {} {}"/>').format(
        x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2
    )


def _box(box: Box, x: float, y: float) -> Markup:
    shape, tone = _SHAPES[box.standing] if box.standing else ("", box.tone)
    state = (
        Markup('<use class="mark {}" href="#{}" x="{}" y="{}" width="12" height="12"/>').format(
            tone, shape, x + 10, y + 9
        )
        if box.standing
        else Markup()
    )
    body = Markup(
        '<rect class="box {}" x="{}" y="{}" width="{}" height="{}" rx="5"/>{}'
        '<text class="name" x="{}" y="{}">{}</text><text class="kind" x="{}" y="{}">{}</text>'
    ).format(
        tone, x, y, WIDTH, HEIGHT, state, x + (28 if box.standing else 10), y + 19, _short(box.name), x + 10, y + 36,
        _short(box.under, MOST_CHARACTERS + 6),
    )  # fmt: skip
    if not box.href:
        return Markup("<g><title>{}</title>{}</g>").format(box.name, body)
    said = f"{box.key}, {box.standing.value}" if box.standing else box.key
    return Markup('<a href="{}" aria-label="{}"><title>{}</title>{}</a>').format(box.href, said, said, body)


def _short(text: str, most: int = MOST_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _kind(table: Table) -> str:
    return "product" if isinstance(table, Kpi) else "table" if isinstance(table, GatedTable) else "computed"


def _reads(table: Table) -> tuple[str, ...]:
    if isinstance(table, GatedTable):
        return (table.source.origin, *(str(read.table.id) for read in table.references.values()))
    return tuple(dict.fromkeys(str(read.table.id) for read in (*table.reads.values(), *table.references.values())))


def _href(table: Table, root: str) -> str:
    return product_address(root, table.id) if isinstance(table, Kpi) else table_address(root, table.id)
