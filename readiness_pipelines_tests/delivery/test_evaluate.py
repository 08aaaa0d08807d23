"""Evaluated: what is foretold is what a replay then does, row for row, and nothing is changed by foretelling it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import Kpi
from readiness_pipelines.decisions import Correction, Discarding, Waiver, What
from readiness_pipelines.delivery import (
    Evaluation,
    Level,
    MovedRows,
    audit,
    decide,
    do_work,
    drop_environment,
    due_work,
    evaluate,
    kpi_values,
    maintain,
    reconcile,
    replay_batch,
)
from readiness_pipelines.delivery.clones import FOLDER
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import plan_changes
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, Order, gated, land, order_domain

RUN = Run(run_id="r1", who="me")
AMOUNT = "amount_greater_than_or_equal_to"
DAYS = tuple(f"day_{number}" for number in range(1, 6))


class Small(Order):
    """An order of at most 35."""

    amount: arrow.float64() = pa.Field(ge=0, le=35)


class AnyAmount(Order):
    """An order whose amount may be negative, or nothing."""

    amount: arrow.float64() = pa.Field(nullable=True, coerce=True)


def deliver_due(shop: Domain, installation: Installation) -> None:
    while works := due_work([shop], installation=installation, now=RUN.clock()):
        for work in works:
            do_work(work, installation=installation, run=RUN)


@pytest.fixture
def lived(installation: Installation) -> Installation:
    """Five days: good, corrected, held, waived, and good with a row that was discarded."""
    shop = order_domain(batches=DAYS)
    for day, rows in zip(DAYS, (GOOD, ONE_BAD, MOSTLY_BAD, ONE_BAD, GOOD), strict=True):
        land(installation.landing.path, day, *rows)
    deliver_due(shop, installation)
    decisions: dict[str, What] = {
        "day_2": Correction(column="amount", expression="'34'", where="order_id = '2'"),
        "day_4": Waiver(rule=AMOUNT),
        "day_5": Discarding(where="order_id = '1'"),
    }
    for day, what in decisions.items():
        decide(gated(shop), what, batch=day, why="because", installation=installation, run=RUN)
        replay_batch(gated(shop), batch=day, installation=installation, run=RUN)
    return installation


def everything(installation: Installation) -> Any:
    """All that an evaluation must not change."""
    lakehouse = installation.lakehouse
    snapshots = {table: [one.snapshot_id for one in lakehouse.snapshots(table)] for table in lakehouse.tables()}
    files = sorted(file.name for file in lakehouse.warehouse.files() if file.name.endswith((".parquet", ".json")))
    return snapshots, files, installation.ledger.batches(), installation.ledger.trail(), installation.ledger.anchor()


def evaluated(shop: Domain, installation: Installation, *, environment: str | None = None) -> Evaluation:
    plan = plan_changes(shop.tables, installation=installation, run=RUN)
    return evaluate(
        shop.tables,
        [one.ref for one in plan.batches],
        [one.ref for one in plan.downstream],
        installation=installation,
        run=RUN,
        environment=environment,
    )


def rows(installation: Installation, tables: Sequence[TableId]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of some tables but for when they were put there, by the table's name without an environment."""
    found = {}
    with installation.engine() as engine:
        for table in tables:
            relation = installation.lakehouse.relation(engine, table)
            kept = [f'"{name}"' for name in sorted(relation.columns) if name not in {"_quarantined_at", "_errors"}]
            found[f"{table.domain.partition('__')[0]}.{table.name}"] = sorted(
                relation.project(", ".join(kept)).fetchall(), key=repr
            )
    return found


@pytest.mark.usefixtures("database")
def test_rows_move_as_foretold_with_corrections_waivers_and_discards_and_foretelling_changes_nothing(
    lived: Installation,
) -> None:
    tight = order_domain(schema=Small, batches=DAYS)
    before = everything(lived)
    found = evaluated(tight, lived)
    assert everything(lived) == before
    assert not [*lived.lakehouse.warehouse.files(FOLDER)]
    moved = {one.ref.batch: (one.after.state, one.moved) for one in found.judged if one.ref.table.name == "orders"}
    part, one_row = BatchState.PARTLY_PUBLISHED, MovedRows(to_quarantine=1)
    assert moved == {
        "day_1": (part, one_row),  # the row with 40
        "day_2": (part, one_row),  # corrected to 34, which is small enough
        "day_3": (BatchState.HELD, MovedRows()),
        "day_4": (part, one_row),  # the waiver still lets the negative row pass
        "day_5": (part, one_row),  # the discarded row stays so
    }
    assert not any(one.error for one in found.judged)

    evaluated(tight, lived, environment="dev")
    inside = [table for table in lived.lakehouse.tables() if table.in_environment]
    foretold = rows(lived, inside)
    assert {table.domain for table in inside} >= {"shop__dev", "shop_quarantine__dev"}
    assert not any("raw" in table.domain for table in inside)
    for day in DAYS:
        replay_batch(gated(tight), batch=day, installation=lived, run=RUN)
    assert rows(
        lived,
        [
            table
            for table in lived.lakehouse.tables()
            if not table.in_environment and table.domain in {"shop", "shop_quarantine"}
        ],
    ) == {name: some for name, some in foretold.items() if "profiles" not in name}
    (refund_rate,) = [table for table in tight.tables if isinstance(table, Kpi)]
    (kpi,) = found.kpis
    now = {value.batch: value for value in kpi_values(refund_rate, installation=lived)}
    assert {day: value.value for day, value in kpi.after.items()} == {day: now[day].value for day in kpi.after}
    assert [side["day_1"].value for side in (kpi.before, kpi.after)] == pytest.approx([1 / 4, 1 / 3])
    # An environment is nobody's business but that of who looks at it.
    assert reconcile([tight], installation=lived, level=Level.FILES).problems == ()
    assert audit(installation=lived).problems == ()
    maintain(lived, now=RUN.clock() + timedelta(days=9), orphan_age=timedelta(0))
    assert set(drop_environment("dev", installation=lived)) == set(inside)
    left = [file.name for file in lived.lakehouse.warehouse.files() if "__" in file.name]
    assert [name for name in left if not name.startswith(".locks/")] == []
    assert reconcile([tight], installation=lived, level=Level.RECOMPUTE).problems == ()


def test_a_held_batch_that_a_wider_gate_publishes_is_computed_further_and_one_that_breaks_is_named(
    lived: Installation,
) -> None:
    wide = order_domain(schema=AnyAmount, batches=DAYS, ratio=0.6)
    found = evaluated(wide, lived)
    (freed,) = [one for one in found.judged if one.ref == BatchRef(gated(wide).id, "day_3")]
    assert (freed.before.state, freed.after.state) == (BatchState.HELD, BatchState.PARTLY_PUBLISHED)
    assert freed.moved == MovedRows(to_published=2)  # of four, one has no number and one an unknown status
    new = [one for one in found.followed if one.ref.batch == "day_3"]
    assert {(one.ref.table.name, one.before.state) for one in new} == {("paid", None), ("refund_rate", None)}
    for one in found.judged:
        if not one.error:
            replay_batch(gated(wide), batch=one.ref.batch, installation=lived, run=RUN)
    now = {record.ref: record for record in lived.ledger.batches()}
    for one in (*found.judged, *found.followed):
        if not one.error:
            assert (one.after.state, one.after.counts) == (now[one.ref].state, now[one.ref].counts)


def test_what_a_killed_evaluation_left_goes_with_maintenance_and_an_environment_has_a_plain_name(
    installation: Installation,
) -> None:
    left = installation.lakehouse.warehouse / FOLDER / "killed" / "shop__evaluated"
    left.make()
    left.write("a.parquet", b"")
    now = datetime.now(UTC)
    assert maintain(installation, now=now).removed_clones == 0
    assert maintain(installation, now=now + timedelta(days=2)).removed_clones == 1
    assert [*installation.lakehouse.warehouse.files(FOLDER)] == []
    with pytest.raises(DeclarationError, match="environment 'a__b' is not an identifier"):
        drop_environment("a__b", installation=installation)
