"""A market whose buyers are persons: what each bought last, by event and by delivery, kept for look-ups."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, Function, Pseudonym, Source, StaticBatches, Steward, Tolerance, protect
from readiness_pipelines.columns import KNOWN_COLUMNS
from readiness_pipelines.contracts import FeatureView, GatedTable
from readiness_pipelines.decisions import What
from readiness_pipelines.delivery import decide, do_work, due_work, replay_batch
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.installation import Installation, Run

DAYS = ("day_1", "day_2", "day_3", "day_4")
START = datetime(2026, 11, 2, 6, tzinfo=UTC)

Bought = tuple[str, str, int, int]
"""Buyer, stall, hour of the event, pieces; negative pieces break a rule."""


class Sale(pa.DataFrameModel):
    """One sale."""

    buyer: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="patients"), subject=True))
    stall: arrow.string()
    sold_at: arrow.timestamp("us", "UTC")
    pieces: arrow.int64() = pa.Field(ge=0)
    note: arrow.string() = pa.Field(nullable=True, metadata=protect("pii.direct"))


class Last(pa.DataFrameModel):
    """What a buyer bought at a stall."""

    buyer: arrow.string()
    stall: arrow.string()
    sold_at: arrow.timestamp("us", "UTC")
    pieces: arrow.int64()
    note: arrow.string() = pa.Field(nullable=True)


@dataclass
class Market:
    """A market whose clock moves by an hour with each delivery."""

    installation: Installation
    sales: dict[str, list[Bought]] = field(default_factory=dict)
    now: datetime = START

    def __post_init__(self) -> None:
        """Declare it."""
        self.domain = Domain("market", owner="market@example.org")
        self.sold: GatedTable = self.domain.gated(
            "sales",
            schema=Sale,
            source=Source(
                origin="Stalls",
                steward=Steward("Market", "market@example.org"),
                reader=Function(self._read, arrivals=lambda: [(k, str(hash(tuple(v)))) for k, v in self.sales.items()]),
            ),
            batches=StaticBatches(keys=DAYS),
            tolerance=Tolerance(quarantined_ratio=0.6),
            allow_empty=True,
        )

        @self.domain.features(
            entity=["buyer", "stall"], event_time="sold_at", schema=Last, online=True, ttl="3d", allow_empty=True
        )
        def by_event(sales: Any) -> Any:
            return sales.project("buyer, stall, sold_at, pieces, note")

        @self.domain.features(entity="buyer", schema=Last, online=True, allow_empty=True, per_record=True)
        def by_delivery(sales: Any) -> Any:
            return sales.project("buyer, stall, sold_at, pieces, note")

        self.by_event: FeatureView = by_event
        self.by_delivery: FeatureView = by_delivery

    def _read(self, batch: str) -> list[dict[str, Any]]:
        return [
            {"buyer": b, "stall": s, "sold_at": START + timedelta(hours=h), "pieces": n, "note": f"call +41 44 000 {n}"}
            for b, s, h, n in self.sales[batch]
        ]

    @property
    def run(self) -> Run:
        """A run on the market's clock."""
        return Run(run_id="r1", who="me", clock=lambda: self.now)

    def deliver(self, **sales: list[Bought]) -> None:
        """Let batches arrive, an hour after what came before, and deliver all that is due."""
        self.now += timedelta(hours=1)
        self.sales |= sales
        while works := due_work([self.domain], installation=self.installation, now=self.now):
            for work in works:
                do_work(work, installation=self.installation, run=self.run)

    def decide(self, what: What, batch: str) -> None:
        """Decide about sales an hour later, replay the batch, and all that is made of it."""
        self.now += timedelta(hours=1)
        decide(self.sold, what, batch=batch, why="because", installation=self.installation, run=self.run)
        replay_batch(self.sold, batch=batch, installation=self.installation, run=self.run)
        self.deliver()


def brute_force(market: Market, view: FeatureView) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """By key what the history says is newest: its features, batch, and since when it is known; a look at every row."""
    lakehouse = market.installation.lakehouse
    if not lakehouse.exists(view.id.history):
        return {}
    with market.installation.engine() as engine:
        rows = lakehouse.relation(engine, view.id.history).to_arrow_table().to_pylist()
    there = Published(market.installation.ledger).batches(view)
    since, until = KNOWN_COLUMNS.names
    found: dict[tuple[str, ...], tuple[Any, Any]] = {}
    for row in rows:
        event: Any = row[view.event_time] if view.event_time else DAYS.index(row["_batch"])
        ahead = view.event_time is not None and event > market.now
        if row["_batch"] not in there or row[until] is not None or ahead:
            continue
        place = (event, row[since], DAYS.index(row["_batch"]), row["_row"])
        key = tuple(row[name] for name in view.entity)
        if key not in found or place > found[key][0]:
            found[key] = (place, row)
    beside = {*view.entity, view.event_time, "note"}
    names = [name for name in Last.to_schema().columns if name not in beside]
    return {key: ({name: row[name] for name in names}, row["_batch"], row[since]) for key, (_, row) in found.items()}
