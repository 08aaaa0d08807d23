"""What the ledger knows of a table, beside what is declared: quality, cadence, freshness, columns, profile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from readiness_pipelines.batches import BatchState, Counts, Publication
from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Incident, Shape, StateChange, shown_by
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import (
    BatchProfile,
    ColumnKind,
    FreshnessKept,
    TableFreshness,
    assess,
    freshness_kept,
)
from readiness_pipelines.overview.catalog.quality import (
    HeldTime,
    QualityMonth,
    holds_of,
    median_time,
    quality_months,
)
from readiness_pipelines.overview.streams import stream_publications

KEPT_DAYS = 30
"""How freshness was kept is said of so many days."""

SHOWN_MONTHS = 12
"""Quality is shown of so many of the newest months."""

SHOWN_DELIVERIES = 30
"""The cadence is that of so many of the newest deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often a source really delivered.

    Attributes:
        deliveries: How many batches ever came.
        usual_gap: The median time between the newest deliveries; ``None`` of fewer than two.
        longest_gap: The longest of them; ``None`` likewise.
        last_at: When a batch came last for the first time, in UTC.
    """

    deliveries: int
    usual_gap: timedelta | None
    longest_gap: timedelta | None
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeChange:
    """When other columns of a source were accepted, by whom and why, and what changed in them.

    Attributes:
        at: When, in UTC.
        batch: The batch that had them first.
        who: Who accepted them; ``readiness`` for the first ones that it saw.
        why: The reason.
        columns: How many there were then.
        added: Columns that were not there before; none of the first shape.
        removed: Columns that were gone.
        changed: Columns of another type: "amount: int64, then double".
    """

    at: datetime
    batch: str
    who: str
    why: str
    columns: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVersion:
    """A version of a table's gate, and when it judged first, in UTC."""

    version: str
    first_used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """What a column's published values look like in the newest batch, without any of them.

    Attributes:
        name: The column.
        kind: How its values compare: ``number``, ``category``, ``text``, ``time``.
        nulls: Share of the rows without a value, 0 to 1.
        distinct: Different values.
        least: The least number; ``None`` for others, and where values may not be shown.
        greatest: The greatest.
        mean: Mean of the numbers, or of the lengths in characters; ``None`` where values may not be shown.
    """

    name: str
    kind: str
    nulls: float
    distinct: int
    least: float | None
    greatest: float | None
    mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What the ledger knows of a table.

    Attributes:
        table: The table.
        batches: How many batches are in each state.
        counts: The rows of all of them, accounted for.
        newest: The newest batch that consumers see; ``None`` where nothing is published.
        newest_at: When it was first published, in UTC.
        months: How good its batches were, by month, oldest first; the newest months.
        holds: When batches were held, oldest first.
        repair_time: The median time that repairs took; ``None`` where nothing was repaired.
        cadence: How often its source really delivered; ``None`` before the first, and of computed tables.
        freshness: Where it stands with its promise; ``None`` where it promises nothing.
        kept: For how much of the last days it kept it; ``None`` where nothing was promised then.
        shapes: The history of its source's columns, oldest first.
        gates: The versions of its gate that judged, oldest first.
        profiled: The batch that `profile` is of; ``None`` where none is kept.
        profile: What its columns look like.
        incidents: What is open or acknowledged.
    """

    table: TableId
    batches: Mapping[BatchState, int]
    counts: Counts
    newest: str | None
    newest_at: datetime | None
    months: tuple[QualityMonth, ...]
    holds: tuple[HeldTime, ...]
    repair_time: timedelta | None
    cadence: Cadence | None
    freshness: TableFreshness | None
    kept: FreshnessKept | None
    shapes: tuple[ShapeChange, ...]
    gates: tuple[GateVersion, ...]
    profiled: str | None
    profile: tuple[ColumnFacts, ...]
    incidents: tuple[Incident, ...]


def table_facts(table: Table, *, installation: Installation, now: datetime) -> TableFacts:
    """What the ledger knows of a table; a few queries, however many batches it has.

    Args:
        table: The table.
        installation: Where the ledger is.
        now: The time.

    Raises:
        LedgerError: The ledger cannot be reached.
        GateBuildError: Its schema cannot become a gate, which says what its columns are to persons.
    """
    ledger = installation.ledger
    raw = [table.id.raw] if isinstance(table, GatedTable) else []
    tally = ledger.tallies([table.id]).get(table.id)
    outcomes, turns = ledger.outcomes([table.id]).get(table.id, ()), ledger.turns([table.id, *raw])
    own = turns.get(table.id, ())
    holds = holds_of(own)
    publications: Sequence[Publication] = shown_by(own)
    if table.freshness is not None and table.freshness.event_time is not None:
        publications = ledger.publications(tables=[table.id]).get(table.id, ())
    newest = max(publications, key=lambda one: table.batches.order(one.batch), default=None)
    repaired = [hold.until - hold.since for hold in holds if hold.until is not None]
    profiled, profile = _profile(table, newest, installation)
    return TableFacts(
        table=table.id,
        batches=tally.batches if tally else {},
        counts=tally.counts if tally else Counts(),
        newest=newest.batch if newest else None,
        newest_at=newest.first_at if newest else None,
        months=quality_months(table.batches, outcomes, own, holds, most=SHOWN_MONTHS),
        holds=holds,
        repair_time=median_time(repaired),
        cadence=cadence_of(turns.get(table.id.raw, ())),
        freshness=_freshness(table, publications, installation, now),
        kept=_kept(table, publications, now),
        shapes=tuple(_shape_changes(ledger.shapes(table.id))),
        gates=tuple(
            GateVersion(version=one.version, first_used_at=one.first_used_at) for one in ledger.gates(table.id)
        ),
        profiled=profiled,
        profile=profile,
        incidents=ledger.incidents.incidents(tables=[table.id], active=True),
    )


def cadence_of(arrivals: Sequence[StateChange]) -> Cadence | None:
    """How often a source really delivered; ``None`` before the first.

    Args:
        arrivals: When its batches came, oldest first; one that came again counts once.
    """
    first: dict[str, datetime] = {}
    for arrival in arrivals:
        if arrival.what == BatchState.INGESTED.value:
            first.setdefault(arrival.batch, arrival.at)
    times = sorted(first.values())
    if not times:
        return None
    gaps = [after - before for before, after in pairwise(times[-SHOWN_DELIVERIES - 1 :])]
    return Cadence(
        deliveries=len(times),
        usual_gap=median_time(gaps),
        longest_gap=max(gaps, default=None),
        last_at=times[-1],
    )


def _freshness(
    table: Table, publications: Sequence[Publication], installation: Installation, now: datetime
) -> TableFreshness | None:
    if table.freshness is None:
        return None
    _, since = installation.ledger.incidents.watched().get(table.id, ("", now))
    still_open = stream_publications({table.id: table}, installation=installation, now=now).get(table.id)
    return assess(table.freshness, table.batches, publications, now=now, watched_since=since, still_open=still_open)


def _kept(table: Table, publications: Sequence[Publication], now: datetime) -> FreshnessKept | None:
    if table.freshness is None:
        return None
    start = now - timedelta(days=KEPT_DAYS)
    return freshness_kept(table.freshness, table.batches, publications, start=start, end=now)


def _shape_changes(shapes: Sequence[Shape]) -> Iterator[ShapeChange]:
    before: Mapping[str, str] | None = None
    for shape in shapes:
        old = shape.columns if before is None else before
        yield ShapeChange(
            at=shape.at,
            batch=shape.batch,
            who=shape.who,
            why=shape.why,
            columns=len(shape.columns),
            added=tuple(name for name in shape.columns if name not in old),
            removed=tuple(name for name in old if name not in shape.columns),
            changed=tuple(
                f"{name}: {old[name]}, then {kind}"
                for name, kind in shape.columns.items()
                if name in old and old[name] != kind
            ),
        )
        before = shape.columns


def _profile(
    table: Table, newest: Publication | None, installation: Installation
) -> tuple[str | None, tuple[ColumnFacts, ...]]:
    """What the columns of the newest batch look like; of values that may not be shown, how many there are."""
    found = installation.ledger.profiles(table.id, [newest.batch]) if newest else {}
    if newest is None or newest.batch not in found:
        return None, ()
    profile = BatchProfile.from_json(found[newest.batch])
    facts = []
    for name, column in profile.columns.items():
        shown = class_of(table, name).level.shown
        numbers = shown and column.kind is ColumnKind.NUMBER
        facts.append(
            ColumnFacts(
                name=name,
                kind=column.kind.value,
                nulls=column.null_ratio,
                distinct=column.distinct,
                least=column.minimum if numbers else None,
                greatest=column.maximum if numbers else None,
                mean=column.mean if shown else None,
            )
        )
    return newest.batch, tuple(facts)
