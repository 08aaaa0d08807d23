"""Random ingests, gate changes, decisions, undoings, replays and crashes: the laws hold after every step.

Beside the real thing runs a model of a dozen lines: which rows of a batch pass, which wait, and which are discarded.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from duckdb import DuckDBPyRelation as Relation
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from readiness_pipelines import Domain, FileDrop, Ratio, Source, StaticBatches, Steward, Tolerance
from readiness_pipelines.decisions import Correction, Discarding, Undoing, Waiver
from readiness_pipelines.delivery import Selection, decide, ingest, plan_replay, reconcile, repair, replay_batch
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.faults.crashes import STEPS, struck
from readiness_pipelines_tests.faults.domains import decisions_about, only, outlet, shop_with_totals
from readiness_pipelines_tests.samples import gated, land

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("LAWS_EXAMPLES", "4"))
"""Set the variable to look for longer than CI does."""

BATCHES = ("day_1", "day_2")
RUN = Run(run_id="chance", who="chance")
PUBLISHED, QUARANTINE = TableId("shop", "orders"), TableId("shop_quarantine", "orders")
TOTALS, OUTLET = TableId("shop", "totals"), TableId("outlet", "orders")
PAID, KPI = TableId("shop", "paid"), TableId("shop", "refund_rate")

Row = tuple[int, int, str]
"""Order, amount and status."""

ROWS = st.lists(st.tuples(st.integers(-30, 60), st.sampled_from(["paid", "refunded", "lost"])), min_size=1, max_size=5)


class CrashError(BaseException):
    """The process ends here: nothing catches it, as nothing catches SIGKILL."""


def crash() -> None:
    raise CrashError


def domain_with(least: int, ratio: float) -> Domain:
    """The shop, with a gate that asks for a least amount and tolerates a share."""

    class Order(pa.DataFrameModel):
        order_id: arrow.int64() = pa.Field(unique=True)
        amount: arrow.int64() = pa.Field(ge=least)
        status: arrow.string() = pa.Field(isin=["paid", "refunded"])

    class Paid(pa.DataFrameModel):
        order_id: arrow.int64()
        amount: arrow.int64()

    shop = Domain("shop", owner="a@b.example")
    source = Source(origin="Shop", steward=Steward("S", "s@s.example"), reader=FileDrop("orders/{batch}.csv"))
    shop.gated(
        "orders",
        source=source,
        schema=Order,
        batches=StaticBatches(keys=BATCHES),
        tolerance=Tolerance(quarantined_ratio=ratio),
    )

    @shop.derived(schema=Paid, allow_empty=True)
    def paid(orders: Relation) -> Relation:
        return orders.filter("status = 'paid'").project("order_id, amount, _row")

    @shop.kpi(question="How many orders are refunded?", unit="ratio")
    def refund_rate(orders: Relation) -> Ratio:
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    return shop_with_totals(shop)


@dataclass
class Places:
    """Where the rows of a batch are, by their number."""

    published: dict[int, Row] = field(default_factory=dict)
    waiting: frozenset[int] = frozenset()
    discarded: frozenset[int] = frozenset()


@dataclass
class Batch:
    """What the model knows of a batch."""

    rows: list[Row] = field(default_factory=list)
    decisions: dict[int, Any] = field(default_factory=dict)
    undone: set[int] = field(default_factory=set)
    places: Places = field(default_factory=Places)

    @property
    def standing(self) -> list[int]:
        """The decisions that can be taken back."""
        return sorted(self.decisions.keys() - self.undone)

    def in_force(self, kind: type) -> list[Any]:
        return [what for number, what in self.decisions.items() if number not in self.undone and isinstance(what, kind)]

    def judged(self, least: int, ratio: float) -> Places:
        """Where the rows belong."""
        rows: list[list[Any]] = [list(row) for row in self.rows]
        for what in self.in_force(Correction):
            number = int(what.where.rpartition(" = ")[2])
            if number < len(rows):
                rows[number][1] = int(what.expression.strip("'"))
        discardings = self.in_force(Discarding)
        discarded = {
            number for number in range(len(rows)) if any(what.where in (None, only(number)) for what in discardings)
        }
        waived = {what.rule for what in self.in_force(Waiver)}
        failed = {
            number
            for number, (_, amount, status) in enumerate(rows)
            if number not in discarded
            and (
                (amount < least and "amount_greater_than_or_equal_to" not in waived)
                or (status == "lost" and "status_isin" not in waived)
            )
        }
        everything = frozenset(range(len(rows)))
        if discarded == everything:
            return Places(discarded=everything)
        over = len(failed) > ratio * len(rows) and "tolerance" not in waived
        if over or len(failed) == len(rows) - len(discarded):
            return Places(published=self.places.published, waiting=everything)
        passed = {number: tuple(rows[number]) for number in everything - failed - discarded}
        return Places(published=passed, waiting=frozenset(failed), discarded=frozenset(discarded))


class Deliveries(RuleBasedStateMachine):
    """A shop, an installation, and chance."""

    @initialize()
    def begin(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.installation = Installation.open(settings_in(self.folder))
        self.least, self.ratio = 0, 0.5
        self.model = {batch: Batch() for batch in BATCHES}
        self.cut_off: tuple[str, Callable[[], None]] | None = None
        self.outlet = outlet()
        self.bring_to_the_outlet(3)

    def teardown(self) -> None:
        self.temporary.cleanup()

    @property
    def shop(self) -> Domain:
        return domain_with(self.least, self.ratio)

    def known(self) -> list[str]:
        return [batch for batch, model in self.model.items() if model.rows]

    def _deliver(self, batch: str) -> None:
        shop = self.shop
        ingest(gated(shop), batch=batch, installation=self.installation, run=RUN)
        replay_batch(gated(shop), batch=batch, installation=self.installation, run=RUN)

    def _replay(self, batch: str) -> None:
        replay_batch(gated(self.shop), batch=batch, installation=self.installation, run=RUN)

    def _settle(self, batch: str) -> None:
        self.model[batch].places = self.model[batch].judged(self.least, self.ratio)

    @precondition(lambda self: self.cut_off is None)
    @rule(batch=st.sampled_from(BATCHES), rows=ROWS)
    def a_file_is_delivered(self, batch: str, rows: list[tuple[int, str]]) -> None:
        self._land(batch, rows)
        self._deliver(batch)
        self._settle(batch)

    def _land(self, batch: str, rows: list[tuple[int, str]]) -> None:
        numbered = [(BATCHES.index(batch) * 100 + place, *row) for place, row in enumerate(rows)]
        lines = [f"{order},{amount},{status}" for order, amount, status in numbered]
        land(self.folder / "landing", batch, *lines, header="order_id,amount,status")
        self.model[batch].rows = numbered

    @precondition(lambda self: self.cut_off is None)
    @rule(count=st.integers(1, 4))
    def another_team_delivers_a_table_of_the_same_name(self, count: int) -> None:
        self.bring_to_the_outlet(count)

    def bring_to_the_outlet(self, count: int) -> None:
        file = self.folder / "landing" / "outlet" / "day_1.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        self.outlet_rows = {number: (900 + number, 1.0 + count, "paid") for number in range(count)}
        lines = [f"{order},{amount},{status},n" for order, amount, status in self.outlet_rows.values()]
        file.write_text("\n".join(["order_id,amount,status,note", *lines]) + "\n")
        orders = gated(self.outlet)
        ingest(orders, batch="day_1", installation=self.installation, run=RUN)
        replay_batch(orders, batch="day_1", installation=self.installation, run=RUN)

    @precondition(lambda self: self.cut_off is None and self.known())
    @rule(data=st.data())
    def a_batch_is_replayed(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(self.known()))
        plan = plan_replay(
            [gated(self.shop)], Selection(batches=(batch,)), installation=self.installation, run=RUN, evaluate=True
        )
        self._replay(batch)
        self._settle(batch)
        (step,) = plan.steps
        after = self.installation.ledger.batches(tables=[TableId("shop", "orders")])
        (record,) = [record for record in after if record.ref.batch == batch]
        assert (step.would_be, step.would_count) == (record.state, record.counts)

    @precondition(lambda self: self.cut_off is None)
    @rule(least=st.sampled_from([-20, 0, 20]), ratio=st.sampled_from([0.3, 0.5, 1.0]))
    def the_gate_changes(self, least: int, ratio: float) -> None:
        self.least, self.ratio = least, ratio

    @precondition(lambda self: self.cut_off is None and self.known())
    @rule(data=st.data(), replayed=st.sampled_from([True, True, False]))
    def somebody_decides(self, data: st.DataObject, replayed: bool) -> None:
        batch = data.draw(st.sampled_from(self.known()))
        model = self.model[batch]
        row = data.draw(st.integers(0, len(model.rows) - 1))
        # A batch is discarded as a whole twice as often: a rare thing with much to undo.
        what = data.draw(st.sampled_from([*decisions_about(row), Discarding()]))
        self._decide(batch, what, replayed=replayed)

    @precondition(lambda self: self.cut_off is None and any(model.standing for model in self.model.values()))
    @rule(data=st.data(), replayed=st.sampled_from([True, True, False]))
    def somebody_takes_it_back(self, data: st.DataObject, replayed: bool) -> None:
        batch = data.draw(st.sampled_from([batch for batch, model in self.model.items() if model.standing]))
        number = data.draw(st.sampled_from(self.model[batch].standing))
        self.model[batch].undone.add(number)
        self._decide(batch, Undoing(decision=number), replayed=replayed)

    def _decide(self, batch: str, what: Any, *, replayed: bool) -> None:
        decided = decide(gated(self.shop), what, batch=batch, why="chance", installation=self.installation, run=RUN)
        if not isinstance(what, Undoing):
            self.model[batch].decisions[decided.decision.id] = what
        if replayed:
            self._replay(batch)
            self._settle(batch)

    @precondition(lambda self: self.cut_off is None)
    @rule(
        batch=st.sampled_from(BATCHES),
        rows=ROWS,
        step=st.sampled_from(sorted(STEPS)),
        place=st.integers(1, 4),
        when=st.sampled_from(["before", "after"]),
        again=st.booleans(),
    )
    def a_delivery_crashes(
        self, batch: str, rows: list[tuple[int, str]], step: str, place: int, when: str, again: bool
    ) -> None:
        self._land(batch, rows)
        with suppress(CrashError), struck(step, place, when, crash):
            self._deliver(batch)
        self._check_published(batch)
        # A process that was killed leaves no connections, and another one goes on.
        self.installation = Installation.open(settings_in(self.folder))
        self.cut_off = (batch, lambda: self._deliver(batch) if again else self._repair())

    def _repair(self) -> None:
        seen = reconcile([self.shop], installation=self.installation)
        repair([self.shop], seen, installation=self.installation, run=RUN)

    def _check_published(self, batch: str) -> None:
        """After a crash, consumers see what was before, or what would have been, and nothing else."""
        model = self.model[batch]
        seen = self._rows(PUBLISHED, batch)
        assert seen in (model.places.published, model.judged(self.least, self.ratio).published)

    @precondition(lambda self: self.cut_off is not None)
    @rule()
    def somebody_mends_it(self) -> None:
        assert self.cut_off is not None
        batch, mend = self.cut_off
        mend()
        self.everything_adds_up()
        # What a crash cut off before it began anything is no trace for a repair to find.
        self._deliver(batch)
        self._settle(batch)
        self.cut_off = None

    @precondition(lambda self: self.cut_off is None)
    @invariant()
    def every_row_is_where_it_belongs(self) -> None:
        for batch, model in self.model.items():
            places = model.places
            assert self._rows(PUBLISHED, batch) == places.published
            waiting, discarded = self._waiting(batch)
            assert (waiting, discarded) == (places.waiting, places.discarded)
            paid = {number: row for number, row in places.published.items() if row[2] == "paid"}
            assert {number: row[:2] for number, row in paid.items()} == self._rows(PAID, batch)
            totals = {
                (status, len(rows), sum(row[0] for row in rows))
                for status in ("paid", "refunded", "lost")
                if (rows := [row for row in places.published.values() if row[2] == status])
            }
            assert set(self._table(TOTALS, batch, "status, orders, numbers")) == totals
            refunded = [row for row in places.published.values() if row[2] == "refunded"]
            expected = [len(refunded) / len(places.published)] if places.published else []
            assert [row[0] for row in self._table(KPI, batch, "value")] == expected

    @invariant()
    def the_other_team_keeps_its_rows(self) -> None:
        found = self._table(OUTLET, "day_1", "_row, order_id, amount, status")
        assert {number: tuple(values) for number, *values in found} == self.outlet_rows

    @precondition(lambda self: self.cut_off is None)
    @invariant()
    def everything_adds_up(self) -> None:
        assert reconcile([self.shop, self.outlet], installation=self.installation).problems == ()

    def _table(self, table: TableId, batch: str, columns: str) -> list[Any]:
        lakehouse = self.installation.lakehouse
        if not lakehouse.exists(table):
            return []
        with self.installation.engine() as engine:
            return lakehouse.relation(engine, table, batch=batch).project(columns).fetchall()

    def _rows(self, table: TableId, batch: str) -> dict[int, Any]:
        columns = "_row, order_id, amount" + (", status" if table == PUBLISHED else "")
        found = self._table(table, batch, columns)
        rows = {number: tuple(values) for number, *values in found}
        assert len(rows) == len(found), "a row is there twice"
        return rows

    def _waiting(self, batch: str) -> tuple[frozenset[int], frozenset[int]]:
        rows = self._table(QUARANTINE, batch, "_row, _discarded")
        assert len({number for number, _ in rows}) == len(rows), "a row waits twice"
        return frozenset(n for n, gone in rows if not gone), frozenset(n for n, gone in rows if gone)


def test_the_laws_hold_after_every_step() -> None:
    run_state_machine_as_test(
        Deliveries,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
