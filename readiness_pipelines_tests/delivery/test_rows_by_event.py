"""A table computed by the day of an event has each published row on its day, and only the days touched are computed."""

import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DailyBatches, Domain, FileDrop, Source, Steward, Tolerance
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.decisions import Correction, Discarding
from readiness_pipelines.delivery import decide, reconcile, replay_batch
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger.tables import EVENT_TIMES
from readiness_pipelines.testing import run_domains

VIENNA = "Europe/Vienna"
FIRST = date(2026, 3, 26)  # the clocks change on the 29th
DAYS = [FIRST + timedelta(days=number) for number in range(7)]
RUN = Run(run_id="r1", who="me")

Days = Mapping[str, set[int]]
"""The numbers of rows by the day of their events."""


class Payment(pa.DataFrameModel):
    """One payment, at an instant."""

    id: arrow.int64()
    paid_at: arrow.timestamp("us", "UTC")
    amount: arrow.float64() = pa.Field(ge=0)


class LocalPayment(pa.DataFrameModel):
    """One payment, by a clock on a wall."""

    id: arrow.int64()
    paid_at: arrow.timestamp("us")
    amount: arrow.float64() = pa.Field(ge=0)


class DatedPayment(pa.DataFrameModel):
    """One payment, on a day."""

    id: arrow.int64()
    paid_at: arrow.date32()
    amount: arrow.float64() = pa.Field(ge=0)


class OfDay(pa.DataFrameModel):
    """One payment of a day."""

    id: arrow.int64()


def bank(schema: Any = Payment, event_time: str = "paid_at") -> Domain:
    """Payments as they arrive, by day, and by the day on which they were made."""
    made = Domain("bank", owner="bank@bank.example")
    payments = _payments(made, schema)
    _add_by_day(made, payments, event_time)
    return made


def _payments(domain: Domain, schema: Any) -> GatedTable:
    return domain.gated(
        "payments",
        source=Source(origin="x", steward=Steward("a", "b"), reader=FileDrop("payments/{batch}.csv")),
        schema=schema,
        batches=DailyBatches(start=FIRST, timezone=VIENNA),
        tolerance=Tolerance(quarantined_ratio=0.9),
    )


def _add_by_day(domain: Domain, payments: GatedTable, event_time: str = "paid_at") -> None:
    @domain.derived(
        schema=OfDay,
        reads={"payments": payments.of_period(event_time=event_time)},
        batches=DailyBatches(start=FIRST, timezone=VIENNA),
    )
    def by_day(payments: Relation) -> Relation:
        return payments.project("id")


def land(installation: Installation, day: date, rows: Mapping[int, tuple[str, float]]) -> None:
    file = installation.landing.path / "payments" / f"{day}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{number},{paid_at},{amount}" for number, (paid_at, amount) in rows.items()]
    file.write_text("\n".join(["id,paid_at,amount", *lines]) + "\n")


def by_day(domain: Domain, installation: Installation) -> dict[str, set[int]]:
    """What the computed table shows."""
    found: dict[str, set[int]] = {}
    with installation.engine() as engine:
        for row in installation.lakehouse.relation(engine, domain.table("by_day").id).to_arrow_table().to_pylist():
            found.setdefault(row["_batch"], set()).add(row["id"])
    return found


def brute_force(domain: Domain, installation: Installation) -> dict[str, set[int]]:
    """Each published payment on its day, as Python reckons it."""
    found: dict[str, set[int]] = {}
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, domain.table("payments").id).to_arrow_table().to_pylist()
    for row in rows:
        at = row["paid_at"]
        if isinstance(at, datetime):
            at = (at.astimezone(ZoneInfo(VIENNA)) if at.tzinfo else at).date()
        found.setdefault(str(at), set()).add(row["id"])
    return found


def _written(at: datetime, schema: Any) -> str:
    """The time of an event, as a file has it."""
    if schema is DatedPayment:
        return str(at.date())
    return at.astimezone(ZoneInfo("UTC")).isoformat() if schema is Payment else at.replace(tzinfo=None).isoformat()


@pytest.mark.parametrize("schema", [Payment, LocalPayment, DatedPayment])
def test_late_rows_corrections_and_discards_reach_each_day_that_they_touch_and_no_other(
    installation: Installation, schema: Any
) -> None:
    domain = bank(schema)
    payments: Any = domain.table("payments")
    chance = random.Random(7)
    arrivals = chance.sample(DAYS, len(DAYS))  # in no order, and one of them again
    number = 0
    for day in [*arrivals, arrivals[2]]:
        rows = {}
        for _ in range(6):
            number += 1
            hours = chance.choice([0, 0.5, 1, 23.75, 24, 30, 70])  # on the day, or up to three before
            at = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(VIENNA)) + timedelta(hours=23.5 - hours)
            rows[number] = _written(at, schema), chance.choice([1, 1, 1, -1])
        before = brute_force(domain, installation) if number > 6 else {}
        land(installation, day, rows)
        _delivered_days(domain, installation, before)
    noon = _written(datetime(2026, 3, 26, 12, tzinfo=ZoneInfo(VIENNA)), schema)
    decisions: list[tuple[date, Correction | Discarding]] = [
        (arrivals[0], Correction(column="amount", expression="'1'", where="amount::DOUBLE < 0")),
        (arrivals[1], Correction(column="paid_at", expression=f"'{noon}'", where="_row = 0")),
        (arrivals[3], Discarding()),
    ]
    for day, decision in decisions:
        before = brute_force(domain, installation)
        decide(payments, decision, batch=str(day), why="because", installation=installation, run=RUN)
        replay_batch(payments, batch=str(day), installation=installation, run=RUN)
        _delivered_days(domain, installation, before)
    assert reconcile([domain], installation=installation).problems == ()


def _delivered_days(domain: Domain, installation: Installation, before: Days) -> None:
    """Do what is due: the table is then as Python reckons it, and days whose rows are the same were left alone."""
    table = domain.table("by_day").id
    attempts = {one.ref.batch: one.attempt for one in installation.ledger.batches(tables=[table])}
    run_domains(domain, installation=installation, run=RUN)
    assert run_domains(domain, installation=installation, run=RUN) == ()
    there = brute_force(domain, installation)
    calendar = {day: rows for day, rows in there.items() if domain.table("by_day").batches.has(day)}
    assert {day: rows for day, rows in by_day(domain, installation).items() if rows} == calendar
    batches = {one.ref.batch: one for one in installation.ledger.batches(tables=[domain.table("payments").id])}
    for one in installation.ledger.batches(tables=[table]):
        read = one.inputs.get(domain.table("payments").id, {})
        assert all(batches[batch].snapshots.published == snapshot for batch, snapshot in read.items())
        if one.attempt != attempts.get(one.ref.batch) and before.get(one.ref.batch) == there.get(one.ref.batch):
            # Computed anew with the same rows: only where a batch that has, or had, rows of that day changed.
            assert one.ref.batch in attempts
            assert read


def test_a_batch_of_one_day_leaves_all_other_days_alone(installation: Installation) -> None:
    domain = bank()
    for place, day in enumerate(DAYS[:3]):
        land(installation, day, {place: (f"{day}T12:00:00Z", 1)})
    run_domains(domain, installation=installation, run=RUN)
    table = domain.table("by_day").id
    before = {one.ref.batch: one.attempt for one in installation.ledger.batches(tables=[table])}
    land(installation, DAYS[4], {10: (f"{DAYS[1]}T13:00:00Z", 1), 11: (f"{DAYS[4]}T13:00:00Z", 1)})
    run_domains(domain, installation=installation, run=RUN)
    after = {one.ref.batch: one.attempt for one in installation.ledger.batches(tables=[table])}
    assert {day for day, attempt in after.items() if before.get(day) != attempt} == {str(DAYS[1]), str(DAYS[4])}
    assert by_day(domain, installation) == {
        str(DAYS[0]): {0},
        str(DAYS[1]): {1, 10},
        str(DAYS[2]): {2},
        str(DAYS[4]): {11},
    }


def test_a_day_of_which_the_last_row_moves_to_another_one_is_emptied(installation: Installation) -> None:
    domain = bank()
    payments: Any = domain.table("payments")
    land(installation, DAYS[3], {1: (f"{DAYS[0]}T12:00:00Z", 1)})
    run_domains(domain, installation=installation, run=RUN)
    land(installation, DAYS[3], {1: (f"{DAYS[1]}T12:00:00Z", 1)})  # as its source corrected it
    run_domains(domain, installation=installation, run=RUN)
    assert by_day(domain, installation) == {str(DAYS[1]): {1}}
    moved = Correction(column="paid_at", expression=f"'{DAYS[2]}T12:00:00Z'", where="_row = 0")
    decide(payments, moved, batch=str(DAYS[3]), why="because", installation=installation, run=RUN)
    replay_batch(payments, batch=str(DAYS[3]), installation=installation, run=RUN)
    assert by_day(domain, installation).get(str(DAYS[1])) is None  # with the replay, and not with the next run
    run_domains(domain, installation=installation, run=RUN)
    assert by_day(domain, installation) == {str(DAYS[2]): {1}}
    assert run_domains(domain, installation=installation, run=RUN) == ()
    assert reconcile([domain], installation=installation).problems == ()


def test_what_was_published_before_anybody_read_it_by_event_is_found(installation: Installation) -> None:
    alone = Domain("bank", owner="bank@bank.example")
    payments = _payments(alone, Payment)
    land(installation, DAYS[3], {1: (f"{DAYS[0]}T12:00:00Z", 1), 2: (f"{DAYS[3]}T12:00:00Z", 1)})
    run_domains(alone, installation=installation, run=RUN)
    _add_by_day(alone, payments)
    run_domains(alone, installation=installation, run=RUN)
    assert by_day(alone, installation) == {str(DAYS[0]): {1}, str(DAYS[3]): {2}}


def test_what_a_crash_left_out_of_the_ledger_is_read_from_the_rows_again(installation: Installation) -> None:
    domain = bank()
    land(installation, DAYS[3], {1: (f"{DAYS[0]}T12:00:00Z", 1)})
    run_domains(domain, installation=installation, run=RUN)
    with installation.ledger._database.writing() as connection:
        connection.execute(EVENT_TIMES.delete())
    land(installation, DAYS[4], {2: (f"{DAYS[1]}T12:00:00Z", 1)})
    run_domains(domain, installation=installation, run=RUN)
    assert by_day(domain, installation) == {str(DAYS[0]): {1}, str(DAYS[1]): {2}}


def test_a_row_without_a_time_is_of_no_day_and_said_so(installation: Installation) -> None:
    class Undated(Payment):
        paid_at: arrow.timestamp("us", "UTC") = pa.Field(nullable=True)

    domain = bank(Undated)
    land(installation, DAYS[0], {1: ("", 1), 2: (f"{DAYS[0]}T12:00:00Z", 1)})
    with pytest.raises(DeclarationError, match="1 published rows have no time there"):
        run_domains(domain, installation=installation, run=RUN)
    record = installation.ledger.get(BatchRef(domain.table("payments").id, str(DAYS[0])))
    assert record is not None
    assert record.state is BatchState.PUBLISHED


@pytest.mark.parametrize(
    ("column", "error", "says"),
    [("paid", UnknownNameError, "did you mean 'paid_at'"), ("amount", DeclarationError, "DOUBLE and not a time")],
)
def test_a_column_that_is_no_time_is_refused(
    installation: Installation, column: str, error: type[Exception], says: str
) -> None:
    domain = bank(event_time=column)
    land(installation, DAYS[0], {1: (f"{DAYS[0]}T12:00:00Z", 1)})
    with pytest.raises(error, match=says):
        run_domains(domain, installation=installation, run=RUN)
