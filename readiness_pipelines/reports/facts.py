"""What a report says of a domain, gathered as values."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import Domain, Kpi
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.gates import RuleKind
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Finding, FindingKind, FoundFinding, Incident, IncidentState, TrailEntry
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import BAD, TableFreshness
from readiness_pipelines.overview import (
    DomainStatus,
    MapStep,
    OnCall,
    Publications,
    domain_map,
    newest_latencies,
    observe,
    on_call_now,
    quarantine_rows,
    status,
    waiting_batches,
    waiting_values,
)
from readiness_pipelines.products import KpiValue

FAILING_BATCHES, FAILING_ROWS = 4, 5
"""Rows are shown of so many batches that wait, and so many of each."""

SHOWN_EVENTS, LOOKED_AT_EVENTS = 25, 500
"""So many of the last events are shown, if they are among so many of all domains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiFacts:
    """What a report says of a KPI.

    Attributes:
        kpi: The KPI.
        together: Its value over all batches; ``None`` where batches do not add up, or nothing is published.
        values: Its totals, from old to new.
        parts: Its values by dimensions in the newest batch that has any.
    """

    kpi: Kpi
    together: KpiValue | None
    values: tuple[KpiValue, ...]
    parts: tuple[KpiValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time in which a table kept its freshness promise, or did not."""

    table: TableId
    start: datetime
    end: datetime
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long the newest batch of a table took from its landing, or its inputs; ``None`` for what is not known."""

    table: TableId
    batch: str | None
    took: timedelta | None
    promised: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRule:
    """A rule that rows broke, over the last verdict of every batch.

    Attributes:
        table: Its table.
        name: Its name.
        requires: What must hold, for people; "" where the code has no such rule any more.
        route: What it does where it is broken; "" likewise.
        broken_rows: How many rows broke it.
        rows: How many rows of the table were judged.
    """

    table: TableId
    name: str
    requires: str
    route: str
    broken_rows: int
    rows: int

    @property
    def pass_share(self) -> float:
        """Which share of the rows kept it."""
        return 1 - self.broken_rows / self.rows if self.rows else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRow:
    """A row that waits, with the cells that its broken rules look at; values of classified columns are redacted."""

    ref: BatchRef
    row: int
    broken: str
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a report says of a domain.

    Attributes:
        domain: The domain.
        at: When it was gathered, in UTC.
        status: Where every batch stands, lane by lane.
        kpis: The KPIs, with their values.
        rules: The rules that rows broke, over the last verdict of every batch, most rows first; without shape rules.
        kept_rules: How many rules no row broke.
        failing: Rows that wait, of the newest batches, held ones first.
        freshness: Where each table with a promise stands.
        spans: When it did, and did not, keep its promise.
        latencies: How long the newest batch of each table took.
        unusual: What was found about batches and nobody called normal, newest batch first.
        findings: What is not as promised now.
        incidents: What is open or acknowledged.
        steps: The domain's map: sources, stewards, rules.
        on_call: Who is on call.
        trail: What happened last.
    """

    domain: Domain
    at: datetime
    status: DomainStatus
    kpis: tuple[KpiFacts, ...]
    rules: tuple[ReportedRule, ...]
    kept_rules: int
    failing: tuple[FailingRow, ...]
    freshness: tuple[tuple[TableId, TableFreshness], ...]
    spans: tuple[Span, ...]
    latencies: tuple[Latency, ...]
    unusual: tuple[FoundFinding, ...]
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]
    steps: tuple[MapStep, ...]
    on_call: OnCall
    trail: tuple[TrailEntry, ...]


def gather(domain: Domain, *, installation: Installation, now: datetime) -> Facts:
    """Gather what a report says. Nothing is written.

    Raises:
        LedgerError: The ledger cannot be reached.
        LakehouseError: A table cannot be read.
    """
    tables = {table.id: table for table in domain.tables}
    read = {one.table.id for table in domain.tables for one in table.reads.values()}
    publications = installation.ledger.publications(tables={*tables, *read})
    observed = observe(domain.tables, installation=installation, now=now, publications=publications)
    incidents = installation.ledger.incidents.incidents(tables=list(tables))
    unusual = [one for one in installation.ledger.findings.of(tables=list(tables)) if one.normal_at is None]
    unusual.sort(key=lambda one: tables[one.ref.table].batches.order(one.ref.batch), reverse=True)
    seen = status(domain, installation=installation)
    rules = _rules(domain, installation)
    return Facts(
        domain=domain,
        at=now,
        status=seen,
        kpis=tuple(_kpi(kpi, seen) for kpi in domain.kpis),
        rules=rules,
        kept_rules=sum(len(gate_of(table).rules) for table in domain.tables) - len(rules),
        failing=tuple(_failing(domain, installation)),
        freshness=tuple(observed.freshness.items()),
        spans=tuple(_spans(observed.freshness, incidents, publications, now)),
        latencies=tuple(_latencies(domain, installation, publications)),
        unusual=tuple(unusual),
        findings=observed.findings,
        incidents=tuple(one for one in incidents if one.state is not IncidentState.RESOLVED),
        steps=domain_map(domain),
        on_call=on_call_now(domain, now=now),
        trail=tuple(
            entry for entry in _trail(installation) if entry.ref.table in {*tables, *(one.raw for one in tables)}
        )[-SHOWN_EVENTS:],
    )


def _trail(installation: Installation) -> tuple[TrailEntry, ...]:
    """What happened last, of all domains."""
    return installation.ledger.trail(limit=LOOKED_AT_EVENTS)


def _kpi(kpi: Kpi, seen: DomainStatus) -> KpiFacts:
    (lane,) = (lane for lane in seen.lanes if kpi.id in lane.tables)
    by_batch = [batch.dimensions[kpi.id] for batch in lane.batches if kpi.id in batch.dimensions]
    return KpiFacts(
        kpi=kpi,
        together=lane.kpis[kpi.id],
        values=tuple(batch.values[kpi.id] for batch in lane.batches if kpi.id in batch.values),
        parts=by_batch[-1] if by_batch else (),
    )


def _rules(domain: Domain, installation: Installation) -> tuple[ReportedRule, ...]:
    """A rule over a batch's shape is broken by all rows or none: counted, it would hide the others."""
    declared = {(table.id, rule.name): rule for table in domain.tables for rule in gate_of(table).rules}
    ids = [table.id for table in domain.tables]
    broken: Counter[tuple[TableId, str]] = Counter()
    for entry in installation.ledger.last_verdicts(tables=ids):
        for name, count in entry.details.get("rules", {}).items():
            rule = declared.get((entry.ref.table, name))
            if rule is None or rule.kind is not RuleKind.SHAPE:
                broken[entry.ref.table, name] += count
    judged: Counter[TableId] = Counter()
    for record in installation.ledger.batches(tables=ids):
        judged[record.ref.table] += record.counts.ingested
    return tuple(
        ReportedRule(
            table=table,
            name=name,
            requires=rule.reason if (rule := declared.get((table, name))) else "",
            route=rule.route.value if rule else "",
            broken_rows=count,
            rows=judged[table],
        )
        for (table, name), count in broken.most_common()
    )


def _failing(domain: Domain, installation: Installation) -> Iterator[FailingRow]:
    """Some rows of the newest batches that wait, held ones first: of each, those that break a rule."""
    waiting = waiting_batches(domain.tables, installation=installation)
    held = [record for record in waiting if record.state is BatchState.HELD]
    partly = [record for record in waiting if record.state is not BatchState.HELD]
    tables = {table.id: table for table in domain.tables}
    for record in [*held[::-1], *partly[::-1]][:FAILING_BATCHES]:
        table = tables[record.ref.table]
        columns = {rule.name: rule.columns for rule in gate_of(table).rules}
        rows = quarantine_rows(table, batch=record.ref.batch, rule=None, limit=FAILING_ROWS, installation=installation)
        for row in waiting_values(table, rows):
            names = str(row.get("broken") or "").split(", ")
            looked_at = dict.fromkeys(column for name in names for column in columns.get(name, ()))
            if names != [""]:
                yield FailingRow(
                    ref=record.ref,
                    row=row["_row"],
                    broken=", ".join(names),
                    cells={column: row[column] for column in looked_at if column in row},
                )


def _spans(
    freshness: Mapping[TableId, TableFreshness],
    incidents: tuple[Incident, ...],
    publications: Publications,
    now: datetime,
) -> Iterator[Span]:
    """From the first publication on, a table kept its promise wherever no incident says otherwise."""
    for table, found in freshness.items():
        late = [
            (one.finding.since, one.resolved_at)
            for one in incidents
            if one.finding.kind is FindingKind.FRESHNESS and one.finding.table == table and one.resolved_at is not None
        ]
        if found.state in BAD and found.late_at is not None:
            late.append((found.late_at, now))
        shown = [one.first_at for one in publications.get(table, ())]
        begins = min([*shown, *(start for start, _ in late)], default=now)
        yield Span(table=table, start=begins, end=now, late=False)
        yield from (Span(table=table, start=start, end=end, late=True) for start, end in late)


def _latencies(domain: Domain, installation: Installation, publications: Publications) -> Iterator[Latency]:
    found = newest_latencies(domain.tables, installation=installation, publications=publications)
    for table in domain.tables:
        newest = found.get(table.id)
        took = newest.published_at - newest.since if newest is not None and newest.published_at is not None else None
        yield Latency(table=table.id, batch=newest.batch if newest else None, took=took, promised=table.latency)
