"""A domain's tables and what they are made of, as a picture: sources at the left, products at the right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import escape

WIDTH, HEIGHT, ACROSS, DOWN, SHOWN = 190, 44, 60, 16, 26
"""Of a box and between boxes, in pixels; and how many characters fit one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapBox:
    """One box of the map.

    Attributes:
        name: Its name.
        words: What is said of it: a state, a value.
        tone: ``good``, ``waits``, ``bad`` or "".
        reads: The names of those that it is made of.
        address: Where it leads; "" for nowhere.
    """

    name: str
    words: str
    tone: str
    reads: tuple[str, ...] = ()
    address: str = ""


def map_chart(boxes: Sequence[MapBox]) -> str:
    """The boxes in columns, each right of what it is made of, as SVG."""
    places = _places(boxes)
    width = max((x for x, _ in places.values()), default=0) + WIDTH + 2
    height = max((y for _, y in places.values()), default=0) + HEIGHT + 2
    lines = [_line(places[read], places[box.name]) for box in boxes for read in box.reads if read in places]
    drawn = [_box(box, *places[box.name]) for box in boxes]
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="Arial, Liberation Sans, sans-serif" font-size="12">{"".join(lines + drawn)}</svg>'
    )


def _places(boxes: Sequence[MapBox]) -> Mapping[str, tuple[int, int]]:
    depths: dict[str, int] = {}
    for box in boxes:
        depths[box.name] = max((depths[read] + 1 for read in box.reads if read in depths), default=0)
    rows: dict[int, int] = {}
    places = {}
    for box in boxes:
        depth = depths[box.name]
        places[box.name] = (1 + depth * (WIDTH + ACROSS), 1 + rows.get(depth, 0) * (HEIGHT + DOWN))
        rows[depth] = rows.get(depth, 0) + 1
    return places


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1, x2, y2 = start[0] + WIDTH, start[1] + HEIGHT // 2, end[0], end[1] + HEIGHT // 2
    middle = (x1 + x2) // 2
    return (
        f'<path d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}" fill="none" stroke="var(--soft)" '
        'stroke-width="1.5"/>'
    )


def _box(box: MapBox, x: int, y: int) -> str:
    name = box.name if len(box.name) <= SHOWN else box.name[: SHOWN - 1] + "…"
    stroke = f"var(--{box.tone})" if box.tone else "var(--grid)"
    drawn = (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="var(--paper)" stroke="{stroke}" '
        f'stroke-width="2"/><text x="{x + 10}" y="{y + 18}" fill="var(--ink)" font-weight="600">{escape(name)}</text>'
        f'<text x="{x + 10}" y="{y + 34}" fill="{stroke if box.tone else "var(--soft)"}">{escape(box.words)}</text>'
    )
    return f'<a href="{escape(box.address)}">{drawn}</a>' if box.address else drawn
