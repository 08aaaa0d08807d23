"""Decided and replayed: what moves, what stays, and that everything adds up after every step."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.decisions import (
    Approval,
    CellCorrection,
    Correction,
    Decision,
    Discarding,
    Undoing,
    Waiver,
    What,
    read_cells,
)
from readiness_pipelines.delivery import (
    Level,
    Selection,
    decide,
    deliver,
    do_work,
    due_work,
    ingest,
    moved_rows,
    plan_replay,
    reconcile,
    repair,
    replay_batch,
)
from readiness_pipelines.errors import CommitConflictError, DeclarationError, LedgerError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.faults.crashes import struck
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, gated, land, order_domain

RUN = Run(run_id="r1", who="me")
AMOUNT = "amount_greater_than_or_equal_to"


pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def shop() -> Domain:
    return order_domain()


def run_batch(shop: Domain, installation: Installation, batch: str, *rows: str) -> None:
    land(installation.landing.path, batch, *rows)
    ingest(gated(shop), batch=batch, installation=installation, run=RUN)
    record = deliver(gated(shop), batch=batch, installation=installation, run=RUN)
    if record.state in (BatchState.PUBLISHED, BatchState.PARTLY_PUBLISHED):
        deliver(shop.table("paid"), batch=batch, installation=installation, run=RUN)
        deliver(shop.table("refund_rate"), batch=batch, installation=installation, run=RUN)


def decided(shop: Domain, installation: Installation, what: Any, *, batch: str = "day_1", run: Run = RUN) -> Any:
    return decide(gated(shop), what, batch=batch, why="because", installation=installation, run=run)


def replayed(shop: Domain, installation: Installation, batch: str = "day_1", run: Run = RUN) -> BatchRecord:
    replay_batch(gated(shop), batch=batch, installation=installation, run=run)
    seen = reconcile([shop], installation=installation)
    assert seen.problems == ()
    record = installation.ledger.get(BatchRef(gated(shop).id, batch))
    assert record is not None
    return record


def published(shop: Domain, installation: Installation, table: str = "shop.orders") -> list[dict[str, Any]]:
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, TableId(*table.split("."))).to_arrow_table().to_pylist()
    return sorted(rows, key=lambda row: (row["_batch"], row["_row"]))


def test_a_corrected_row_is_published_and_the_kpi_follows(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *ONE_BAD)
    kept = decided(
        shop,
        installation,
        Correction(column="amount", expression="abs(amount::DOUBLE)::VARCHAR", where="amount = '-20'"),
    )
    assert kept.rows == 1
    record = replayed(shop, installation)
    assert record.state is BatchState.PUBLISHED
    assert [row["amount"] for row in published(shop, installation)] == [10.5, 20.0, 30.0, 40.0]
    (kpi,) = published(shop, installation, "shop.refund_rate")
    assert (kpi["numerator"], kpi["denominator"]) == (1, 4)
    raw = published(shop, installation, "shop_raw.orders")
    assert [row["amount"] for row in raw] == ["10.5", "-20", "30", "40"]


def test_corrections_build_on_each_other(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *ONE_BAD)
    decided(shop, installation, Correction(column="amount", expression="replace(amount, '-', '+')", where="_row = 1"))
    decided(
        shop, installation, Correction(column="amount", expression="replace(amount, '+', '')", where="amount = '+20'")
    )
    assert replayed(shop, installation).state is BatchState.PUBLISHED


def test_cells_may_be_corrected_from_a_file(shop: Domain, installation: Installation, tmp_path: Path) -> None:
    run_batch(shop, installation, "day_1", *ONE_BAD)
    file = tmp_path / "fix.csv"
    file.write_text("_row,amount,note\n1,21.5,\n")
    cells = read_cells(file)
    assert cells == CellCorrection(cells={"amount": {"1": "21.5"}, "note": {"1": None}}, file="fix.csv")
    decided(shop, installation, cells)
    assert replayed(shop, installation).state is BatchState.PUBLISHED
    assert published(shop, installation)[1]["amount"] == 21.5
    assert published(shop, installation)[1]["note"] is None


def test_a_waived_rule_publishes_its_rows_and_is_told(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *ONE_BAD)
    decided(shop, installation, Waiver(rule=AMOUNT, where="order_id = '2'"))
    assert replayed(shop, installation).state is BatchState.PUBLISHED
    assert [row["amount"] for row in published(shop, installation)][1] == -20.0
    entry = installation.ledger.trail(ref=BatchRef(TableId("shop", "orders"), "day_1"))[-1]
    assert entry.details["waived"] == {AMOUNT: 1}
    assert entry.details["decisions"] == [1]


def test_a_waiver_that_ended_holds_back_again(shop: Domain, installation: Installation) -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    early = Run(who="me", clock=lambda: now)
    late = Run(who="me", clock=lambda: now + timedelta(days=2))
    run_batch(shop, installation, "day_1", *ONE_BAD)
    decided(shop, installation, Waiver(rule=AMOUNT, until=now + timedelta(days=1)), run=early)
    assert replayed(shop, installation, run=early).state is BatchState.PUBLISHED
    assert replayed(shop, installation, run=late).state is BatchState.PARTLY_PUBLISHED


def test_a_waived_tolerance_publishes_a_held_batch_in_part(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    decided(shop, installation, Waiver(rule="tolerance"))
    record = replayed(shop, installation)
    assert (record.state, record.counts.published, record.counts.quarantined) == (BatchState.PARTLY_PUBLISHED, 1, 3)


def test_discarded_rows_are_accounted_for_and_hold_nothing_back(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    decided(shop, installation, Discarding(where="amount IN ('x', '-20')"))
    record = replayed(shop, installation)
    assert (record.state, record.counts.published, record.counts.quarantined, record.counts.discarded) == (
        BatchState.PARTLY_PUBLISHED,
        1,
        1,
        2,
    )
    with installation.engine() as engine:
        waiting = installation.lakehouse.relation(engine, gated(shop).id.quarantine).to_arrow_table().to_pylist()
    errors = {row["_row"]: row["_errors"][0] for row in waiting if row["_discarded"]}
    assert errors[0] == {"rule": "discarded", "column": None, "reason": "decision 1 by me: because"}


def test_a_discarded_batch_is_withdrawn_with_all_that_was_computed_from_it(
    shop: Domain, installation: Installation
) -> None:
    run_batch(shop, installation, "day_1", *GOOD)
    run_batch(shop, installation, "day_2", *GOOD)
    decided(shop, installation, Discarding())
    record = replayed(shop, installation)
    assert (record.state, record.counts.discarded) == (BatchState.DISCARDED, 4)
    for table in ("shop.orders", "shop.paid", "shop.refund_rate"):
        assert {row["_batch"] for row in published(shop, installation, table)} == {"day_2"}


def test_a_batch_that_was_computed_without_rows_is_withdrawn_too(installation: Installation) -> None:
    shop = order_domain(allow_empty=True)
    run_batch(shop, installation, "day_1", "1,10.5,refunded,a")
    decided(shop, installation, Discarding())
    replayed(shop, installation)
    record = installation.ledger.get(BatchRef(TableId("shop", "paid"), "day_1"))
    assert record is not None
    assert record.state is BatchState.EMPTY
    assert due_work([shop], installation=installation, now=RUN.clock()) == ()


@pytest.mark.parametrize("finish", ["run", "repair"])
def test_what_outlives_a_discarded_batch_after_a_crash_is_named_and_withdrawn_by_the_next_run(
    shop: Domain, installation: Installation, finish: str
) -> None:
    run_batch(shop, installation, "day_1", *GOOD)
    decided(shop, installation, Discarding())

    def die() -> None:
        raise KeyboardInterrupt

    with struck("begin", 1, "before", die, of="shop.paid"), pytest.raises(KeyboardInterrupt):
        replayed(shop, installation)
    assert published(shop, installation, "shop.paid") != []
    found = reconcile([shop], installation=installation, level=Level.LEDGER)
    assert {str(problem.ref) for problem in found.problems} == {"shop.paid[day_1]", "shop.refund_rate[day_1]"}
    if finish == "run":
        (work,) = due_work([shop], installation=installation, now=RUN.clock())
        assert {delivery.state for delivery in do_work(work, installation=installation, run=RUN)} == {BatchState.EMPTY}
    else:
        repair([shop], found, installation=installation, run=RUN)
    assert due_work([shop], installation=installation, now=RUN.clock()) == ()
    assert reconcile([shop], installation=installation).problems == ()
    assert [published(shop, installation, table) for table in ("shop.paid", "shop.refund_rate")] == [[], []]


def test_an_undone_decision_leaves_everything_as_it_was(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *GOOD)
    before = published(shop, installation)
    for what in (Discarding(), Waiver(rule=AMOUNT), Correction(column="status", expression="'refunded'")):
        kept = decided(shop, installation, what)
        replayed(shop, installation)
        decided(shop, installation, Undoing(decision=kept.decision.id))
        assert replayed(shop, installation).state is BatchState.PUBLISHED
        assert published(shop, installation) == before


def test_a_plan_tells_what_would_move_and_writes_nothing(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    run_batch(shop, installation, "day_2", *ONE_BAD)
    decided(shop, installation, Waiver(rule="tolerance"))
    trail = installation.ledger.trail()
    plan = plan_replay([gated(shop)], Selection(held=True), installation=installation, run=RUN, evaluate=True)
    (step,) = plan.steps
    assert (step.ref.batch, step.state, step.would_be) == ("day_1", BatchState.HELD, BatchState.PARTLY_PUBLISHED)
    assert step.would_count is not None
    assert (step.would_count.published, step.would_count.quarantined) == (1, 3)
    assert step.decisions == ("1: waive tolerance (me: because)",)
    assert moved_rows(plan.steps) == 1
    assert [str(ref) for ref in plan.downstream] == ["shop.paid[day_1]", "shop.refund_rate[day_1]"]
    assert installation.ledger.trail() == trail
    assert published(shop, installation)[0]["_batch"] == "day_2"


def test_batches_are_chosen_by_gate_time_and_name(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *GOOD)
    run_batch(shop, installation, "day_2", *ONE_BAD)
    newer = order_domain(ratio=0.9)

    def chosen(where: Domain, **selection: Any) -> list[str]:
        plan = plan_replay([gated(where)], Selection(**selection), installation=installation, run=RUN, evaluate=False)
        return [step.ref.batch for step in plan.steps]

    assert chosen(newer, older_gate=True) == ["day_1", "day_2"]
    with pytest.raises(DeclarationError, match="no batch meets the selection"):
        chosen(shop, older_gate=True)
    assert chosen(shop, batches=("day_2",)) == ["day_2"]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert chosen(shop, until=tomorrow) == ["day_1", "day_2"]
    with pytest.raises(DeclarationError):
        chosen(shop, since=tomorrow)
    with pytest.raises(UnknownNameError, match="did you mean 'day_1'"):
        chosen(shop, batches=("day_11",))


def test_what_was_emptied_with_its_input_is_judged_where_it_is_named_and_a_plan_says_why_it_cannot_be(
    shop: Domain, installation: Installation
) -> None:
    run_batch(shop, installation, "day_1", *GOOD)
    one = decided(shop, installation, Discarding()).decision.id
    replayed(shop, installation)
    with pytest.raises(DeclarationError, match="no batch meets the selection"):
        plan_replay(shop.tables, Selection(older_gate=True), installation=installation, run=RUN, evaluate=True)
    decided(shop, installation, Undoing(decision=one))
    plan = plan_replay(shop.tables, Selection(batches=("day_1",)), installation=installation, run=RUN, evaluate=True)
    assert [(step.ref.table.name, step.would_be) for step in plan.steps] == [
        ("orders", BatchState.PUBLISHED),
        ("paid", None),
        ("refund_rate", None),
    ]
    assert plan.steps[1].reason.startswith("batch 'day_1' of shop.orders is discarded")


@pytest.mark.parametrize(
    ("what", "error", "match"),
    [
        (Correction(column="amuont", expression="1"), UnknownNameError, "did you mean 'amount'"),
        (Correction(column="_row", expression="1"), UnknownNameError, "column to correct"),
        (
            Correction(column="amount", expression="random()"),
            DeclarationError,
            "the function 'random', which decisions may not use",
        ),
        (Correction(column="note", expression="current_date"), DeclarationError, "no column 'current_date'"),
        (Correction(column="amount", expression="(SELECT 1)"), DeclarationError, "reads more than the row"),
        (Correction(column="amount", expression="1; DROP TABLE x"), DeclarationError, "DuckDB refuses"),
        (Correction(column="amount", expression="1) , (2"), DeclarationError, "DuckDB refuses"),
        (Correction(column="amount", expression="nowhere"), DeclarationError, "DuckDB refuses 'nowhere'"),
        (Correction(column="amount", expression="'1'", where="order_id = 'none'"), DeclarationError, "no row"),
        (Waiver(rule="amount_great"), UnknownNameError, "did you mean"),
        (Waiver(rule="readable"), DeclarationError, "cannot be waived"),
        (Waiver(rule=AMOUNT, where="oder_id = '1'"), DeclarationError, "DuckDB refuses"),
        (Discarding(where="amount <"), DeclarationError, "DuckDB refuses"),
        (CellCorrection(cells={"amount": {"99": "1"}}, file="f.csv"), DeclarationError, "does not have: 99"),
        (Undoing(decision=3), LedgerError, "has no decision 3"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_and_nothing_is_kept(
    shop: Domain, installation: Installation, what: Any, error: type[Exception], match: str
) -> None:
    run_batch(shop, installation, "day_1", *ONE_BAD)
    with pytest.raises(error, match=match):
        decided(shop, installation, what)
    assert installation.ledger.decisions(BatchRef(gated(shop).id, "day_1")) == ()


@pytest.mark.parametrize("text", ["amount\n1\n", "_row\n1\n", "", "_row,amount\nx,1\n", "_row,amount\n1,1\n1,2\n"])
def test_a_file_of_corrections_that_cannot_be_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "fix.csv"
    file.write_text(text)
    with pytest.raises(DeclarationError):
        read_cells(file)


def test_reconcile_finds_what_does_not_add_up_and_repair_mends_it(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *ONE_BAD)
    run_batch(shop, installation, "day_2", *GOOD)
    seen = reconcile([shop], installation=installation)
    assert (seen.problems, seen.batches) == ((), 6)
    lakehouse, table = installation.lakehouse, TableId("shop", "orders")
    with installation.engine() as engine:
        half = lakehouse.relation(engine, table, batch="day_1").filter("_row < 2")
        schema = lakehouse.schema(table)
        lakehouse.replace(
            table, lakehouse.stage(table, half, batch="day_1", schema=schema), properties={"readiness.attempt": "stray"}
        )
    broken = reconcile([shop], installation=installation)
    told = [problem.what for problem in broken.problems]
    assert "2 ingested rows are neither published nor in quarantine" in told
    assert "the tables have 1 published rows, the ledger 3" in told
    assert {problem.ref.batch for problem in broken.problems} == {"day_1"}
    assert repair([shop], broken, installation=installation, run=RUN) == (BatchRef(gated(shop).id, "day_1"),)
    assert reconcile([shop], installation=installation).problems == ()


def test_reconcile_names_a_delivery_that_was_cut_off(shop: Domain, installation: Installation) -> None:
    run_batch(shop, installation, "day_1", *GOOD)
    ref = BatchRef(gated(shop).id, "day_1")
    installation.ledger.begin(ref, attempt="cut", run_id="r", who="me", at=datetime.now(UTC))
    (problem,) = reconcile([shop], installation=installation).problems
    assert "did not end" in problem.what
    repair([shop], reconcile([shop], installation=installation), installation=installation, run=RUN)
    assert reconcile([shop], installation=installation).problems == ()


def test_a_repair_ends_what_was_cut_off_and_has_nothing_to_be_computed_from(
    shop: Domain, installation: Installation
) -> None:
    run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    paid = BatchRef(shop.table("paid").id, "day_1")
    installation.ledger.begin(paid, attempt="cut-off", run_id="r0", who="me", at=datetime.now(UTC))
    seen = reconcile([shop], installation=installation)
    assert {problem.ref for problem in seen.problems} == {paid}
    repair([shop], seen, installation=installation, run=RUN)
    assert reconcile([shop], installation=installation).problems == ()
    with pytest.raises(CommitConflictError):
        installation.ledger.confirm(paid, attempt="cut-off")


def test_a_repair_ends_an_ingestion_that_was_cut_off_and_whose_file_is_gone(
    shop: Domain, installation: Installation
) -> None:
    run_batch(shop, installation, "day_1", *GOOD)
    raw = BatchRef(gated(shop).id.raw, "day_1")
    installation.ledger.begin(raw, attempt="cut-off", run_id="r0", who="me", at=datetime.now(UTC))
    (installation.landing.path / "orders" / "day_1.csv").unlink()
    repair([shop], reconcile([shop], installation=installation), installation=installation, run=RUN)
    assert reconcile([shop], installation=installation).problems == ()


class CrashError(BaseException):
    """The process ends here."""


def test_a_repair_withdraws_what_waits_where_the_published_table_was_never_made(installation: Installation) -> None:
    class Cheap(pa.DataFrameModel):
        amount: arrow.float64() = pa.Field(le=0)

    shop = order_domain()

    @shop.derived(schema=Cheap)
    def cheap(orders: Any) -> Any:
        return orders.project("amount, _row")

    def crash() -> None:
        raise CrashError

    run_batch(shop, installation, "day_1", *GOOD)
    with pytest.raises(CrashError), struck("record", 1, "before", crash):
        deliver(shop.table("cheap"), batch="day_1", installation=installation, run=RUN)
    decided(shop, installation, Discarding())
    replay_batch(gated(shop), batch="day_1", installation=installation, run=RUN)
    repair([shop], reconcile([shop], installation=installation), installation=installation, run=RUN)
    assert reconcile([shop], installation=installation).problems == ()


def test_a_waiver_of_many_rows_holds_once_a_second_person_approves_it(shop: Domain, installation: Installation) -> None:
    shop.second_person_over = 0
    table, ref = gated(shop), BatchRef(gated(shop).id, "day_1")
    run_batch(shop, installation, "day_1", *ONE_BAD)

    def decided(what: What, who: str) -> Decision:
        run = Run(who=who)
        return decide(table, what, batch="day_1", why="seen", installation=installation, run=run).decision

    def quarantined() -> int:
        replay_batch(table, batch="day_1", installation=installation, run=RUN)
        record = installation.ledger.get(ref)
        assert record is not None
        return record.counts.quarantined

    waiver = decided(Waiver(rule="amount_greater_than_or_equal_to"), "ann (unproved)")
    assert quarantined() == 1, "it does not hold yet"
    with pytest.raises(DeclarationError, match="who cannot approve it"):
        decided(Approval(decision=waiver.id), "Ann")
    approval = decided(Approval(decision=waiver.id), "bob")
    assert quarantined() == 0
    with pytest.raises(DeclarationError, match="does not wait for a second person"):
        decided(Approval(decision=waiver.id), "cleo")
    decided(Undoing(decision=approval.id), "bob")
    assert quarantined() == 1, "an approval can be taken back"
