"""Daily files and a stream of the same payments end in one table, each payment once."""

from datetime import timedelta
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as pq
import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    DailyBatches,
    Deduplicate,
    Domain,
    FileDrop,
    HourlyBatches,
    NotInOtherBatches,
    Ratio,
    Source,
    Steward,
    Tolerance,
    cleanse,
)
from readiness_pipelines.contracts import GatedTable, Kpi
from readiness_pipelines.delivery import do_work, due_work, kpi_values, reconcile, replay_batch
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.streaming.landing import READER, lake, landed, read_landed, rows
from readiness_pipelines_tests.streaming.payments import START, Clock, Payment, rows_of


class AnyPayment(Payment):
    """One payment of either source; of one that both have, the file's counts."""

    exported: arrow.bool_()

    class Config:
        """A payment counts once."""

        metadata = cleanse(Deduplicate("payment_id", order_by="exported"))


def both() -> Domain:
    """Payments by daily file and as they happen, and one table of them."""
    bank = Domain("bank", owner="bank@bank.example")
    steward = Steward("Terminals", "terminals@bank.example")
    files = bank.gated(
        "exports",
        source=Source(origin="Export", steward=steward, reader=FileDrop("{batch}.parquet")),
        schema=Payment,
        batches=DailyBatches(start="2026-11-01"),
        tolerance=Tolerance(quarantined_ratio=0.9),
    )
    live = bank.gated(
        "payments",
        source=Source(origin="Terminals", steward=steward, reader=READER),
        schema=Payment,
        batches=HourlyBatches(start="2026-11-02"),
        tolerance=Tolerance(quarantined_ratio=0.9),
    )

    @bank.derived(
        schema=AnyPayment,
        reads={"exports": files.same(optional=True), "payments": live.of_period(event_time="paid_at", optional=True)},
        batches=DailyBatches(start="2026-11-01"),
        key=["payment_id", "exported"],
        rules=[NotInOtherBatches("payment_id")],
        tolerance=Tolerance(quarantined_ratio=1.0),
    )
    def all_payments(exports: Relation, payments: Relation) -> Relation:
        """Both."""
        columns = "payment_id, paid_at, amount, state, note"
        return exports.project(f"{columns}, true AS exported").union(payments.project(f"{columns}, false AS exported"))

    @bank.kpi(question="How large is a payment?", unit="EUR")
    def mean_payment(all_payments: Relation) -> Ratio:
        """Amount by how many there are."""
        return Ratio("sum(amount)", "count(*)")

    return bank


def amount(number: int) -> float:
    """As the other engine has it."""
    return float(rows(number, 1)["amount"][0].as_py())


def test_each_payment_of_files_and_stream_counts_once_also_across_midnight_and_after_a_replay(
    installation: Installation, tmp_path: Path
) -> None:
    domain, clock = both(), Clock()
    run = Run(clock=clock)
    live, mean = domain.table("payments"), domain.table("mean_payment")
    assert isinstance(live, GatedTable)
    assert isinstance(mean, Kpi)
    table = landed(lake(tmp_path / "lake"))

    def arrive(first: int, count: int) -> None:
        table.append(rows(first, count))
        read_landed(live, tmp_path / "lake", installation, run=run, until=lambda found: found.records >= count)

    def work() -> None:
        while due := due_work([domain], installation=installation, now=clock.now):
            for one in due:
                do_work(one, installation=installation, run=run)

    def export(day: str, first: int, count: int) -> None:
        path = tmp_path / "landing" / f"{day}.parquet"
        pq.write_table(rows(first, count), path)
        clock.now += timedelta(minutes=5)

    arrive(0, 100)
    clock.now = START + timedelta(hours=15)  # the next day: these were paid the day before, and arrive late
    arrive(100, 20)
    clock.now += timedelta(days=1)
    work()
    export("2026-11-02", 50, 100)  # of the day before: 50 that the stream had in time, 20 late, 30 that it lost
    export("2026-11-01", 400, 10)  # of a day without a stream
    work()

    wanted = {number for number in (*range(150), *range(400, 410)) if number % 40 != 7}
    store = domain.table("all_payments").id
    found = rows_of(installation, store, "payment_id, _batch, exported")
    assert {row[0] for row in found} == wanted
    assert len(found) == len(wanted)
    days = {row[0]: row[1:] for row in found}
    assert days[10] == ("2026-11-02", False)
    assert days[60] == ("2026-11-02", True)
    assert days[110] == ("2026-11-02", True)  # on the day on which it was paid, although it came late
    assert days[130] == ("2026-11-02", True)

    counts = {record.ref.batch: record.counts for record in installation.ledger.batches(tables=[store])}
    for value in kpi_values(mean, installation=installation):
        amounts = [amount(int(str(number))) for number, (day, _) in days.items() if day == value.batch]
        assert value.numerator == pytest.approx(sum(amounts))
        assert value.denominator == len(amounts)
    second = counts["2026-11-02"]
    assert (second.ingested, second.discarded, second.quarantined) == (97 + 20 + 98, 49 + 20, 0)
    assert reconcile([domain], installation=installation).problems == ()
    replay_batch(live, batch="2026-11-03-01:00", installation=installation, run=run)
    work()
    assert rows_of(installation, store, "payment_id, _batch, exported") == found
