"""How everything stands now, looked at once for all who want to see it, and again only when something happened."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.contracts import Domain, Kpi, Table
from readiness_pipelines.delivery import gate_of, kpi_values
from readiness_pipelines.domains import tables_of
from readiness_pipelines.errors import ReadinessError, UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import (
    InboxItem,
    Publications,
    Scorecard,
    Standing,
    TableFacts,
    Today,
    inbox,
    scorecards,
    standing_of,
    table_facts,
    today,
)
from readiness_pipelines.products import KpiValue

SHOWN_VALUES = 24
"""So many of a product's newest values are drawn beside its name."""

LASTS = timedelta(seconds=15)
"""So long is a look good where nothing happened: time passes, and tables become late."""

FACTS_KEPT = 200
"""What is known of so many tables is kept."""

CARDS_LAST = timedelta(minutes=1)
"""So long are a scorecard and the facts of a table good where nothing happened: what they say changes with time."""

ValueKey = tuple[tuple[str, datetime | None], ...]
"""The batches whose values are shown, and when each came to where it is."""


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at everything, with what it was true for."""

    pulse: tuple[int, ...]
    at: datetime
    publications: Publications
    keys: Mapping[TableId, ValueKey]
    today: Today
    standings: Mapping[TableId, Standing]
    complete: bool


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A scorecard to show.

    Attributes:
        card: The scorecard; ``None`` where none was reckoned yet.
        current: Whether nothing happened since; else it is being reckoned again.
    """

    card: Scorecard | None
    current: bool


class Now:
    """Looks at everything once, however many people want to see it.

    Values of products lie in the lakehouse, each in a table of its own. They are read in the background, and again only
    when a product was published again: a page shows those that are known by then.
    """

    def __init__(
        self, domains: Sequence[Domain], installation: Installation, clock: Callable[[], datetime], *, patience: float
    ) -> None:
        self._domains = domains
        self._kpis = [kpi for domain in domains for kpi in domain.kpis]
        self._tables = tables_of(domains)
        self._with_inputs = frozenset(
            {*self._tables, *(one.table.id for table in self._tables.values() for one in table.reads.values())}
        )
        self._installation = installation
        self._clock = clock
        self._patience = patience
        self._looking = threading.Lock()
        self._counting = threading.Lock()
        self._reckoning = threading.Lock()
        self._looking_up = threading.Lock()
        self._sorting = threading.Lock()
        self._closing = threading.Event()
        self._inbox: tuple[tuple[int, ...], tuple[InboxItem, ...]] | None = None
        self._facts: dict[TableId, tuple[tuple[int, ...], datetime, TableFacts]] = {}
        self._cards: dict[str, tuple[tuple[int, ...], Scorecard]] = {}
        self._reckoned: dict[str, Future[Scorecard]] = {}
        self._look: _Look | None = None
        self._values: dict[TableId, tuple[ValueKey, tuple[KpiValue, ...]]] = {}
        self._reading: dict[TableId, Future[None]] = {}
        self._readers = ThreadPoolExecutor(max_workers=3, thread_name_prefix="values")
        self._reckoners = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scorecards")

    def today(self) -> Today:
        """How everything stands.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        return self._current().today

    def standings(self) -> Mapping[TableId, Standing]:
        """How each table stands, by what was found of it alone; a product also by its target."""
        return self._current().standings

    def inbox(self) -> tuple[InboxItem, ...]:
        """What waits, held batches first; looked up again when something happened."""
        pulse = self._installation.ledger.pulse()
        with self._sorting:
            if self._inbox is None or self._inbox[0] != pulse:
                self._inbox = pulse, inbox(self._tables.values(), installation=self._installation)
            return self._inbox[1]

    def facts(self, table: Table) -> TableFacts:
        """What the ledger knows of a table: looked up again when something happened.

        Raises:
            LedgerError: The ledger cannot be reached.
            GateBuildError: Its schema cannot become a gate.
        """
        pulse, now = self._installation.ledger.pulse(), self._clock()
        known = self._facts.get(table.id)
        if known is None or known[0] != pulse or now - known[1] >= CARDS_LAST:
            with self._looking_up:  # a table of ten thousand batches takes a second: not for fifty people at once
                known = self._facts.get(table.id)
                if known is None or known[0] != pulse or now - known[1] >= CARDS_LAST:
                    found = table_facts(table, installation=self._installation, now=now)
                    known = (pulse, now, found)
                    self._facts[table.id] = known
                    while len(self._facts) > FACTS_KEPT:
                        self._facts.pop(next(iter(self._facts)))
        return known[2]

    def publications(self) -> Publications:
        """What consumers see, by table."""
        return self._current().publications

    def scorecard_soon(self, scope: str, *, identity_required: bool) -> ShownCard:
        """How ready the data of a scope is, as `scorecard`; where that takes longer than a moment, what was known.

        Raises:
            UnknownNameError: No such domain or product; names the nearest.
            LedgerError: The ledger cannot be reached.
        """
        pulse = self._installation.ledger.pulse()
        before = self._cards.get(scope)
        if before is not None and self._card_holds(before, pulse):
            return ShownCard(before[1], current=True)
        with self._counting:
            reckoned = self._reckoned.get(scope)
            if reckoned is None or reckoned.done():
                reckoned = self._reckoners.submit(self.scorecard, scope, identity_required=identity_required)
                self._reckoned[scope] = reckoned
        try:
            found = reckoned.result(timeout=self._patience * 5)
        except TimeoutError:
            return ShownCard(before[1] if before is not None else None, current=False)
        return ShownCard(found, current=self._card_holds(self._cards[scope], pulse))

    def scorecard(self, scope: str, *, identity_required: bool) -> Scorecard:
        """How ready the data of a scope is, reckoned again when something happened: its proofs are the whole trail.

        Args:
            scope: A domain, a product, or "" for everything.
            identity_required: Whether the settings demand that who decides proves it.

        Raises:
            UnknownNameError: No such domain or product; names the nearest.
            LedgerError: The ledger cannot be reached.
        """
        known = {domain.name for domain in self._domains} | {str(kpi.id) for kpi in self._kpis}
        if scope and scope not in known:
            raise UnknownNameError("domain or product", scope, known)
        pulse = self._installation.ledger.pulse()
        with self._reckoning:
            kept = self._cards.get(scope)
            if kept is None or not self._card_holds(kept, pulse):
                (card,) = scorecards(
                    self._domains,
                    installation=self._installation,
                    identity_required=identity_required,
                    now=self._clock(),
                    only=[scope],
                ).values()
                kept = self._cards[scope] = (pulse, card)
        return kept[1]

    def _card_holds(self, kept: tuple[tuple[int, ...], Scorecard], pulse: tuple[int, ...]) -> bool:
        """Whether a scorecard says what is so now."""
        return kept[0] == pulse and self._clock() - kept[1].at < CARDS_LAST

    def pulse(self) -> str:
        """A text that is another one as soon as something happened."""
        return ".".join(map(str, self._installation.ledger.pulse()))

    def warm(self) -> None:
        """Look for the first time, and begin to build what the scorecard needs: whoever comes then waits less."""
        with suppress(ReadinessError):  # whoever looks is told
            self._current()
        self._reckoners.submit(self._build_gates)

    def _build_gates(self) -> None:
        """Build every table's gate: a page needs one of them, a scorecard all."""
        for table in self._tables.values():
            if self._closing.is_set():
                return
            with suppress(ReadinessError):  # the page of a table without a gate says why
                gate_of(table)

    def close(self) -> None:
        """Read and build nothing any more."""
        self._closing.set()
        for pool in (self._readers, self._reckoners):
            pool.shutdown(wait=False, cancel_futures=True)

    def _current(self) -> _Look:
        pulse, now = self._installation.ledger.pulse(), self._clock()
        look = self._look
        if look is not None and _holds(look, pulse, now):
            return look
        with self._looking:
            look = self._look
            if look is None or not _holds(look, pulse, now):
                look = self._look = self._new_look(pulse, now, look)
            return look

    def _new_look(self, pulse: tuple[int, ...], now: datetime, last: _Look | None) -> _Look:
        publications, keys = self._published(pulse, last)
        self._read_values(keys)
        known = {
            kpi: values for kpi, (key, values) in self._values.items() if key == keys.get(kpi) or kpi in self._reading
        }
        found = today(self._domains, installation=self._installation, now=now, publications=publications, values=known)
        complete = all(key == self._values.get(kpi, ((), ()))[0] for kpi, key in keys.items())
        standings = _standings(self._tables, found, publications)
        return _Look(pulse, now, publications, keys, found, standings, complete)

    def _published(self, pulse: tuple[int, ...], last: _Look | None) -> tuple[Publications, Mapping[TableId, ValueKey]]:
        """What consumers see, and what tells products' values from others: read again of what something happened to.

        Nothing of either changes without an entry in the trail, in the same transaction.
        """
        ledger = self._installation.ledger
        if last is not None and last.pulse == pulse:
            return last.publications, last.keys
        if last is None or last.pulse[0] > pulse[0]:
            publications = ledger.publications(tables=self._with_inputs)
            return publications, self._keys(publications)
        moved = ledger.tables_after(last.pulse[0]) & self._with_inputs
        if not moved:
            return last.publications, last.keys
        found = ledger.publications(tables=moved)
        publications = {**{table: some for table, some in last.publications.items() if table not in moved}, **found}
        keys = {**{kpi: key for kpi, key in last.keys.items() if kpi not in moved}, **self._keys(found)}
        return publications, keys

    def _keys(self, publications: Publications) -> Mapping[TableId, ValueKey]:
        """For each product that has values, what tells them from others: its newest batches and their runs."""
        published = {kpi.id: publications[kpi.id] for kpi in self._kpis if kpi.id in publications}
        if not published:
            return {}
        stood: dict[TableId, dict[str, datetime]] = {}
        for one in self._installation.ledger.glances(tables=published):
            stood.setdefault(one.ref.table, {})[one.ref.batch] = one.updated_at
        keys: dict[TableId, ValueKey] = {}
        for kpi in self._kpis:
            if kpi.id in published:
                newest = sorted((one.batch for one in published[kpi.id]), key=kpi.batches.order)[-SHOWN_VALUES:]
                times = stood.get(kpi.id, {})
                keys[kpi.id] = tuple((batch, times.get(batch)) for batch in newest)
        return keys

    def _read_values(self, keys: Mapping[TableId, ValueKey]) -> None:
        """Begin to read what is not known, and wait for it a moment."""
        for kpi in self._kpis:
            key = keys.get(kpi.id)
            known = self._values.get(kpi.id)
            if key is None or (known is not None and known[0] == key) or kpi.id in self._reading:
                continue
            with self._counting:
                self._reading[kpi.id] = self._readers.submit(self._read, kpi, key)
        if self._reading:
            wait(list(self._reading.values()), timeout=self._patience)

    def _read(self, kpi: Kpi, key: ValueKey) -> None:
        try:
            found = kpi_values(kpi, installation=self._installation, batches=[batch for batch, _ in key])
            totals = sorted((one for one in found if one.is_total), key=lambda one: kpi.batches.order(one.batch or ""))
            self._values[kpi.id] = (key, tuple(totals))
        except ReadinessError:
            self._values[kpi.id] = (key, ())  # a table that cannot be read is found by whoever looks at the product
        finally:
            with self._counting:  # not before whoever submitted it has noted that
                self._reading.pop(kpi.id, None)


def _holds(look: _Look, pulse: tuple[int, ...], now: datetime) -> bool:
    """Whether a look is still true."""
    if look.pulse != pulse:
        return False
    return now - look.at < (LASTS if look.complete else timedelta(seconds=1))


def _standings(tables: Mapping[TableId, Table], found: Today, publications: Publications) -> Mapping[TableId, Standing]:
    order = list(Standing)
    stands: dict[TableId, Standing] = {}
    for finding in found.findings:
        stands[finding.table] = min(stands.get(finding.table, Standing.FINE), standing_of(finding), key=order.index)
    for one in found.products:
        if one.value is not None and one.value.met is False:
            stands[one.product.id] = min(stands.get(one.product.id, Standing.FINE), Standing.MISSED, key=order.index)
    stands |= {one.model.id: one.standing for one in found.models}
    return {
        table: stands.get(table, Standing.FINE if publications.get(table) else Standing.NOTHING) for table in tables
    }
