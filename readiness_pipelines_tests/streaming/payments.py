"""A domain whose payments come as messages of a topic, or as files of the same records."""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Domain, FileDrop, Freshness, HourlyBatches, Ratio, Source, Steward, Tolerance, Topic
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.streaming import KafkaMessages, Progress, Shard, read_shard
from readiness_pipelines.streaming.points import Step
from readiness_pipelines_tests.brokers import Broker
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

TOPIC = "payments"
START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
WINDOW = "2026-11-02-10:00"


class Payment(pa.DataFrameModel):
    """One payment."""

    payment_id: arrow.int64() = pa.Field(unique=True)
    paid_at: arrow.timestamp("us", "UTC") = pa.Field()
    amount: arrow.decimal128(12, 2) = pa.Field(ge=0)
    state: arrow.string() = pa.Field(isin=["paid", "refunded"])
    note: arrow.string() = pa.Field(nullable=True)


def payments_domain(
    reader: Any = None,
    *,
    ratio: float = 0.9,
    records: int = 500,
    schema: type[Payment] = Payment,
    rules: Sequence[Any] = (),
    over: int | None = None,
    on_hold: str = "continue",
) -> Domain:
    """The domain; its payments are read from a topic unless another reader is given."""
    bank = Domain("bank", owner="bank@bank.example")
    bank.gated(
        "payments",
        source=Source(
            origin="Card terminals",
            steward=Steward("Terminals", "terminals@bank.example"),
            reader=reader
            or Topic(TOPIC, brokers="127.0.0.1:1", slice_every="0.3s", slice_records=records, on_hold=on_hold),
        ),
        schema=schema,
        batches=HourlyBatches(start="2026-11-02"),
        tolerance=Tolerance(quarantined_ratio=ratio, over=over),
        rules=rules,
        freshness=Freshness(warn_after="1h", fail_after="2h", event_time="paid_at"),
    )

    @bank.kpi(question="How many payments are refunded?", unit="ratio")
    def refunds(payments: Relation) -> Ratio:
        """Share of the payments that were refunded."""
        return Ratio("count(*) FILTER (state = 'refunded')", "count(*)")

    return bank


FILES = FileDrop("payments/{batch}.jsonl", format="jsonl")


def payments_table(domain: Domain) -> GatedTable:
    table = domain.table("payments")
    assert isinstance(table, GatedTable)
    return table


def payment(number: int, **other: object) -> bytes:
    """A payment as it is sent."""
    at = START + timedelta(milliseconds=number)
    amount = f"{number % 900}.{number % 100:02d}"
    values = {"payment_id": number, "paid_at": at.isoformat(), "amount": amount, "state": "paid", "note": f"n{number}"}
    return json.dumps({**values, **other}).encode()


def mixed(count: int, *, first: int = 0, seed: int = 1) -> list[bytes]:
    """Payments of which some are bad, some refunded, and some not even JSON."""
    chance = random.Random(seed)
    found = []
    for number in range(first, first + count):
        kind = chance.random()
        if kind < 0.02:
            found.append(payment(number, amount=-1))
        elif kind < 0.03:
            found.append(payment(number)[:-5])
        elif kind < 0.1:
            found.append(payment(number, state="refunded"))
        elif kind < 0.12:
            found.append(payment(number, note=None))
        else:
            found.append(payment(number))
    return found


@dataclass
class Clock:
    """A clock that tests set."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


def read_until(
    table: GatedTable,
    broker: Broker,
    installation: Installation,
    *,
    records: int,
    run: Run | None = None,
    shard: Shard | None = None,
    step: Step = lambda _: None,
    seconds: float = LONGEST_SECONDS,
    also: Callable[[], bool] = lambda: False,
    skip_gap: str = "",
) -> Progress:
    """Read a topic until so many messages are in the tables."""
    reader = table.source.reader
    assert isinstance(reader, Topic)
    progress = Progress(str(table.id), "0/1")
    ends = time.monotonic() + seconds

    def stop() -> bool:
        return progress.records >= records or also() or time.monotonic() > ends

    return read_shard(
        table,
        shard or Shard(),
        source=KafkaMessages(reader, broker.options, "tests"),
        installation=installation,
        run=run or Run(),
        stop=stop,
        progress=progress,
        step=step,
        skip_gap=skip_gap,
    )


def rows_of(installation: Installation, store: object, columns: str) -> Sequence[tuple[object, ...]]:
    """Rows of an Iceberg table, in order."""
    lakehouse = installation.lakehouse
    with installation.engine() as engine:
        return lakehouse.relation(engine, store).project(columns).order("ALL").fetchall()  # type: ignore[arg-type]
