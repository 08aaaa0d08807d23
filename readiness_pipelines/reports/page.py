"""A path's report as one HTML file that needs no server, and as Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import FoundFinding
from readiness_pipelines.observability import Bar
from readiness_pipelines.reports.charts import freshness_chart, histogram_chart, kpi_chart, rows_chart, rules_chart
from readiness_pipelines.reports.facts import Facts

SHOWN_BATCHES = 120
"""Charts show so many of the newest batches."""

SHOWN_HISTOGRAMS = 6
SHOWN_FINDINGS = 30
SHOWN_COLUMNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that stands for itself: its name, what to add to it in words, and whether it is good or bad."""

    name: str
    value: str
    words: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture, or the words that stand in its place where there is nothing to draw."""

    name: str
    title: str
    svg: Markup | None
    empty: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table, or the words that stand in its place where it has no row."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    empty: str


def html_page(facts: Facts) -> str:
    """The report as one HTML file with its pictures and colours inside; it asks nothing of any server."""
    return _environment().get_template("report.html.j2").render(charts=_charts(facts), **_common(facts))


def markdown_page(facts: Facts) -> str:
    """The report's figures and tables as Markdown, for a pull request."""
    return _environment().get_template("report.md.j2").render(**_common(facts))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("readiness_pipelines.reports"),
        autoescape=select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Markdown has only the cell's edge to escape.
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return environment


def _common(facts: Facts) -> dict[str, Any]:
    return {
        "path": facts.path,
        "at": f"{facts.at:%Y-%m-%d %H:%M} UTC",
        "target": str(facts.path.kpi.target or "none"),
        "kpi": _kpi(facts),
        "figures": _figures(facts),
        "tables": _tables(facts),
    }


def _kpi(facts: Facts) -> Figure:
    measured = facts.status.kpi
    if measured is None or measured.value is None:
        return Figure(name="KPI", value="–", words="nothing is published")
    tone = {True: "good", False: "bad", None: ""}[measured.met]
    words = {True: "meets its target", False: "misses its target", None: ""}[measured.met]
    return Figure(name="KPI", value=f"{measured.value:.4g} {facts.path.kpi.unit}", words=words, tone=tone)


def _figures(facts: Facts) -> list[Figure]:
    total = facts.status.total
    held = [batch.batch for batch in facts.status.batches if batch.held]
    ran = [batch for batch in facts.status.batches if any(batch.tables.values())]
    return [
        Figure(name="published", value=f"{total.published:,}", words=f"of {total.ingested:,} rows ingested"),
        Figure(name="quarantined", value=f"{total.quarantined:,}", tone="waits" if total.quarantined else ""),
        Figure(name="discarded", value=f"{total.discarded:,}"),
        Figure(name="batches", value=f"{len(ran)}", words=f"{len(held)} held", tone="bad" if held else ""),
        Figure(name="incidents", value=f"{len(facts.incidents)}", tone="bad" if facts.incidents else "good"),
    ]


def _charts(facts: Facts) -> list[Chart]:
    batches = [batch for batch in facts.status.batches if any(batch.tables.values())][-SHOWN_BATCHES:]
    values = [(b.batch, b.kpi.value) for b in batches if b.kpi is not None and b.kpi.value is not None]
    rows = [
        (
            b.batch,
            {
                "published": b.counts.published,
                "quarantined": b.counts.quarantined,
                "discarded": b.counts.discarded,
            },
        )
        for b in batches
    ]
    target = facts.path.kpi.target
    spans = [(s.table, s.start.isoformat(), s.end.isoformat(), s.late) for s in facts.spans]
    return [
        _chart(
            "kpi",
            "KPI over batches",
            values,
            lambda: kpi_chart(values, target.bound if target else None, facts.path.kpi.unit),
        ),
        _chart("rows", "Rows over batches", rows, lambda: rows_chart(rows)),
        _chart("rules", "Rules by rows that broke them", facts.rules, lambda: rules_chart(facts.rules)),
        _chart(
            "freshness",
            "Freshness",
            spans,
            lambda: freshness_chart([s[:3] for s in spans if not s[3]], [s[:3] for s in spans if s[3]]),
        ),
        *_histograms(facts),
    ]


def _chart(name: str, title: str, data: Sequence[Any], draw: Callable[[], str]) -> Chart:
    svg = Markup(draw()) if data else None  # noqa: S704  # the charting library escapes the values it draws; a test says so
    return Chart(name=name, title=title, svg=svg, empty="nothing to show")


def _histograms(facts: Facts) -> list[Chart]:
    """The columns that moved, of the newest batches first."""
    drawn = [one for one in facts.unusual if one.finding.details.get("histogram")][:SHOWN_HISTOGRAMS]
    return [
        _chart(
            f"moved-{number}",
            f"{one.finding.column} in {one.ref.batch}",
            bars,
            partial(histogram_chart, bars),
        )
        for number, one in enumerate(drawn)
        for bars in [[Bar(**bar) for bar in one.finding.details["histogram"]]]
    ]


def _tables(facts: Facts) -> list[Part]:
    return [
        Part(
            name="incidents",
            title="Open incidents",
            head=("#", "what", "where", "since", "promised", "seen", "who answers", "next"),
            rows=[
                (
                    str(one.id),
                    one.finding.kind.value,
                    f"{one.finding.table} {one.finding.batch or ''}",
                    f"{one.finding.since:%Y-%m-%d %H:%M}",
                    one.finding.promised,
                    one.finding.seen,
                    one.finding.answers,
                    one.finding.way_out,
                )
                for one in facts.incidents
            ],
            empty="none is open; `readiness watch` looks for new ones",
        ),
        Part(
            name="held",
            title="What waits",
            head=("batch", "table", "state", "rows", "why"),
            rows=[
                (b.batch, name, record.state.value, f"{record.counts.quarantined:,}", record.reason or "")
                for b in facts.status.batches
                for name, record in b.tables.items()
                if record is not None and record.counts.quarantined
            ],
            empty="nothing",
        ),
        Part(
            name="unusual",
            title="Unusual batches",
            head=("batch", "table", "what", "expected", "seen"),
            rows=_unusual(facts.unusual)[:SHOWN_FINDINGS],
            empty="every batch is like those before it, or too few are there to tell",
        ),
        Part(
            name="freshness-now",
            title="Freshness now",
            head=("table", "state", "newest batch", "promised", "seen"),
            rows=[
                (name, found.state.value, found.newest or "–", found.promised, found.seen)
                for name, found in facts.freshness
            ],
            empty="no table promises freshness",
        ),
        Part(
            name="latency",
            title="How long the newest batches took",
            head=("table", "newest batch", "took", "promised"),
            rows=[
                (
                    one.table,
                    one.batch or "–",
                    format_duration(one.took) if one.took is not None else "–",
                    format_duration(one.promised) if one.promised is not None else "–",
                )
                for one in facts.latencies
            ],
            empty="no source",
        ),
        Part(
            name="stewards",
            title="Who answers for the sources",
            head=("source", "steward", "classification", "delivers every", "known issues"),
            rows=[
                (
                    step.source.origin,
                    str(step.source.steward),
                    step.source.classification.value,
                    format_duration(step.source.refresh) if step.source.refresh else "–",
                    "; ".join(step.source.known_issues),
                )
                for step in facts.steps
                if step.kind == "gated" and step.source is not None
            ],
            empty="no source",
        ),
    ]


def _unusual(found: Sequence[FoundFinding]) -> list[tuple[str, ...]]:
    """One line for the columns of a batch of which the same was measured: what is missing may miss in fifty."""
    grouped: dict[tuple[str, str, str, str], list[FoundFinding]] = {}
    for one in found:
        key = one.ref.batch, one.ref.table, one.finding.kind.value, one.finding.measured
        grouped.setdefault(key, []).append(one)
    lines: list[tuple[str, ...]] = []
    for (batch, table, kind, measured), ones in grouped.items():
        columns = [one.finding.column for one in ones if one.finding.column]
        more = f" and {len(columns) - SHOWN_COLUMNS} more" if len(columns) > SHOWN_COLUMNS else ""
        where = f" of {', '.join(columns[:SHOWN_COLUMNS])}{more}" if columns else ""
        lines.append((batch, table, f"{kind}: {measured}{where}", ones[0].finding.promised, ones[0].finding.seen))
    return lines
