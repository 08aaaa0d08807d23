"""What is not as some tables promise, from what the ledger knows: late tables; slow, held and broken batches."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.commands import (
    history_command,
    quarantine_command,
    reconcile_command,
    run_command,
    status_command,
)
from readiness_pipelines.contracts import GatedTable, Table, answers_for, products_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BESIDE, Finding, FindingKind, FoundFinding, Severity, TrailEntry
from readiness_pipelines.models import superseded_models, waiting_reviews
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import FreshnessState, TableFreshness, assess
from readiness_pipelines.overview.broken_consumers import broken_consumers
from readiness_pipelines.overview.latency import Publications, StepLatency, newest_latencies
from readiness_pipelines.overview.streams import pause_text, paused_streams, stream_publications, unread_streams
from readiness_pipelines.overview.unclassified import unclassified_columns
from readiness_pipelines.overview.unusual import unusual_batches
from readiness_pipelines.overview.withdrawn import withdrawn_windows

SHOWN_RULES = 3
"""So many of the rules that hold a batch are named."""

CUT_OFF_AFTER = timedelta(hours=2)
"""A delivery that is open for longer was probably killed."""

SEVERITIES = {FreshnessState.LATE: Severity.WARN, FreshnessState.FAILED: Severity.ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look at some tables.

    Attributes:
        freshness: Where each table with a freshness promise stands.
        findings: What is not as promised.
    """

    freshness: Mapping[TableId, TableFreshness]
    findings: tuple[Finding, ...]


def observe(
    tables: Iterable[Table],
    *,
    installation: Installation,
    now: datetime,
    publications: Publications | None = None,
    watched: Mapping[TableId, tuple[str, datetime]] | None = None,
) -> Observation:
    """Look at some tables. Nothing is written and nobody is notified.

    Args:
        tables: The tables: those of a domain, or of several.
        installation: Where the ledger is.
        now: The time.
        publications: What consumers see, where it is known already: of the tables, and of all that they read.
        watched: Each table's state at the last look, where it is known already.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    look = _Look({table.id: table for table in tables}, installation, now)
    if publications is None:
        read = {one.table.id for table in look.tables.values() for one in table.reads.values()}
        publications = installation.ledger.publications(tables={*look.tables, *read})
    before = installation.ledger.incidents.watched() if watched is None else watched
    freshness = dict(_freshness(look, publications, before))
    findings = (
        *_late(look, freshness),
        *_slow(look, publications),
        *_held(look),
        *_broken(look),
        *_beside(look),
        *withdrawn_windows(look.tables, installation=installation, now=now),
        *unread_streams(look.tables, installation=installation, now=now),
        *unclassified_columns(look.tables, installation=installation),
        *superseded_models(look.tables, installation=installation),
        *waiting_reviews(look.tables, installation=installation),
        *broken_consumers(look.tables, installation=installation, now=now),
        *unusual_batches(look.tables, installation=installation, publications=publications),
    )
    return Observation(freshness=freshness, findings=findings)


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked at, and when."""

    tables: Mapping[TableId, Table]
    installation: Installation
    now: datetime

    def finding(self, table: Table, **fields: Any) -> Finding:
        """A finding about a table, with who answers and what is at risk."""
        return Finding(table=table.id, answers=answers_for(table), at_risk=products_of(table), **fields)


def _freshness(
    look: _Look, publications: Publications, before: Mapping[TableId, tuple[str, datetime]]
) -> Iterator[tuple[TableId, TableFreshness]]:
    streamed = stream_publications(look.tables, installation=look.installation, now=look.now)
    for table in look.tables.values():
        if table.freshness is not None:
            state, since = before.get(table.id, (None, look.now))
            yield (
                table.id,
                assess(
                    table.freshness,
                    table.batches,
                    publications.get(table.id, ()),
                    now=look.now,
                    watched_since=since,
                    before=FreshnessState(state) if state else None,
                    still_open=streamed.get(table.id),
                ),
            )


def _late(look: _Look, freshness: Mapping[TableId, TableFreshness]) -> Iterator[Finding]:
    paused = paused_streams(look.tables, installation=look.installation)
    for name, found in freshness.items():
        if found.since is not None and found.state in SEVERITIES:
            yield look.finding(
                look.tables[name],
                kind=FindingKind.FRESHNESS,
                severity=SEVERITIES[found.state],
                batch=None,
                promised=found.promised,
                seen=found.seen,
                since=found.since,
                details=(f"its stream is {pause_text(paused[name])}",) if name in paused else (),
                way_out=status_command(name.domain),
            )


def _slow(look: _Look, publications: Publications) -> Iterator[Finding]:
    """The newest batch of each step that took, or takes, longer than the step may."""
    promising = [table for table in look.tables.values() if table.latency is not None]
    found = newest_latencies(promising, installation=look.installation, publications=publications)
    open_ones = {name: one.batch for name, one in found.items() if one.published_at is None}
    judged = look.installation.ledger.glances(tables=open_ones, batches=set(open_ones.values())) if open_ones else ()
    judged_at = {one.ref: one.updated_at for one in judged}
    for table in promising:
        newest = found.get(table.id)
        if newest is None or table.latency is None:
            continue
        if newest.published_at is None and _has_verdict(table, newest, judged_at):
            continue  # held, empty or discarded: that is another finding, or none
        took = (newest.published_at or look.now) - newest.since
        if took > table.latency:
            yield _slow_finding(look, table, newest, took, allowed=table.latency)


def _slow_finding(look: _Look, table: Table, newest: StepLatency, took: timedelta, *, allowed: timedelta) -> Finding:
    ref, there = BatchRef(table.id, newest.batch), newest.published_at is not None
    long = format_duration(timedelta(seconds=round(took.total_seconds())))
    return look.finding(
        table,
        kind=FindingKind.LATENCY,
        severity=Severity.WARN,
        batch=newest.batch,
        promised=f"published {format_duration(allowed)} after {newest.after}",
        seen=f"took {long}" if there else f"{newest.after} {long} ago and is not published",
        since=newest.since + allowed,
        way_out=history_command(ref) if there else run_command(ref),
    )


def _has_verdict(table: Table, newest: StepLatency, judged_at: Mapping[BatchRef, datetime]) -> bool:
    """Whether a batch has a verdict about what came."""
    at = judged_at.get(BatchRef(table.id, newest.batch))
    return at is not None and (isinstance(table, GatedTable) or at >= newest.since)


def _held(look: _Look) -> Iterator[Finding]:
    places = {name: place for place, name in enumerate(look.tables)}
    records = look.installation.ledger.batches(tables=look.tables, state=BatchState.HELD)

    def order(ref: BatchRef) -> tuple[int, tuple[float, str]]:
        return places[ref.table], look.tables[ref.table].batches.order(ref.batch)

    trails = look.installation.ledger.trails([record.ref for record in records])
    for record in sorted(records, key=lambda record: order(record.ref)):
        yield look.finding(
            look.tables[record.ref.table],
            kind=FindingKind.HELD,
            severity=Severity.ERROR,
            batch=record.ref.batch,
            promised="the batch passes its gate",
            seen=record.reason or "held",
            since=record.updated_at,
            details=_worst_rules(trails.get(record.ref, ())),
            way_out=quarantine_command(record.ref),
        )


def _worst_rules(trail: Sequence[TrailEntry]) -> tuple[str, ...]:
    """The rules that most rows of a batch break, by its last verdict."""
    rules: dict[str, int] = next((entry.details["rules"] for entry in reversed(trail) if "rules" in entry.details), {})
    worst = sorted(rules.items(), key=lambda rule: -rule[1])[:SHOWN_RULES]
    return tuple(f"{rule}: {rows:,} row{'' if rows == 1 else 's'}" for rule, rows in worst)


def _broken(look: _Look) -> Iterator[Finding]:
    """Batches that cannot be ingested or delivered, and that nobody closed; what broke last speaks for a batch."""
    own = dict(look.tables)
    own |= {table.id.raw: table for table in look.tables.values() if isinstance(table, GatedTable)}
    found: dict[BatchRef, Finding] = {}
    published = Published(look.installation.ledger)
    for entry in look.installation.ledger.last_failures(tables=own):
        table = own[entry.ref.table]
        ref = BatchRef(table.id, entry.ref.batch)
        # Where an input is held or discarded nothing can be delivered, and the input says so itself.
        if not isinstance(table, GatedTable) and published.inputs(table, ref.batch) is None:
            continue
        seen = next(iter((entry.why or "").splitlines()), "") or "it broke"
        found[ref] = _undelivered(look, ref, table, seen=seen, since=entry.at, way_out=run_command(ref))
    for attempt in look.installation.ledger.open_attempts(tables=own):
        if look.now - attempt.begun_at > CUT_OFF_AFTER:
            table = own[attempt.ref.table]
            ref = BatchRef(table.id, attempt.ref.batch)
            seen = f"a delivery began {attempt.begun_at:%Y-%m-%d %H:%M} UTC and did not end: cut off, or very slow"
            way_out = reconcile_command(table.id.domain)
            found[ref] = _undelivered(look, ref, table, seen=seen, since=attempt.begun_at, way_out=way_out)
    yield from _left_open(look, found.values())


def _left_open(look: _Look, found: Collection[Finding]) -> Iterator[Finding]:
    """What nobody closed since it broke: of a batch whose file was taken back, no delivery can ever end well."""
    if not found:
        return
    incidents = look.installation.ledger.incidents.incidents(tables=look.tables)
    last = {incident.finding.subject: incident for incident in incidents}
    for finding in found:
        if finding.subject not in last or not last[finding.subject].is_closed_for(finding):
            yield finding


def _beside(look: _Look) -> Iterator[Finding]:
    """Batches that are not as their last verdict left them, by the last proof; and those whose runs wait in vain."""
    found: dict[tuple[BatchRef, FindingKind], list[FoundFinding]] = {}
    for one in look.installation.ledger.findings.of(tables=look.tables):
        if one.finding.kind in BESIDE:
            found.setdefault((one.ref, one.finding.kind), []).append(one)
    for (ref, kind), (first, *others) in found.items():
        more = f", and {len(others)} more" if others else ""
        yield look.finding(
            look.tables[ref.table],
            kind=kind,
            severity=Severity.ERROR,
            batch=ref.batch,
            promised=first.finding.promised,
            seen=first.finding.seen + more,
            since=first.found_at,
            details=tuple(one.finding.seen for one in others),
            way_out=first.finding.details["way_out"],
        )


def _undelivered(look: _Look, ref: BatchRef, table: Table, *, seen: str, since: datetime, way_out: str) -> Finding:
    return look.finding(
        table,
        kind=FindingKind.BROKEN,
        severity=Severity.ERROR,
        batch=ref.batch,
        promised="the batch can be delivered",
        seen=seen,
        since=since,
        way_out=way_out,
    )
