"""Values as charts. Colours are names of the page's own, so that one picture serves light and dark."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from readiness_pipelines.observability import Bar
from readiness_pipelines.products import format_value

WIDTH, HEIGHT = 440, 200
BARS_SHOWN = 20

INK, SOFT, GRID = "var(--ink)", "var(--soft)", "var(--grid)"
GOOD, WAITS, BAD = "var(--good)", "var(--waits)", "var(--bad)"

ON_WHITE = {INK: "#1f2937", SOFT: "#6b7280", GRID: "#e5e7eb", GOOD: "#2563eb", WAITS: "#d97706", BAD: "#dc2626"}
"""The colours where there is no page around the picture."""


def kpi_chart(values: Sequence[tuple[str, float]], target: float | None, unit: str) -> str:
    """The KPI over batches beside its target, as SVG."""
    data = alt.InlineData(values=[{"batch": batch, "value": value} for batch, value in values])
    x = alt.X("batch:O", title=None, sort=None, axis=_batch_axis(len(values)))
    line = alt.Chart(data).mark_line(point=True, color=GOOD).encode(x=x, y=_value_axis(unit))
    if target is None:
        return _svg(line)
    rule = (
        alt.Chart(alt.InlineData(values=[{"target": target}]))
        .mark_rule(color=BAD, strokeDash=[6, 4])
        .encode(y="target:Q")
    )
    return _svg(line + rule)


def rows_chart(rows: Sequence[tuple[str, Mapping[str, int]]]) -> str:
    """Rows over batches by where they are: published, quarantined, discarded, erased. As SVG."""
    data = [
        {"batch": batch, "where": where, "rows": count} for batch, counts in rows for where, count in counts.items()
    ]
    colours = alt.Scale(domain=["published", "quarantined", "discarded", "erased"], range=[GOOD, WAITS, SOFT, BAD])
    return _svg(
        alt.Chart(alt.InlineData(values=data))
        .mark_bar()
        .encode(
            x=alt.X("batch:O", title=None, sort=None, axis=_batch_axis(len(rows))),
            y=alt.Y("rows:Q", title="rows"),
            color=alt.Color("where:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
        )
    )


def rules_chart(rules: Sequence[tuple[str, int]]) -> str:
    """Rows that broke each rule, most first, as SVG."""
    data = alt.InlineData(values=[{"rule": rule, "rows": rows} for rule, rows in rules[:BARS_SHOWN]])
    return _svg(
        alt.Chart(data)
        .mark_bar(color=WAITS)
        .encode(
            x=alt.X("rows:Q", title="rows"), y=alt.Y("rule:N", title=None, sort=None, axis=alt.Axis(labelLimit=240))
        ),
        height=24 * max(2, min(len(rules), BARS_SHOWN)),
    )


def freshness_chart(spans: Sequence[tuple[str, str, str]], late: Sequence[tuple[str, str, str]]) -> str:
    """When each table was fresh and when it was late: spans of table, start and end in ISO 8601, as SVG."""
    rows = [
        {"table": table, "start": start, "end": end, "state": state}
        for state, some in (("as promised", spans), ("late", late))
        for table, start, end in some
    ]
    colours = alt.Scale(domain=["as promised", "late"], range=[GOOD, BAD])
    return _svg(
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(size=14)
        .encode(
            x=alt.X("start:T", title=None),
            x2="end:T",
            y=alt.Y("table:N", title=None, axis=alt.Axis(labelLimit=240)),
            color=alt.Color("state:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
        ),
        height=40 * max(2, len({row["table"] for row in rows})),
    )


def histogram_chart(bars: Sequence[Bar], title: str = "") -> str:
    """What a column holds, seen beside expected, as SVG."""
    return _svg(_histogram(bars, title))


def histogram_picture(bars: Sequence[Bar], title: str) -> str:
    """The same as a PNG in a ``data:`` address, for places that draw no SVG."""
    spec = _plain(_histogram(bars, title).properties(width=WIDTH, height=HEIGHT).to_dict())
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
                legend=alt.Legend(orient="top"),
            ),
        )
    )
    return chart


def _value_axis(unit: str) -> alt.Y:
    """Shares are labelled as people write them, in percent."""
    in_percent = format_value(1, unit) == format_value(100, "percent")
    axis = alt.Axis(format="~%") if in_percent else alt.Axis()
    return alt.Y("value:Q", title=unit, axis=axis).scale(zero=False)


def _batch_axis(batches: int) -> alt.Axis:
    return alt.Axis(labelAngle=-40, labelOverlap=True, ticks=batches <= BARS_SHOWN)


def _svg(chart: alt.Chart | alt.LayerChart, height: int = HEIGHT) -> str:
    spec = chart.properties(width=WIDTH, height=height).to_dict()
    spec["config"] = {
        "background": None,
        # The metrics that the library lays labels out by.
        "font": "Arial, Liberation Sans, sans-serif",
        "padding": {"left": 12, "right": 12, "top": 5, "bottom": 5},
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
