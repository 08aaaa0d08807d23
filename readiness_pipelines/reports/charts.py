"""Values as charts. Colours are names of the page's own, so that one picture serves light and dark.

Each is drawn for a width in pixels, the whole picture's: text is never scaled, on a phone as little as on a desk.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from readiness_pipelines.observability import Bar
from readiness_pipelines.products import format_value

HALF, WHOLE, PHONE = 500, 1060, 316
"""Widths: half of a desk's page, all of it, and a phone's."""

HEIGHT = 230
BARS_SHOWN = 20
BATCH_LABELS = {HALF: 12, WHOLE: 30, PHONE: 6}
"""So many batches are named below a chart of each width."""

INK, SOFT, GRID = "var(--ink)", "var(--soft)", "var(--grid)"
GOOD, WAITS, BAD, ERASED = "var(--good)", "var(--waits)", "var(--bad)", "var(--erased)"

ON_WHITE = {
    INK: "#1f2937",
    SOFT: "#6b7280",
    GRID: "#e5e7eb",
    GOOD: "#2563eb",
    WAITS: "#d97706",
    BAD: "#dc2626",
    ERASED: "#7c3aed",
}
"""The colours where there is no page around the picture."""


_TIME_LABEL = (
    "utchours(datum.value) == 0 && utcminutes(datum.value) == 0 "
    "? utcFormat(datum.value, '%-d %b') : utcFormat(datum.value, '%H:%M')"
)
"""The day at midnight, else the time on a clock of 24 hours."""


def kpi_chart(
    values: Sequence[tuple[str, float, bool | None]], target: float | None, unit: str, *, width: int = WHOLE
) -> str:
    """The KPI over batches beside its target, as SVG; red where it misses it."""
    data = alt.InlineData(
        values=[{"batch": batch, "value": value, "missed": met is False} for batch, value, met in values]
    )
    x = alt.X("batch:O", title=None, sort=None, axis=_batch_axis([batch for batch, *_ in values], width))
    base = alt.Chart(data).encode(x=x, y=_value_axis(unit))
    colour = alt.condition(alt.datum.missed, alt.value(BAD), alt.value(GOOD))
    line = base.mark_line(color=SOFT) + base.mark_circle(size=70, opacity=1).encode(color=colour)
    if target is None:
        return _svg(line, width)
    rule = (
        alt.Chart(alt.InlineData(values=[{"target": target}]))
        .mark_rule(color=INK, strokeDash=[6, 4])
        .encode(y="target:Q")
    )
    return _svg(line + rule, width)


def rows_chart(rows: Sequence[tuple[str, Mapping[str, int]]], *, width: int = HALF) -> str:
    """Rows over batches by where they are: published, quarantined, discarded, erased. As SVG."""
    data = [
        {"batch": batch, "where": where, "rows": count} for batch, counts in rows for where, count in counts.items()
    ]
    places = {"published": GOOD, "quarantined": WAITS, "discarded": SOFT, "erased": ERASED}
    there = [name for name in places if any(counts.get(name) for _, counts in rows)]
    colours = alt.Scale(domain=there, range=[places[name] for name in there])
    return _svg(
        alt.Chart(alt.InlineData(values=data))
        .mark_bar()
        .encode(
            x=alt.X("batch:O", title=None, sort=None, axis=_batch_axis([batch for batch, _ in rows], width)),
            y=alt.Y("rows:Q", title="rows", axis=alt.Axis(tickCount=5)),
            color=alt.Color("where:N", title=None, scale=colours, legend=_legend()),
        ),
        width,
    )


def rules_chart(rules: Sequence[tuple[str, int, str]], *, width: int = HALF) -> str:
    """Rows that broke each rule, most first, by what the rule does; as SVG."""
    data = alt.InlineData(
        values=[{"rule": rule, "rows": rows, "route": route} for rule, rows, route in rules[:BARS_SHOWN]]
    )
    routes = {"hold": BAD, "quarantine": WAITS, "warn": SOFT}
    there = [name for name in routes if any(route == name for *_, route in rules)]
    colours = alt.Scale(domain=there, range=[routes[name] for name in there])
    return _svg(
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("rows:Q", title="rows", axis=alt.Axis(tickCount=4)),
            y=alt.Y("rule:N", title=None, sort=None, axis=alt.Axis(labelLimit=int(width * 0.55))),
            color=alt.Color("route:N", title=None, scale=colours, legend=_legend()),
        ),
        width,
        height=70 + 24 * max(2, min(len(rules), BARS_SHOWN)),
    )


def freshness_chart(
    spans: Sequence[tuple[str, str, str]], late: Sequence[tuple[str, str, str]], *, width: int = HALF
) -> str:
    """When each table was fresh and when it was late: spans of table, start and end in ISO 8601, as SVG."""
    rows = [
        {"table": table, "start": start, "end": end, "state": state}
        for state, some in (("as promised", spans), ("late", late))
        for table, start, end in some
    ]
    colours = alt.Scale(domain=["as promised", "late"], range=[GOOD, BAD])
    times = alt.Axis(labelExpr=_TIME_LABEL, tickCount=width // 90, labelOverlap=True)
    return _svg(
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(size=14)
        .encode(
            x=alt.X("start:T", title="UTC", scale=alt.Scale(type="utc"), axis=times),
            x2="end:T",
            y=alt.Y("table:N", title=None, axis=alt.Axis(labelLimit=int(width * 0.45))),
            color=alt.Color("state:N", title=None, scale=colours, legend=_legend()),
        ),
        width,
        height=80 + 30 * max(1, len({row["table"] for row in rows})),
    )


def histogram_chart(bars: Sequence[Bar], title: str = "", *, width: int = HALF) -> str:
    """What a column holds, seen beside expected, as SVG."""
    return _svg(_histogram(bars, title), width)


def histogram_picture(bars: Sequence[Bar], title: str) -> str:
    """The same as a PNG in a ``data:`` address, for places that draw no SVG."""
    spec = _plain(_histogram(bars, title).properties(width=440, height=200).to_dict())
    picture = vl_convert.vegalite_to_png(spec, scale=1)
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def _histogram(bars: Sequence[Bar], title: str) -> alt.Chart:
    shown = sorted(bars, key=lambda bar: -max(bar.seen, bar.expected))[:BARS_SHOWN]
    data = [
        {"value": bar.label, "which": which, "share": share}
        for bar in bars
        if bar in shown
        for which, share in (("expected", bar.expected), ("seen", bar.seen))
    ]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=data), title=title)
        .mark_bar()
        .encode(
            x=alt.X("value:N", title=None, sort=None, axis=alt.Axis(labelAngle=-40, labelLimit=120)),
            xOffset="which:N",
            y=alt.Y("share:Q", title="share of rows", axis=alt.Axis(format="%")),
            color=alt.Color(
                "which:N",
                title=None,
                scale=alt.Scale(domain=["expected", "seen"], range=[SOFT, WAITS]),
                legend=_legend(),
            ),
        )
    )
    return chart


def _value_axis(unit: str) -> alt.Y:
    """Shares are labelled as people write them, in percent."""
    in_percent = format_value(1, unit) == format_value(100, "percent")
    axis = alt.Axis(format="~%") if in_percent else alt.Axis()
    return alt.Y("value:Q", title=unit, axis=axis).scale(zero=False)


def _batch_axis(batches: Sequence[str], width: int) -> alt.Axis:
    """As many batches named as there is room for."""
    step = -(-len(batches) // BATCH_LABELS.get(width, 12))
    return alt.Axis(labelAngle=-40, labelLimit=110, values=list(batches)[::step], ticks=True)


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", symbolType="square")


def _svg(chart: alt.Chart | alt.LayerChart, width: int, height: int = HEIGHT) -> str:
    spec = chart.properties(width=width, height=height).to_dict()
    spec["autosize"] = {"type": "fit", "contains": "padding"}
    spec["config"] = {
        "background": None,
        # The metrics that the library lays labels out by.
        "font": "Arial, Liberation Sans, sans-serif",
        "padding": {"left": 2, "right": 8, "top": 4, "bottom": 4},
        "view": {"stroke": None},
        "axis": {
            "labelFontSize": 12,
            "titleFontSize": 12,
            "labelColor": INK,
            "titleColor": SOFT,
            "gridColor": GRID,
            "domainColor": GRID,
            "tickColor": GRID,
        },
        "legend": {"labelColor": INK, "labelFontSize": 12},
        "title": {"color": INK},
    }
    drawn: str = vl_convert.vegalite_to_svg(spec)
    return drawn


def _plain(value: Any) -> Any:
    """A chart with plain colours."""
    match value:
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case str():
            return ON_WHITE.get(value, value)
        case _:
            return value
