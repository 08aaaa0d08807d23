"""The page of a batch: one HTML file that needs no server."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from readiness_pipelines.batches import Counts
from readiness_pipelines.contracts import GatedTable, Kpi, Table, answers_for
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.overview import BatchHistory
from readiness_pipelines.products import format_value
from readiness_pipelines.reports.batch_facts import SHOWN_ROWS, BatchFacts
from readiness_pipelines.reports.parts import Chart, Figure, Part, drawn_chart, environment, unusual_rows

SHOWN_SAMPLES = 3
SHOWN_RULES = 10
SHOWN_HISTOGRAMS = 6
SHOWN_CHARACTERS = 16
_TONES = {"held": "bad", "partly_published": "waits", "published": "good"}


def batch_page(facts: BatchFacts) -> str:
    """The page of a batch as one HTML file; it asks nothing of any server."""
    record = facts.record
    return (
        environment()
        .get_template("batch.html.j2")
        .render(
            table=facts.table,
            batch=facts.ref.batch,
            at=_time(facts.at),
            answers=answers_for(facts.table),
            on_call=str(facts.guidance.on_call),
            runbook=facts.guidance.runbook,
            our_runbook=facts.guidance.ours,
            reason=record.reason if record and record.reason else "",
            figures=_figures(facts),
            commands=facts.commands,
            rules=_rules(facts),
            samples=list(_samples(facts)),
            charts=_histograms(facts),
            tables=[*_waiting(facts), *_tables(facts)],
        )
    )


def _figures(facts: BatchFacts) -> list[Figure]:
    record = facts.record
    counts = record.counts if record else Counts()
    state = record.state.value if record else "not judged"
    figures = [
        Figure(name="state", value=state.replace("_", " "), tone=f"word {_TONES.get(state, '')}"),
        Figure(name="ingested", value=f"{counts.ingested:,}"),
        Figure(name="published", value=f"{counts.published:,}"),
        Figure(name="quarantined", value=f"{counts.quarantined:,}", tone="waits" if counts.quarantined else ""),
        Figure(name="discarded", value=f"{counts.discarded:,}"),
        *([Figure(name="erased", value=f"{counts.erased:,}")] if counts.erased else []),
    ]
    value = facts.step.value
    if isinstance(facts.table, Kpi) and value is not None:
        figures.append(Figure(name=facts.table.name, value=format_value(value.value, facts.table.unit)))
    return figures


def _rules(facts: BatchFacts) -> Part:
    return Part(
        name="rules",
        title="Rules that it breaks now",
        head=("rule", "requires", "where broken", "rows", "rows that keep it"),
        rows=[
            (one.rule.name, one.rule.reason, one.rule.route.value, f"{one.broken_rows:,}", _share(one, facts))
            for one in facts.rules[:SHOWN_RULES]
        ],
        empty=f"not known: {facts.not_judged}" if facts.not_judged else "none",
    )


def _share(count: RuleCount, facts: BatchFacts) -> str:
    """Which share of the batch's rows keeps a rule."""
    rows = facts.record.counts.ingested if facts.record else 0
    return f"{1 - count.broken_rows / rows:.2%}" if rows else "–"


def _samples(facts: BatchFacts) -> Iterator[Part]:
    """Some of the rows that break each rule, with the columns that it looks at."""
    for number, one in enumerate(facts.rules[:SHOWN_RULES]):
        if one.samples:
            yield _sample(number, one)


def _sample(number: int, count: RuleCount) -> Part:
    names = tuple(count.samples[0])
    return Part(
        name=f"sample-{number}",
        title=f"{count.rule.name}: {count.broken_rows:,} row{'' if count.broken_rows == 1 else 's'}",
        head=names,
        rows=[tuple(_cell(row.get(name)) for name in names) for row in count.samples[:SHOWN_SAMPLES]],
        empty="",
    )


def _waiting(facts: BatchFacts) -> Iterator[Part]:
    waits = facts.record.counts.quarantined if facts.record else 0
    if not waits:
        return
    names = tuple(facts.rows[0]) if facts.rows else ()
    title = f"Rows that wait: {waits:,}" + (f", the first {SHOWN_ROWS}" if waits > SHOWN_ROWS else "")
    rows = [tuple(_cell(row[name]) for name in names) for row in facts.rows]
    yield Part(name="waiting", title=title, head=names, rows=rows, empty="")


def _tables(facts: BatchFacts) -> Iterator[Part]:
    yield Part(
        name="unusual",
        title="Unusual about it",
        head=("what", "expected", "seen"),
        rows=[line[2:] for line in unusual_rows(facts.unusual)],
        empty="nothing was found",
    )
    yield Part(
        name="incidents",
        title="Open incidents",
        head=("#", "what", "since", "promised", "seen", "next"),
        rows=[
            (
                str(one.id),
                one.finding.kind.value,
                _time(one.finding.since),
                one.finding.promised,
                one.finding.seen,
                one.finding.way_out,
            )
            for one in facts.incidents
        ],
        empty="none",
    )
    yield Part(
        name="decisions",
        title="Decisions",
        head=("#", "when", "who", "what", "why"),
        rows=[(str(one.id), _time(one.at), one.who, f"{one.verb} {one.text}", one.why) for one in facts.step.decisions],
        empty="nobody decided anything about it",
    )
    yield Part(
        name="path",
        title="What it was made of, and what was made of it",
        head=("batch", "state", "ingested", "published", "quarantined", "value"),
        rows=[_path_row(step, facts) for step in facts.steps],
        empty="",
    )
    origins = [origin for step in facts.steps if step.record for origin in step.record.origins]
    yield Part(
        name="origins",
        title="Where its rows come from",
        head=("origin", "bytes", "arrived", "fingerprint"),
        rows=[
            (
                one.name,
                f"{one.bytes:,}" if one.bytes is not None else "–",
                _time(one.arrived_at) if one.arrived_at else "–",
                one.fingerprint[:SHOWN_CHARACTERS],
            )
            for one in origins
        ],
        empty="nothing was ingested",
    )
    yield Part(
        name="trail",
        title="What happened",
        head=("when", "where", "what", "who", "why"),
        rows=[
            (f"{entry.at:%Y-%m-%d %H:%M:%S}", str(entry.ref.table), entry.what, entry.who, entry.why or "")
            for step in facts.steps
            if step.ref.table in (facts.ref.table, facts.ref.table.raw) and step.ref.batch == facts.ref.batch
            for entry in step.trail
        ],
        empty="nothing",
    )
    yield Part(
        name="versions",
        title="Versions",
        head=("what", "which"),
        rows=list(_versions(facts.table, facts.record)),
        empty="it was not judged",
    )


def _path_row(step: BatchHistory, facts: BatchFacts) -> Sequence[str]:
    if step.record is None:
        return (str(step.ref), "never", "–", "–", "–", "")
    counts = step.record.counts
    table = next((one for one in facts.table.domain.tables if one.id == step.ref.table), None)
    value = format_value(step.value.value, table.unit) if step.value is not None and isinstance(table, Kpi) else ""
    judged = step.record.gate_version is not None
    shown = (f"{counts.published:,}", f"{counts.quarantined:,}") if judged else ("–", "–")
    return (str(step.ref), step.record.state.value.replace("_", " "), f"{counts.ingested:,}", *shown, value)


def _versions(table: Table, record: BatchRecord | None) -> Iterator[Sequence[str]]:
    if record is None:
        return
    yield "gate", record.gate_version or "–"
    for name in ("published", "quarantine"):
        if (snapshot := getattr(record.snapshots, name)) is not None:
            yield f"{name} snapshot", str(snapshot)
    for read, batches in record.inputs.items():
        yield f"read {read}", ", ".join(f"{batch} ({snapshot})" for batch, snapshot in batches.items())
    if isinstance(table, GatedTable):
        yield "source", f"{table.source.origin}: {table.source.reader.describe()}"


def _histograms(facts: BatchFacts) -> list[Chart]:
    """The columns whose values moved; a bar of texts names some of them."""
    drawn = [one for one in facts.unusual if one.finding.details.get("histogram")][:SHOWN_HISTOGRAMS]
    if not drawn:
        return []
    # Only who has something to draw pays for the charts: half a second to import.
    from readiness_pipelines.observability import Bar  # noqa: PLC0415
    from readiness_pipelines.reports.charts import HALF, PHONE, histogram_chart  # noqa: PLC0415

    def histogram(bars: Sequence[Bar], width: int) -> str:
        return histogram_chart(bars, width=width)

    charts = []
    for number, one in enumerate(drawn):
        bars = [Bar(**bar) for bar in one.finding.details["histogram"]]
        draw = partial(histogram, bars)
        charts.append(drawn_chart(f"moved-{number}", str(one.finding.column), draw, width=HALF, phone=PHONE))
    return charts


def _time(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _cell(value: object) -> str:
    return "∅" if value is None else str(value)
