"""A domain's report as one HTML file that needs no server, and as Markdown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup

from readiness_pipelines.batches import Counts
from readiness_pipelines.contracts import Kpi
from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import Bar
from readiness_pipelines.overview import OUR_RUNBOOK, BatchStatus, LaneStatus, Scorecard
from readiness_pipelines.products import KpiValue, format_value
from readiness_pipelines.reports.charts import freshness_chart, histogram_chart, kpi_chart, rows_chart, rules_chart
from readiness_pipelines.reports.facts import Facts, KpiFacts
from readiness_pipelines.reports.parts import Chart, Figure, Part, environment, unusual_rows
from readiness_pipelines.reports.scorecard import scorecard_parts

SHOWN_BATCHES = 120
"""Charts show so many of the newest batches."""

SHOWN_HISTOGRAMS = 6
SHOWN_FINDINGS = 30
SHOWN_PARTS = 50

_MET = {True: "meets its target", False: "misses its target", None: ""}
_TONES = {True: "good", False: "bad", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiPart:
    """A KPI's section: what it asks, its value, its chart over batches, and its values by dimensions."""

    name: str
    question: str
    owner: str
    target: str
    figure: Figure
    chart: Chart | None
    parts: Part | None


def html_page(facts: Facts, scorecard: Scorecard | None = None) -> str:
    """The report as one HTML file with its pictures and colours inside; it asks nothing of any server.

    Args:
        facts: What happened in the domain.
        scorecard: How ready it is; ``None`` leaves that out.
    """
    common = _common(facts, scorecard, drawn=True)
    return environment().get_template("report.html.j2").render(charts=_charts(facts), **common)


def markdown_page(facts: Facts, scorecard: Scorecard | None = None) -> str:
    """The report's figures and tables as Markdown, for a pull request; arguments as for `html_page`."""
    return environment().get_template("report.md.j2").render(**_common(facts, scorecard, drawn=False))


def _common(facts: Facts, scorecard: Scorecard | None, *, drawn: bool) -> dict[str, Any]:
    return {
        "domain": facts.domain,
        "on_call": str(facts.on_call),
        "at": f"{facts.at:%Y-%m-%d %H:%M} UTC",
        "kpis": [_kpi_part(kpi, drawn=drawn) for kpi in facts.kpis],
        "figures": _figures(facts),
        "tables": [*_tables(facts), *(scorecard_parts(scorecard) if scorecard else ())],
    }


def _kpi_part(facts: KpiFacts, *, drawn: bool) -> KpiPart:
    kpi = facts.kpi
    return KpiPart(
        name=kpi.name,
        question=kpi.question,
        owner=kpi.owner,
        target=_target(facts.together or (facts.values[-1] if facts.values else None), kpi),
        figure=_kpi_figure(facts),
        chart=_kpi_chart(facts) if drawn else None,
        parts=_kpi_values(facts) if facts.parts else None,
    )


def _target(value: KpiValue | None, kpi: Kpi) -> str:
    """A target as people write the value: "<= 5.0 %"; where there is no value yet, the one declared."""
    target = value.target if value is not None else kpi.target
    return f"{target.comparison} {format_value(target.bound, kpi.unit)}" if target is not None else "none"


def _kpi_figure(facts: KpiFacts) -> Figure:
    """The value over all batches; where they do not add up, that of the newest."""
    shown = facts.together or (facts.values[-1] if facts.values else None)
    if shown is None or shown.value is None:
        return Figure(name="all batches", value="–", words="nothing is published")
    name = "all batches" if shown.batch is None else shown.batch
    value = format_value(shown.value, facts.kpi.unit)
    return Figure(name=name, value=value, words=_MET[shown.met], tone=_TONES[shown.met])


def _kpi_chart(facts: KpiFacts) -> Chart:
    kpi = facts.kpi
    newest = facts.values[-SHOWN_BATCHES:]
    values = [(one.batch or "", one.value) for one in newest if one.value is not None]
    bound = kpi.target.bound if kpi.target else None
    return _chart(f"kpi-{kpi.name}-chart", "KPI over batches", values, lambda: kpi_chart(values, bound, kpi.unit))


def _kpi_values(facts: KpiFacts) -> Part:
    kpi = facts.kpi
    return Part(
        name=f"kpi-{kpi.name}-parts",
        title=f"By {', '.join(kpi.by)}, in {facts.parts[0].batch}",
        head=(*kpi.by, "value", "target", ""),
        rows=[
            (
                *(one.dimensions[name] or "–" for name in kpi.by),
                format_value(one.value, kpi.unit),
                _target(one, kpi),
                _MET[one.met],
            )
            for one in facts.parts[:SHOWN_PARTS]
        ],
        empty="nothing is published",
    )


def _figures(facts: Facts) -> list[Figure]:
    total = sum((lane.total for lane in facts.status.lanes), Counts())
    batches = [batch for lane in facts.status.lanes for batch in lane.batches if batch.seen]
    held = [batch for batch in batches if batch.held]
    return [
        Figure(name="published", value=f"{total.published:,}", words=f"of {total.ingested:,} rows ingested"),
        Figure(name="quarantined", value=f"{total.quarantined:,}", tone="waits" if total.quarantined else ""),
        Figure(name="discarded", value=f"{total.discarded:,}"),
        *([Figure(name="erased", value=f"{total.erased:,}")] if total.erased else []),
        Figure(name="batches", value=f"{len(batches):,}", words=f"{len(held)} held", tone="bad" if held else ""),
        Figure(name="incidents", value=f"{len(facts.incidents)}", tone="bad" if facts.incidents else "good"),
    ]


def _charts(facts: Facts) -> list[Chart]:
    fed = [lane for lane in facts.status.lanes if lane.total.ingested]
    spans = [(str(s.table), s.start.isoformat(), s.end.isoformat(), s.late) for s in facts.spans]
    return [
        *(_rows(lane, alone=len(fed) == 1) for lane in fed),
        _chart("rules", "Rules by rows that broke them", facts.rules, lambda: rules_chart(facts.rules)),
        _chart(
            "freshness",
            "Freshness",
            spans,
            lambda: freshness_chart([s[:3] for s in spans if not s[3]], [s[:3] for s in spans if s[3]]),
        ),
        *_histograms(facts),
    ]


def _rows(lane: LaneStatus, *, alone: bool) -> Chart:
    newest = [batch for batch in lane.batches if batch.seen][-SHOWN_BATCHES:]
    rows = [
        (
            batch.batch,
            {
                "published": batch.counts.published,
                "quarantined": batch.counts.quarantined,
                "discarded": batch.counts.discarded,
                **({"erased": batch.counts.erased} if batch.counts.erased else {}),
            },
        )
        for batch in newest
    ]
    name, title = ("rows", "Rows over batches") if alone else (f"rows-{lane.name}", f"Rows over batches: {lane.name}")
    return _chart(name, title, rows, lambda: rows_chart(rows))


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


def _runbooks(facts: Facts) -> Part:
    """What is written down for the tables with something open or held; each has a row, so that none looks covered."""
    held = {one.table for one in facts.findings} | {one.finding.table for one in facts.incidents}
    own = {table.id: table.runbook for table in facts.domain.tables if table.id in held}
    return Part(
        name="runbooks",
        title="What to do",
        head=("table", "its own runbook", "whatever the table"),
        rows=[
            (str(table), f"{book.title}{f' ({book.path})' if book.path else ''}" if book else "none", OUR_RUNBOOK)
            for table, book in own.items()
        ],
        empty=f"nothing is open; whatever happens: {OUR_RUNBOOK}",
    )


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
            empty="none is open; readiness watch looks for new ones",
        ),
        _runbooks(facts),
        Part(
            name="held",
            title="What waits",
            head=("batch", "table", "state", "rows", "why"),
            rows=[
                (record.ref.batch, str(name), record.state.value, f"{record.counts.quarantined:,}", record.reason or "")
                for name, record in _records(facts)
                if record.counts.quarantined
            ],
            empty="nothing",
        ),
        Part(
            name="unusual",
            title="Unusual batches",
            head=("batch", "table", "what", "expected", "seen"),
            rows=unusual_rows(facts.unusual)[:SHOWN_FINDINGS],
            empty="every batch is like those before it, or there are too few of them",
        ),
        Part(
            name="freshness-now",
            title="Freshness now",
            head=("table", "state", "newest batch", "promised", "seen"),
            rows=[
                (str(name), found.state.value, found.newest or "–", found.promised, found.seen)
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
                    str(one.table),
                    one.batch or "–",
                    format_duration(one.took) if one.took is not None else "–",
                    format_duration(one.promised) if one.promised is not None else "–",
                )
                for one in facts.latencies
            ],
            empty="no table",
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


def _records(facts: Facts) -> Iterator[tuple[TableId, BatchRecord]]:
    """Where the batches stand, in order."""
    batches: Iterator[BatchStatus] = (batch for lane in facts.status.lanes for batch in lane.batches)
    for batch in batches:
        for name, record in batch.tables.items():
            if record is not None:
                yield name, record
