"""What is not as a path promises, from what its ledger knows: late tables, slow, held and broken batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.batches.calendar import order_of
from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.names import Gated, batch_ref, published_table, raw_table
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchFinding, BatchRef, BatchState, FoundFinding
from readiness_pipelines.observability import (
    Finding,
    FindingKind,
    FreshnessState,
    Publication,
    Severity,
    TableFreshness,
    assess,
)
from readiness_pipelines.overview.latency import newest_latency

SHOWN_RULES = 3
"""So many of the rules that hold a batch are told."""

CUT_OFF_AFTER = timedelta(hours=2)
"""A delivery that is open for longer was probably killed."""

SEVERITIES = {FreshnessState.LATE: Severity.WARN, FreshnessState.FAILED: Severity.ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look at a path.

    Attributes:
        freshness: Where each table with a freshness promise stands, by its published name.
        findings: What is not as promised.
    """

    freshness: Mapping[str, TableFreshness]
    findings: tuple[Finding, ...]


def observe(
    path: DataPath,
    *,
    installation: Installation,
    now: datetime,
    publications: Mapping[tuple[str, str], Sequence[Publication]] | None = None,
    watched: Mapping[tuple[str, str], tuple[str, datetime]] | None = None,
) -> Observation:
    """Look at a path. Nothing is written and nobody is told.

    Args:
        path: The path.
        installation: Where its ledger is.
        now: The time.
        publications: What consumers see, where it is known already.
        watched: Each table's state at the last look, where it is known already.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    ledger = installation.ledger
    seen = ledger.publications(path=path.name) if publications is None else publications
    before = ledger.incidents.watched() if watched is None else watched
    freshness: dict[str, TableFreshness] = {}
    for table in path.tables:
        if table.freshness is not None:
            name = str(published_table(path, table))
            state, since = before.get((path.name, name), (None, now))
            freshness[name] = assess(
                table.freshness,
                path.batches,
                seen.get((path.name, name), ()),
                now=now,
                watched_since=since,
                before=FreshnessState(state) if state else None,
            )
    slow = _slow(path, installation, seen, now)
    findings = (
        *_late(path, freshness),
        *slow,
        *_held(path, installation),
        *_broken(path, installation, now),
        *_unlike(path, installation, seen),
    )
    return Observation(freshness=freshness, findings=findings)


def _late(path: DataPath, freshness: Mapping[str, TableFreshness]) -> Iterator[Finding]:
    for table in path.tables:
        name = str(published_table(path, table))
        found = freshness.get(name)
        if found is not None and found.since is not None and found.state in SEVERITIES:
            yield Finding(
                kind=FindingKind.FRESHNESS,
                severity=SEVERITIES[found.state],
                path=path.name,
                table=name,
                batch=None,
                promised=found.promised,
                seen=found.seen,
                since=found.since,
                way_out=f"readiness status {path.name}",
                answers=_answers(path, table),
            )


def _slow(
    path: DataPath,
    installation: Installation,
    publications: Mapping[tuple[str, str], Sequence[Publication]],
    now: datetime,
) -> Iterator[Finding]:
    """The newest batch of each step that took, or takes, longer than the step may."""
    for table in path.tables:
        newest = newest_latency(path, table, installation=installation, publications=publications)
        if table.latency is None or newest is None:
            continue
        ref = batch_ref(path, published_table(path, table), newest.batch)
        there = newest.published_at is not None
        if not there and installation.ledger.get(ref) is not None:
            continue  # held, empty or discarded: that is another finding, or none
        took = (newest.published_at or now) - newest.since
        if took > table.latency:
            long = format_duration(timedelta(seconds=round(took.total_seconds())))
            again = f"readiness run {path.name} --batch {newest.batch}"
            yield Finding(
                kind=FindingKind.LATENCY,
                severity=Severity.WARN,
                path=path.name,
                table=ref.table,
                batch=newest.batch,
                promised=f"published {format_duration(table.latency)} after {newest.after}",
                seen=f"took {long}" if there else f"{newest.after} {long} ago and is not published",
                since=newest.since + table.latency,
                way_out=f"readiness history {newest.batch}" if there else again,
                answers=path.kpi.owner,
            )


def _held(path: DataPath, installation: Installation) -> Iterator[Finding]:
    for record in installation.ledger.batches(path=path.name, state=BatchState.HELD):
        table = next((t for t in path.tables if str(published_table(path, t)) == record.ref.table), None)
        if table is None:
            continue
        last = installation.ledger.trail(ref=record.ref, limit=1)
        rules = last[0].details.get("rules", {}) if last else {}
        worst = sorted(rules.items(), key=lambda rule: -rule[1])[:SHOWN_RULES]
        yield Finding(
            kind=FindingKind.HELD,
            severity=Severity.ERROR,
            path=path.name,
            table=record.ref.table,
            batch=record.ref.batch,
            promised="the batch passes its gate",
            seen=record.reason or "held",
            since=record.updated_at,
            details=tuple(f"{rule}: {rows:,} rows" for rule, rows in worst),
            way_out=f"readiness quarantine show {record.ref.batch}",
            answers=_answers(path, table),
        )


def _broken(path: DataPath, installation: Installation, now: datetime) -> Iterator[Finding]:
    for entry in installation.ledger.last_failures(path=path.name):
        seen = (entry.why or "it broke").splitlines()[0]
        run_again = f"readiness run {path.name} --batch {entry.ref.batch}"
        yield _undelivered(path, entry.ref, seen=seen, since=entry.at, way_out=run_again)
    for attempt in installation.ledger.open_attempts():
        if attempt.ref.path == path.name and now - attempt.begun_at > CUT_OFF_AFTER:
            seen = f"a delivery began {attempt.begun_at:%Y-%m-%d %H:%M} UTC and did not end: cut off, or very slow"
            repair = f"readiness reconcile {path.name} --repair"
            yield _undelivered(path, attempt.ref, seen=seen, since=attempt.begun_at, way_out=repair)


def _unlike(
    path: DataPath, installation: Installation, publications: Mapping[tuple[str, str], Sequence[Publication]]
) -> Iterator[Finding]:
    """What was found about the newest batch of each table and nobody called normal, one finding for each kind."""
    tables = {str(published_table(path, table)): table for table in path.tables}
    grouped: dict[tuple[str, FindingKind], dict[str, list[FoundFinding]]] = {}
    for one in installation.ledger.findings.of(path=path.name):
        if one.ref.table in tables:
            grouped.setdefault((one.ref.table, one.finding.kind), {}).setdefault(one.ref.batch, []).append(one)
    for (name, kind), batches in grouped.items():
        newest = max(batches, key=lambda batch: order_of(path.batches, batch))
        there = publications.get((path.name, name), ())
        last = max((order_of(path.batches, one.batch) for one in there), default=order_of(path.batches, newest))
        strange = [one for one in batches[newest] if not _is_normal(path, one, batches)]
        # Over, where a later batch was published that is as promised.
        if strange and order_of(path.batches, newest) >= last:
            yield _unlike_finding(path, tables[name], kind, strange, batches)


def _is_normal(path: DataPath, one: FoundFinding, batches: Mapping[str, Sequence[FoundFinding]]) -> bool:
    """Whether somebody called it normal: in this batch, or, of a source's columns, in one before."""
    if one.normal_at is not None:
        return True
    place = order_of(path.batches, one.ref.batch)
    return one.finding.kind is FindingKind.SCHEMA and any(
        other.normal_at is not None and _same(one.finding, other.finding)
        for batch, others in batches.items()
        if order_of(path.batches, batch) < place
        for other in others
    )


def _unlike_finding(
    path: DataPath,
    table: Gated,
    kind: FindingKind,
    strange: Sequence[FoundFinding],
    found: Mapping[str, Sequence[FoundFinding]],
) -> Finding:
    first = strange[0]
    columns = [one.finding for one in strange]
    seen = _about(first.finding) + (f", and {len(columns) - 1} more" if len(columns) > 1 else "")
    if kind is FindingKind.SCHEMA:
        earlier = sorted(
            (order_of(path.batches, other), other)
            for other, ones in found.items()
            if any(_same(one.finding, first.finding) for one in ones)
        )
        seen += f"; first in {earlier[0][1]}"
    return Finding(
        kind=kind,
        severity=Severity.WARN,
        path=path.name,
        table=str(published_table(path, table)),
        batch=first.ref.batch,
        promised=f"{first.finding.column}: {first.finding.promised}"
        if first.finding.column
        else first.finding.promised,
        seen=seen,
        since=min(one.found_at for one in strange),
        details=tuple(f"{_about(one)} (expected: {one.promised}{_how_unusual(one)})" for one in columns),
        way_out=f"readiness report {path.name}",
        answers=_answers(path, table),
    )


def _about(finding: BatchFinding) -> str:
    return f"{finding.column}: {finding.seen}" if finding.column else finding.seen


def _how_unusual(finding: BatchFinding) -> str:
    p = finding.details.get("p")
    return "" if p is None else f"; by chance p = {p:.0e}"


def _same(one: BatchFinding, other: BatchFinding) -> bool:
    return (one.measured, one.column) == (other.measured, other.column)


def _undelivered(path: DataPath, ref: BatchRef, *, seen: str, since: datetime, way_out: str) -> Finding:
    tables = {str(published_table(path, table)): table for table in path.tables}
    tables |= {str(raw_table(table)): table for table in path.tables if isinstance(table, GatedTable)}
    return Finding(
        kind=FindingKind.BROKEN,
        severity=Severity.ERROR,
        path=path.name,
        table=ref.table,
        batch=ref.batch,
        promised="the batch can be delivered",
        seen=seen,
        since=since,
        way_out=way_out,
        answers=_answers(path, tables[ref.table]) if ref.table in tables else path.kpi.owner,
    )


def _answers(path: DataPath, table: Gated) -> str:
    """The source's steward, or for what is computed the KPI's owner."""
    return str(table.source.steward) if isinstance(table, GatedTable) else path.kpi.owner
