"""A domain's report as one HTML file that needs no server, and as Markdown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import Kpi
from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import BatchRecord, Incident
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import Bar
from readiness_pipelines.overview import OUR_RUNBOOK, BatchStatus, LaneStatus, Scorecard
from readiness_pipelines.products import KpiValue, format_value, is_drawable
from readiness_pipelines.reports.charts import (
    HALF,
    PHONE,
    WHOLE,
    freshness_chart,
    histogram_chart,
    kpi_chart,
    rows_chart,
    rules_chart,
)
from readiness_pipelines.reports.facts import Facts, KpiFacts
from readiness_pipelines.reports.links import Links
from readiness_pipelines.reports.map_chart import MapBox, map_chart
from readiness_pipelines.reports.parts import Chart, Figure, Link, Part, drawn_chart, environment, unusual_rows
from readiness_pipelines.reports.scorecard import scorecard_parts

SHOWN_BATCHES = 120
"""Charts show so many of the newest batches."""

SHOWN_HISTOGRAMS = 6
SHOWN_FINDINGS = 30
SHOWN_PARTS = 50
SHOWN_RULES = 40

_STATE_TONES = {BatchState.HELD: "bad", BatchState.PARTLY_PUBLISHED: "waits", BatchState.PUBLISHED: "good"}
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


NO_LINKS = Links()


def html_page(facts: Facts, links: Links = NO_LINKS, *, scorecard: Scorecard | None = None) -> str:
    """The report as one HTML file with its pictures and colours inside; it asks nothing of any server.

    Args:
        facts: What it says.
        links: Where its batches, tables and incidents lead.
        scorecard: How ready the domain is; ``None`` leaves that out.
    """
    common = _common(facts, links, scorecard, drawn=True)
    return (
        environment()
        .get_template("report.html.j2")
        .render(charts=_charts(facts), map=_map(facts, links), today=links.web_url, **common)
    )


def markdown_page(facts: Facts, links: Links = NO_LINKS, *, scorecard: Scorecard | None = None) -> str:
    """The report's figures and tables as Markdown, for a pull request; arguments as for `html_page`."""
    return environment().get_template("report.md.j2").render(**_common(facts, links, scorecard, drawn=False))


def index_page(every: Sequence[Facts], links: Links = NO_LINKS) -> str:
    """All products of some domains on one page, with links to their reports."""
    rows = [
        (Link(facts.domain.name, f"{facts.domain.name}.html"), *_product(kpi, facts, links))
        for facts in every
        for kpi in facts.kpis
    ]
    held = [
        (Link(facts.domain.name, f"{facts.domain.name}.html"), *row)
        for facts in every
        for row in _waiting(facts, links, only_held=True)
    ]
    parts = [
        Part(name="products", title="Products", head=("domain", *_PRODUCT_HEAD), rows=rows, empty="no product"),
        Part(name="held", title="What is held", head=("domain", *_WAITING_HEAD), rows=held, empty="nothing"),
    ]
    at = max((facts.at for facts in every), default=None)
    return (
        environment()
        .get_template("index.html.j2")
        .render(at=f"{at:%Y-%m-%d %H:%M} UTC" if at else "", tables=parts, today=links.web_url)
    )


def _common(facts: Facts, links: Links, scorecard: Scorecard | None, *, drawn: bool) -> dict[str, Any]:
    return {
        "domain": facts.domain,
        "on_call": str(facts.on_call),
        "at": f"{facts.at:%Y-%m-%d %H:%M} UTC",
        "kpis": [_kpi_part(kpi, drawn=drawn) for kpi in facts.kpis],
        "figures": _figures(facts),
        "products": Part(
            name="products",
            title="Products",
            head=_PRODUCT_HEAD,
            rows=[_product(kpi, facts, links) for kpi in facts.kpis],
            empty="no product",
        ),
        "held": Part(name="held", title="What waits", head=_WAITING_HEAD, rows=_waiting(facts, links), empty="nothing"),
        "tables": [*_tables(facts, links), *(scorecard_parts(scorecard) if scorecard else ())],
    }


_PRODUCT_HEAD = ("product", "question", "newest", "value", "target", "", "owner")
_WAITING_HEAD = ("batch", "table", "state", "rows", "why")


def _product(kpi: KpiFacts, facts: Facts, links: Links) -> Sequence[str]:
    """A product on one line: its newest value against its target."""
    name: str = links.product(kpi.kpi.id)
    newest = kpi.values[-1] if kpi.values else None
    if not links.web_url and isinstance(name, Link):
        name = Link(name, f"{facts.domain.name}.html{name.address}")
    shown = (
        ("–", "–", "")
        if newest is None
        else (
            links.batch(BatchRef(kpi.kpi.id, newest.batch or "")),
            format_value(newest.value, kpi.kpi.unit),
            _MET[newest.met],
        )
    )
    numbers = (_unbroken(shown[1]), _unbroken(_target(newest, kpi.kpi)))
    return (name, kpi.kpi.question, shown[0], *numbers, shown[2], kpi.kpi.owner)


def _unbroken(number: str) -> str:
    """A number with its unit, on one line."""
    return number.replace(" ", "\u00a0")


def _waiting(facts: Facts, links: Links, *, only_held: bool = False) -> list[Sequence[str]]:
    """What waits, held batches first."""
    waiting = [
        (name, record)
        for name, record in _records(facts)
        if record.counts.quarantined and (record.state is BatchState.HELD or not only_held)
    ]
    waiting.sort(key=lambda one: one[1].state is not BatchState.HELD)
    return [
        (
            links.batch(record.ref),
            links.table(name),
            record.state.replace("_", " "),
            f"{record.counts.quarantined:,}",
            record.reason or "",
        )
        for name, record in waiting
    ]


def _map(facts: Facts, links: Links) -> Chart:
    """Sources, tables and products with where the newest batch of each stands."""
    newest = dict(_records(facts))  # from old to new: the last one stays
    boxes: list[MapBox] = []
    for table in facts.domain.tables:
        source = getattr(table, "source", None)
        reads = [read.table for read in (*table.reads.values(), *table.references.values())]
        outside = [one for one in reads if one.domain is not table.domain]
        boxes += [
            MapBox(name=str(one.id), words="of another domain", tone="", address=links.table(one.id).address)
            for one in outside
            if all(box.name != str(one.id) for box in boxes)
        ]
        if source is not None:
            boxes.append(MapBox(name=source.origin, words="source", tone=""))
        said = newest.get(table.id)
        boxes.append(
            MapBox(
                name=table.name,
                words=f"{said.ref.batch}: {said.state.replace('_', ' ')}" if said else "never delivered",
                tone=_STATE_TONES.get(said.state, "") if said else "",
                reads=(
                    *([source.origin] if source is not None else []),
                    *(str(one.id) if one in outside else one.name for one in reads),
                ),
                address=links.table(table.id).address or (f"#kpi-{table.name}" if isinstance(table, Kpi) else ""),
            )
        )
    svg = Markup(map_chart(boxes))  # noqa: S704  # it escapes what it draws
    return Chart(
        name="map", title="Map", svg=svg, words="Each table with its newest batch, right of what it is made of."
    )


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
    if shown is None:
        return Figure(name="all batches", value="–", words="nothing is published")
    name = "all batches" if shown.batch is None else shown.batch
    if shown.value is None:
        return Figure(name=name, value="–", words=shown.suppressed or "there is no value")
    value = format_value(shown.value, facts.kpi.unit)
    return Figure(name=name, value=value, words=_MET[shown.met], tone=_TONES[shown.met])


def _kpi_chart(facts: KpiFacts) -> Chart:
    kpi = facts.kpi
    newest = facts.values[-SHOWN_BATCHES:]
    values = [(one.batch or "", one.value, one.met) for one in newest if is_drawable(one.value)]
    bound = kpi.target.bound if kpi.target else None
    target = f"Dashed: the target, {_target(None, kpi)}. Red: batches that miss theirs." if kpi.target else ""
    return _chart(
        f"kpi-{kpi.name}-chart",
        "KPI over batches",
        values,
        lambda width: kpi_chart(values, bound, kpi.unit, width=width),
        wide=True,
        words=target,
    )


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
        Figure(name="held", value=f"{len(held):,}", words=f"of {len(batches):,} batches", tone="bad" if held else ""),
        Figure(name="incidents", value=f"{len(facts.incidents)}", tone="bad" if facts.incidents else "good"),
    ]


def _charts(facts: Facts) -> list[Chart]:
    fed = [lane for lane in facts.status.lanes if lane.total.ingested]
    rules = [(f"{one.table.name}: {one.name}", one.broken_rows, one.route) for one in facts.rules]
    spans = [(str(s.table), s.start.isoformat(), s.end.isoformat(), s.late) for s in facts.spans]
    return [
        *(_rows(lane, alone=len(fed) == 1) for lane in fed),
        _chart(
            "rules",
            "Rules by rows that broke them",
            rules,
            lambda width: rules_chart(rules, width=width),
            words="What a broken rule does: hold the batch, quarantine the rows, or warn.",
        ),
        _chart(
            "freshness",
            "Freshness",
            spans,
            lambda width: freshness_chart(
                [s[:3] for s in spans if not s[3]], [s[:3] for s in spans if s[3]], width=width
            ),
            words="When each table was as fresh as promised, and when it was late.",
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
    words = f"{lane.total.published:,} of {lane.total.ingested:,} rows are published, {lane.total.quarantined:,} wait."
    return _chart(name, title, rows, lambda width: rows_chart(rows, width=width), words=words)


def _chart(
    name: str,
    title: str,
    data: Sequence[Any],
    draw: Callable[[int], str],
    *,
    wide: bool = False,
    words: str = "",
) -> Chart:
    if not data:
        return Chart(name=name, title=title, svg=None, empty="nothing to show")
    return drawn_chart(name, title, draw, width=WHOLE if wide else HALF, phone=PHONE, words=words)


def _histograms(facts: Facts) -> list[Chart]:
    """The columns that moved, of the newest batches first."""
    drawn = [one for one in facts.unusual if one.finding.details.get("histogram")][:SHOWN_HISTOGRAMS]
    return [
        _chart(
            f"moved-{number}",
            f"{one.finding.column} in {one.ref.batch}",
            bars,
            partial(_histogram, bars),
            words="The newest batch beside those before it.",
        )
        for number, one in enumerate(drawn)
        for bars in [[Bar(**bar) for bar in one.finding.details["histogram"]]]
    ]


def _histogram(bars: Sequence[Bar], width: int) -> str:
    return histogram_chart(bars, width=width)


def _rules_part(facts: Facts) -> Part:
    """The rules that rows broke, in words, with the share of rows that keeps each."""
    kept = f"; {facts.kept_rules:,} more are kept by every row" if facts.rules else ""
    return Part(
        name="broken-rules",
        title=f"Rules that rows broke{kept}",
        head=("table", "rule", "requires", "where broken", "rows", "rows that keep it"),
        rows=[
            (
                str(one.table),
                one.name,
                one.requires or "not in the code any more",
                one.route or "–",
                f"{one.broken_rows:,} of {one.rows:,}",
                f"{one.pass_share:.2%}",
            )
            for one in facts.rules[:SHOWN_RULES]
        ],
        empty=f"none: {facts.kept_rules:,} rules are kept by every row",
    )


def _failing(facts: Facts, links: Links) -> Part:
    return Part(
        name="failing",
        title="Rows that fail",
        head=("batch", "row", "breaks", "cells"),
        rows=[
            (
                links.batch(one.ref, str(one.ref)),
                str(one.row),
                one.broken,
                "; ".join(f"{name}: {'∅' if value is None else value}" for name, value in one.cells.items()),
            )
            for one in facts.failing
        ],
        empty="none waits",
    )


def _trail(facts: Facts, links: Links) -> Part:
    return Part(
        name="trail",
        title="What happened last",
        head=("when", "batch", "what", "who", "why"),
        rows=[
            (
                f"{entry.at:%Y-%m-%d %H:%M}",
                links.batch(entry.ref, str(entry.ref)),
                entry.what.replace("_", " "),
                entry.who,
                entry.why or "",
            )
            for entry in reversed(facts.trail)
        ],
        folded=True,
        empty="nothing",
    )


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


def _tables(facts: Facts, links: Links) -> list[Part]:
    return [
        Part(
            name="incidents",
            title="Open incidents",
            head=("#", "what", "where", "since", "promised", "seen", "who answers", "next"),
            rows=[
                (
                    links.incident(one.id),
                    one.finding.kind.value,
                    _where(one, links),
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
        _failing(facts, links),
        _rules_part(facts),
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
            folded=True,
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
            folded=True,
            empty="no source",
        ),
        _trail(facts, links),
    ]


def _where(incident: Incident, links: Links) -> str:
    finding = incident.finding
    if not finding.batch:
        return links.table(finding.table)
    return links.batch(BatchRef(finding.table, finding.batch), f"{finding.table}[{finding.batch}]")


def _records(facts: Facts) -> Iterator[tuple[TableId, BatchRecord]]:
    """Where the batches stand, in order."""
    batches: Iterator[BatchStatus] = (batch for lane in facts.status.lanes for batch in lane.batches)
    for batch in batches:
        for name, record in batch.tables.items():
            if record is not None:
                yield name, record
