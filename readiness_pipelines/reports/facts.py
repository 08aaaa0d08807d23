"""What a report tells of a path, gathered as values."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.batches.calendar import order_of
from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery import gate_of, published_table
from readiness_pipelines.gates import RuleKind
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import FoundFinding, Incident, IncidentState
from readiness_pipelines.observability import BAD, Finding, FindingKind, TableFreshness
from readiness_pipelines.overview import PathStatus, PathStep, newest_latency, observe, path_map, status


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time in which a table kept its freshness promise, or did not."""

    table: str
    start: datetime
    end: datetime
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long the newest batch of a table took from its landing, or its inputs; ``None`` for what is not known."""

    table: str
    batch: str | None
    took: timedelta | None
    promised: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a report tells of a path.

    Attributes:
        path: The path.
        at: When it was gathered, in UTC.
        status: Where every batch stands, in order.
        rules: Rows that break each rule, over the last verdict of every batch, most first.
        freshness: Where each table with a promise stands.
        spans: When it did, and did not, keep its promise.
        latencies: How long the newest batch of each table took.
        unusual: What was found about batches and nobody called normal, newest batch first.
        findings: What is not as promised now.
        incidents: What is open or acknowledged.
        steps: The path's map: sources, stewards, rules.
    """

    path: DataPath
    at: datetime
    status: PathStatus
    rules: tuple[tuple[str, int], ...]
    freshness: tuple[tuple[str, TableFreshness], ...]
    spans: tuple[Span, ...]
    latencies: tuple[Latency, ...]
    unusual: tuple[FoundFinding, ...]
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]
    steps: tuple[PathStep, ...]


def gather(path: DataPath, *, installation: Installation, now: datetime) -> Facts:
    """Gather what a report tells. Nothing is written.

    Raises:
        LedgerError: The ledger cannot be reached.
        LakehouseError: A table cannot be read.
    """
    seen = observe(path, installation=installation, now=now)
    incidents = installation.ledger.incidents.incidents(path=path.name)
    unusual = [one for one in installation.ledger.findings.of(path=path.name) if one.normal_at is None]
    unusual.sort(key=lambda one: order_of(path.batches, one.ref.batch), reverse=True)
    return Facts(
        path=path,
        at=now,
        status=status(path, installation=installation),
        rules=_rules(path, installation),
        freshness=tuple(seen.freshness.items()),
        spans=tuple(_spans(path, dict(seen.freshness), incidents, installation, now)),
        latencies=tuple(_latencies(path, installation)),
        unusual=tuple(unusual),
        findings=seen.findings,
        incidents=tuple(one for one in incidents if one.state is not IncidentState.RESOLVED),
        steps=path_map(path),
    )


def _rules(path: DataPath, installation: Installation) -> tuple[tuple[str, int], ...]:
    """A rule over a batch's shape is broken by all rows or none: counted, it would hide the others."""
    shape = {rule.name for table in path.tables for rule in gate_of(path, table).rules if rule.kind is RuleKind.SHAPE}
    rows: Counter[str] = Counter()
    for entry in installation.ledger.last_verdicts(path=path.name):
        rows.update({name: count for name, count in entry.details.get("rules", {}).items() if name not in shape})
    return tuple(rows.most_common())


def _spans(
    path: DataPath,
    freshness: dict[str, TableFreshness],
    incidents: tuple[Incident, ...],
    installation: Installation,
    now: datetime,
) -> list[Span]:
    """From the first publication on, a table kept its promise wherever no incident says otherwise."""
    publications = installation.ledger.publications(path=path.name)
    spans = []
    for table, found in freshness.items():
        late = [
            (one.finding.since, one.resolved_at)
            for one in incidents
            if one.finding.kind is FindingKind.FRESHNESS and one.finding.table == table and one.resolved_at is not None
        ]
        if found.state in BAD and found.late_at is not None:
            late.append((found.late_at, now))
        shown = [one.first_at for one in publications.get((path.name, table), ())]
        begins = min([*shown, *(start for start, _ in late)], default=now)
        spans.append(Span(table=table, start=begins, end=now, late=False))
        spans += [Span(table=table, start=start, end=end, late=True) for start, end in late]
    return spans


def _latencies(path: DataPath, installation: Installation) -> Iterator[Latency]:
    publications = installation.ledger.publications(path=path.name)
    for table in path.tables:
        newest = newest_latency(path, table, installation=installation, publications=publications)
        took = newest.published_at - newest.since if newest is not None and newest.published_at is not None else None
        name = str(published_table(path, table))
        yield Latency(table=name, batch=newest.batch if newest else None, took=took, promised=table.latency)
