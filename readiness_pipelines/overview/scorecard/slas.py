"""What products promised for each month about the quality of their data, and what it was."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from readiness_pipelines.batches import Calendar, Counts, Publication
from readiness_pipelines.contracts import GatedTable, Kpi, Sla, Table
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import OutcomeRecord, StateChange, counts_of
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import freshness_kept
from readiness_pipelines.overview.catalog.quality import HeldTime, holds_of, month_of, month_span, months_of, pass_share
from readiness_pipelines.overview.domain_map import data_path

MONTHS = 12
"""So many calendar months are reckoned, this one among them, and so many of those in which there was something."""


class SlaPart(StrEnum):
    """What is promised: the share of rows published, that of the time it was fresh, how long repairs may take."""

    PUBLISHED = "published"
    FRESH = "fresh"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaMeasure:
    """One part of a promise, and what it was in a month.

    Attributes:
        part: What is promised.
        promised: The bound: a share, 0 to 1, or seconds.
        measured: What it was: a share, or the seconds of the longest repair; ``None`` where there was nothing to
            measure: no row, no freshness promise in force, no batch held.
        kept: Whether it was kept; ``None`` where nothing was delivered for the month, or was promised in it.
    """

    part: SlaPart
    promised: float
    measured: float | None
    kept: bool | None

    def __str__(self) -> str:
        return f"{self.part} {_text(self.part, self.measured)} (promised {_text(self.part, self.promised)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaMonth:
    """A product's promise, and what it was in a calendar month.

    Attributes:
        product: The product.
        month: The month: ``2026-11``.
        over: Whether it is over, by UTC and by the clocks of its tables; else it is reckoned up to now.
        measures: The parts that are promised.
    """

    product: TableId
    month: str
    over: bool
    measures: tuple[SlaMeasure, ...]

    @property
    def kept(self) -> bool | None:
        """Whether all of it was kept; ``None`` where nothing could be measured."""
        known = [one.kept for one in self.measures if one.kept is not None]
        return all(known) if known else None


def _is_over(month: str, path: Iterable[Table], now: datetime) -> bool:
    """Whether a month is over by the clocks of all tables of a path."""
    end, grids = month_span(month)[1], [table.batches.grid() for table in path]
    zones = [UTC, *(ZoneInfo(grid.timezone) for grid in grids if isinstance(grid, Calendar))]
    return all(end.replace(tzinfo=zone) <= now for zone in zones)


def sla_months(
    products: Iterable[Kpi], *, installation: Installation, now: datetime, months: int = MONTHS
) -> Mapping[TableId, tuple[SlaMonth, ...]]:
    """What some products promised, and what it was, month by month, oldest first; of those that promise something.

    Rows and repairs are those of the tables between the sources and the product. A batch belongs to the month in which
    the time that it covers ends, by its own clock; without a calendar, to that in which it first had a verdict. A hold
    belongs to the month in which it began, and one that lasts counts up to now.

    Args:
        products: The products.
        installation: Where the ledger is.
        now: The time.
        months: How many calendar months, this one among them; of older data, so many of its own months.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    promising = [(product, product.sla) for product in products if product.sla is not None]
    paths = {product.id: data_path(product) for product, _ in promising}
    tables = {table.id: table for path in paths.values() for table in path}
    if not tables:
        return {}
    ledger = installation.ledger
    outcomes, turns = ledger.outcomes(tables), ledger.turns(tables)
    publications = ledger.publications(tables=paths)
    rows = {
        table.id: _rows(table, outcomes.get(table.id, ()), turns.get(table.id, ()))
        for table in tables.values()
        if isinstance(table, GatedTable)
    }
    holds = {table: holds_of(found) for table, found in turns.items()}
    return {
        product.id: tuple(
            SlaMonth(
                product=product.id,
                month=month,
                over=_is_over(month, paths[product.id], now),
                measures=tuple(
                    _measures(
                        sla,
                        product,
                        month,
                        counts=[rows[one.id].get(month) for one in paths[product.id] if one.id in rows],
                        holds=[hold for one in paths[product.id] for hold in holds.get(one.id, ())],
                        publications=publications.get(product.id, ()),
                        now=now,
                    )
                ),
            )
            for month in _months(paths[product.id], rows, holds, now=now, most=months)
        )
        for product, sla in promising
    }


def _measures(
    sla: Sla,
    product: Kpi,
    month: str,
    *,
    counts: Sequence[Counts | None],
    holds: Sequence[HeldTime],
    publications: Sequence[Publication],
    now: datetime,
) -> Iterator[SlaMeasure]:
    delivered = [one for one in counts if one is not None]
    if sla.published is not None:
        share = pass_share(sum(delivered, Counts()))
        kept = None if share is None else share >= sla.published
        yield SlaMeasure(part=SlaPart.PUBLISHED, promised=sla.published, measured=share, kept=kept)
    if sla.fresh is not None:
        assert product.freshness is not None  # noqa: S101  # whoever promises it says what it is: `Domain.kpi`
        begin, end = month_span(month)
        found = freshness_kept(product.freshness, product.batches, publications, start=begin, end=min(end, now))
        fresh = None if found is None else found.share
        kept = None if fresh is None else fresh >= sla.fresh
        yield SlaMeasure(part=SlaPart.FRESH, promised=sla.fresh, measured=fresh, kept=kept)
    if sla.repaired_within is not None:
        took = [hold.lasts(now) for hold in holds if month_of(hold.since) == month]
        longest = max(took, default=None)
        kept = (True if delivered else None) if longest is None else longest <= sla.repaired_within
        yield SlaMeasure(
            part=SlaPart.REPAIRED,
            promised=sla.repaired_within.total_seconds(),
            measured=None if longest is None else longest.total_seconds(),
            kept=kept,
        )


def _rows(table: Table, outcomes: Sequence[OutcomeRecord], turns: Sequence[StateChange]) -> Mapping[str, Counts]:
    """The rows of a table's batches, by month."""
    months = months_of(table.batches, turns, outcomes)
    by_month: dict[str, list[OutcomeRecord]] = {}
    for one in outcomes:
        if one.batch in months:
            by_month.setdefault(months[one.batch], []).append(one)
    return {month: counts_of(some) for month, some in by_month.items()}


def _months(
    path: Sequence[Table],
    rows: Mapping[TableId, Mapping[str, Counts]],
    holds: Mapping[TableId, Sequence[HeldTime]],
    *,
    now: datetime,
    most: int,
) -> list[str]:
    """The newest calendar months, in which a source may have been silent, and those that anything belongs to."""
    calendar = [month_of(now)]
    while len(calendar) < most:
        calendar.append(month_of(month_span(calendar[-1])[0] - timedelta(days=1)))
    there = {month for table in path for month in rows.get(table.id, ())}
    there |= {month_of(hold.since) for table in path for hold in holds.get(table.id, ())}
    return sorted({*calendar, *sorted(there)[-most:]})


def _text(part: SlaPart, value: float | None) -> str:
    if value is None:
        return "–"
    if part is SlaPart.REPAIRED:
        return format_duration(timedelta(seconds=round(value)))
    return f"{value:.2%}"
