"""Numbers as small pictures, drawn here as SVG: no script, no style of their own, and words for who cannot see them."""

from collections.abc import Sequence
from math import ceil, floor, isclose, log10

from markupsafe import Markup, escape

from readiness_pipelines.contracts import Target
from readiness_pipelines.products import KpiValue, format_value, is_drawable

SPARK_WIDTH, SPARK_HEIGHT = 96, 24
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 220, 64, 26, 12, 12
LABEL_WIDTH = 90
_LABELS = 6
FEW = 60
"""Points of more values are drawn smaller."""
_SAME = 1e-12
"""A share of a value: what differs by less differs by how it was added up, and is drawn as one value."""
_SMALLEST_STEP = 1e-300
"""Smaller steps between the lines of a chart have no round numbers."""


def spark_line(values: Sequence[KpiValue], label: str) -> Markup:
    """The newest values of a product as a line, its target dashed; nothing where fewer than two can be drawn."""
    drawn = [one for one in values if is_drawable(one.value)]
    known = [one.value for one in drawn if is_drawable(one.value)]
    if len(known) < 2:  # noqa: PLR2004  # a line has two ends
        return Markup()
    target = values[-1].target
    low, high = _bounds(known, target)

    def y(value: float) -> float:
        return round(SPARK_HEIGHT - 3 - (value - low) / (high - low) * (SPARK_HEIGHT - 6), 1)

    step = (SPARK_WIDTH - 6) / (len(known) - 1)
    points = " ".join(f"{round(3 + n * step, 1)},{y(value)}" for n, value in enumerate(known))
    dashed = (
        Markup('<line class="chart-target" x1="3" x2="{}" y1="{}" y2="{}"/>').format(
            SPARK_WIDTH - 3, y(target.bound), y(target.bound)
        )
        if target is not None
        else Markup()
    )
    last = Markup('<circle class="{}" cx="{}" cy="{}" r="2.5"/>').format(
        "chart-missed" if drawn[-1].met is False else "chart-point", SPARK_WIDTH - 3, y(known[-1])
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">'
        '{}<polyline class="chart-line" points="{}"/>{}</svg>'
    ).format(SPARK_WIDTH, SPARK_HEIGHT, SPARK_WIDTH, SPARK_HEIGHT, label, dashed, points, last)


def line_chart(values: Sequence[KpiValue], unit: str, label: str) -> Markup:
    """A product's values over batches, those that miss their target marked, as SVG; without those that are infinite."""
    drawn = [one for one in values if is_drawable(one.value)]
    if not drawn:
        return Markup()
    numbers = [one.value for one in drawn if is_drawable(one.value)]
    target = drawn[-1].target
    ticks = _ticks(*_bounds(numbers, target))
    low, high = ticks[0], ticks[-1]
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(place: int) -> float:
        return round(LEFT + (inner_width * place / max(1, len(drawn) - 1) if len(drawn) > 1 else inner_width / 2), 1)

    def y(value: float) -> float:
        return round(TOP + inner_height - (value - low) / (high - low) * inner_height, 1)

    parts = [
        Markup(
            '<line class="chart-grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
            '<text class="chart-label" x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(LEFT, WIDTH - RIGHT, y(tick), y(tick), LEFT - 8, y(tick) + 4, format_value(tick, unit))
        for tick in ticks
    ]
    every, last = -(-len(drawn) // _LABELS), len(drawn) - 1
    for place in range(last, -1, -every):
        anchor = "end" if place == last and last else "middle"
        if anchor == "end" or x(place) > LEFT + LABEL_WIDTH / 2:
            parts.append(
                Markup('<text class="chart-label" x="{}" y="{}" text-anchor="{}">{}</text>').format(
                    x(place), HEIGHT - 6, anchor, drawn[place].batch or ""
                )
            )
    if target is not None:
        parts.append(
            Markup('<line class="chart-target" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                LEFT, WIDTH - RIGHT, y(target.bound), y(target.bound)
            )
        )
    line = " ".join(f"{x(n)},{y(value)}" for n, value in enumerate(numbers))
    parts.append(Markup('<polyline class="chart-line" points="{}"/>').format(line))
    for place, one in enumerate(drawn):
        missed = one.met is False
        title = f"{one.batch}: {format_value(one.value, unit)}" + (" misses its target" if missed else "")
        shape = (
            Markup('<rect class="chart-missed" x="{}" y="{}" width="7" height="7"><title>{}</title></rect>').format(
                x(place) - 3.5, y(numbers[place]) - 3.5, title
            )
            if missed
            else Markup('<circle class="chart-point" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
                x(place),
                y(numbers[place]),
                3 if len(drawn) <= FEW else 1.5,
                title,
            )
        )
        parts.append(shape)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, escape(label), Markup().join(parts)
    )


def share_bar(part: int, whole: int, label: str) -> Markup:
    """A share of rows as a bar."""
    width = 0 if not whole else round(60 * part / whole, 1)
    return Markup(
        '<svg class="share" viewBox="0 0 60 8" width="60" height="8" role="img" aria-label="{}">'
        '<rect class="share-all" width="60" height="8" rx="2"/>'
        '<rect class="share-part" width="{}" height="8" rx="2"/></svg>'
    ).format(label, max(width, 1.5) if part else 0)


def _bounds(values: Sequence[float], target: Target | None) -> tuple[float, float]:
    everything = [*values, *([target.bound] if target is not None else [])]
    low, high = min(everything), max(everything)
    if isclose(low, high, rel_tol=_SAME):
        margin = abs(low) * 0.1 or 1.0
        return max(low - margin, min(0.0, low)), high + margin
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers around some values, evenly spaced; what is never below nothing begins there."""
    rough = (high - low) / 4
    if rough < _SMALLEST_STEP:
        return [low, high]
    exponent = floor(log10(rough))
    power = 10.0**exponent
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough)
    first = floor(low / step)
    return [round(place * step, max(12, 2 - exponent)) for place in range(first, ceil(high / step) + 1)]
