"""Decisions: checked before they are kept, read back as they were, in force until undone or ended."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import duckdb
import pandera.pyarrow as pa
import pytest
from sqlalchemy import select, text

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.decisions import (
    KINDS,
    CellCorrection,
    Correction,
    Decision,
    Discarding,
    Undoing,
    Waiver,
    What,
    corrected,
    decisions_about,
    gate_decisions,
    in_force,
    keep_decision,
    parse,
)
from readiness_pipelines.errors import DeclarationError, LedgerError, ReadinessError, UnknownNameError
from readiness_pipelines.gates import Discarded, Gate, Waived
from readiness_pipelines.ledger import BatchRecord, Ledger
from readiness_pipelines.ledger.tables import DECISIONS, TRAIL
from readiness_pipelines.masking import PLAIN, UNKNOWN
from readiness_pipelines.names import TableId

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
REF = BatchRef(TableId("shop", "orders"), "day_1")
WHAT: list[What] = [
    Correction(column="amount", expression="replace(amount, 'x', '1')", where="amount = 'x'"),
    CellCorrection(cells={"amount": {"0": "7", "1": None}}, file="fix.csv"),
    Waiver(rule="tolerance", until=NOW + timedelta(days=1)),
    Waiver(rule="amount_dtype", where="_row = 1"),
    Discarding(where="amount = 'x'"),
    Discarding(),
]


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as engine:
        yield engine


@pytest.fixture
def rows(engine: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """Three rows of which the last could not be parsed."""
    return engine.sql(
        "SELECT * FROM (VALUES (0::BIGINT, '10', 'a', NULL), (1, 'x', 'b', NULL), (2, NULL, NULL, '…')) "
        't(_row, amount, "a ""name""", _unreadable)'
    )


@pytest.fixture(scope="module")
def gate() -> Gate:
    schema = pa.DataFrameSchema({"amount": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True)})
    return Gate(schema, name="shop.orders")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    counts = Counts(ingested=3, quarantined=3)
    ledger.record(BatchRecord(ref=REF, state=BatchState.HELD, counts=counts, updated_at=NOW), what="held", who="me")
    return ledger


def keep(ledger: Ledger, what: What) -> Decision:
    return keep_decision(ledger, REF, what, who="ann", why="known", at=NOW, classes=PLAIN)


@pytest.mark.parametrize("what", WHAT, ids=lambda what: what.describe())
def test_a_decision_is_kept_and_read_back(ledger: Ledger, what: What) -> None:
    kept = keep(ledger, what)
    assert decisions_about(ledger, REF) == (kept,)
    assert (kept.what, kept.who, kept.why, kept.at, kept.ref) == (what, "ann", "known", NOW, REF)
    (record,) = ledger.decisions(REF)
    assert (record.verb, record.text) == (kept.verb, kept.text) == (what.verb, what.describe())
    stored = json.loads(json.dumps({**what.to_json(), **what.values()}))
    assert type(what).from_json(stored, {}) == what


def test_a_value_that_a_decision_names_is_not_in_what_stays_for_ever_and_can_be_erased(
    ledger: Ledger, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection
) -> None:
    for what in WHAT:
        keep_decision(ledger, REF, what, who="ann", why="known", at=NOW, classes=UNKNOWN)
    with ledger._database.reading() as connection:
        stored = repr([connection.execute(select(table)).all() for table in (DECISIONS, TRAIL)])
    assert "'x'" not in stored
    assert '"7"' not in stored
    assert "amount = «text, 1 character, letters»" in stored
    values = {(one.decision, one.part): one.value for one in ledger.decision_values([REF.table])}
    assert values[1, "where"] == "amount = 'x'"
    assert values[2, "amount/0"] == "7"
    assert ledger.erase_decision_values(list(values), at=NOW) == len(values)
    assert ledger.erase_decision_values(list(values), at=NOW) == 0
    assert ledger.decision_values([REF.table]) == ()
    for decision in decisions_about(ledger, REF):
        if decision.id in {number for number, _ in values}:
            with pytest.raises(DeclarationError, match=f"decision {decision.id} .* its values were erased") as caught:
                corrected(rows, [decision], engine)
            assert f"undo shop.orders --batch day_1 --decision {decision.id}" in caught.value.way_out
    cells = decisions_about(ledger, REF)[1]
    without = rows.filter("_row > 1")
    assert corrected(without, [cells], engine).fetchall() == without.fetchall(), "the rows are gone with the cells"
    assert all(chain.broken is None for chain in ledger.audit_chains())


def test_a_value_that_was_changed_beside_its_decision_is_refused(ledger: Ledger) -> None:
    keep(ledger, Discarding(where="amount = 'x'"))
    with ledger._database.writing() as connection:
        connection.execute(text("UPDATE ledger_decision_values SET value = '\"amount = 1\"'"))
    with pytest.raises(LedgerError, match="the value 'where' of decision 1 is not the one that was decided"):
        decisions_about(ledger, REF)
    with ledger._database.writing() as connection:
        connection.execute(text("DELETE FROM ledger_decision_values"))
    with pytest.raises(LedgerError, match="is not there, and was not erased"):
        decisions_about(ledger, REF)


def test_every_kind_has_a_name_of_its_own() -> None:
    assert set(KINDS.values()) == set(get_args(What))


def test_a_kind_of_a_newer_program_is_refused(ledger: Ledger) -> None:
    kept = ledger.decide(REF, verb="ask", content={"kind": "ask"}, text="ann", who="ann", why="x", at=NOW)
    with pytest.raises(LedgerError, match="of an unknown kind"):
        parse(kept)
    assert parse(replace(kept, content={"kind": "discard", "where": None})).what == Discarding()


def test_an_undone_decision_is_not_in_force_and_an_undone_undoing_puts_it_back(ledger: Ledger) -> None:
    first, second = keep(ledger, WHAT[0]), keep(ledger, Discarding())
    undo = keep(ledger, Undoing(decision=second.id))
    assert in_force(decisions_about(ledger, REF), at=NOW) == (first,)
    again = keep(ledger, Undoing(decision=undo.id))
    assert in_force(decisions_about(ledger, REF), at=NOW) == (first, second)
    keep(ledger, Undoing(decision=again.id))
    assert in_force(decisions_about(ledger, REF), at=NOW) == (first,)


def test_what_was_never_decided_cannot_be_undone(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="has no decision 7"):
        keep(ledger, Undoing(decision=7))
    assert decisions_about(ledger, REF) == ()


def test_a_waiver_ends(ledger: Ledger) -> None:
    kept = keep(ledger, Waiver(rule="tolerance", until=NOW + timedelta(hours=1)))
    assert in_force((kept,), at=NOW) == (kept,)
    assert in_force((kept,), at=NOW + timedelta(hours=1)) == ()


def test_corrections_build_on_each_other_and_leave_other_rows(
    ledger: Ledger, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection
) -> None:
    decisions = [
        keep(ledger, Correction(column="amount", expression="'-20'", where="amount = 'x'")),
        keep(ledger, Discarding()),
        keep(ledger, Correction(column="amount", expression="replace(amount, '-', '')")),
        keep(ledger, CellCorrection(cells={'a "name"': {"0": None}, "amount": {"0": "11"}}, file="fix.csv")),
    ]
    found = corrected(rows, decisions, engine).order("_row").fetchall()
    assert found == [(0, "11", None, None), (1, "20", "b", None), (2, None, None, "…")]
    assert corrected(rows, [], engine) is rows


@pytest.mark.parametrize("column", ["amount", "gone"])
def test_a_correction_that_cannot_be_applied_names_its_decision(
    ledger: Ledger, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, column: str
) -> None:
    kept = keep(ledger, Correction(column=column, expression="gone_too"))
    with pytest.raises(DeclarationError, match=rf"decision {kept.id} about shop.orders\[day_1\]") as caught:
        corrected(rows, [kept], engine)
    assert (
        caught.value.way_out == f"readiness quarantine undo shop.orders --batch day_1 --decision {kept.id} --reason …"
    )


def test_a_gate_is_told_of_waivers_and_discardings_alone(ledger: Ledger) -> None:
    told = gate_decisions([keep(ledger, what) for what in WHAT])
    assert list(told.waived) == [Waived(rule="tolerance"), Waived(rule="amount_dtype", where="_row = 1")]
    assert list(told.discarded) == [
        Discarded(where="amount = 'x'", reason="decision 5 by ann: known"),
        Discarded(where=None, reason="decision 6 by ann: known"),
    ]


@pytest.mark.parametrize(("what", "touched"), list(zip(WHAT, [1, 2, None, 1, 1, None], strict=True)))
def test_a_check_counts_the_rows_that_are_touched(
    rows: duckdb.DuckDBPyRelation,
    engine: duckdb.DuckDBPyConnection,
    gate: Gate,
    what: What,
    touched: int | None,
) -> None:
    assert what.check(rows, engine, gate) == touched


def amount(expression: str, where: str | None = None) -> Correction:
    return Correction(column="amount", expression=expression, where=where)


@pytest.mark.parametrize(
    ("what", "error", "match"),
    [
        (Correction(column="amuont", expression="'1'"), UnknownNameError, "column to correct 'amuont'"),
        (Correction(column="_row", expression="1"), UnknownNameError, "column to correct '_row'"),
        (amount("(SELECT 1)"), DeclarationError, "reads more than the row"),
        (amount("1) FROM range(3) --"), DeclarationError, "reads more than the row|refuses"),
        (amount("random()"), DeclarationError, "calls the function 'random'"),
        (amount("current_date"), DeclarationError, "another answer every time|refuses"),
        (amount("'1' ||"), DeclarationError, "refuses"),
        (amount("gone"), DeclarationError, "refuses"),
        (amount("CAST(amount AS INTEGER)"), DeclarationError, "refuses"),
        (amount("'1'", "amount = 'y'"), DeclarationError, "no row of the batch meets"),
        (amount("'1'", "gone = 1"), DeclarationError, "refuses"),
        (CellCorrection(cells={"amuont": {"0": "1"}}, file="f.csv"), UnknownNameError, "amuont"),
        (CellCorrection(cells={"amount": {"9": "1"}}, file="f.csv"), DeclarationError, "does not have: 9"),
        (Waiver(rule="tolerence"), UnknownNameError, "rule 'tolerence'"),
        (Waiver(rule="readable"), DeclarationError, "cannot be waived"),
        (Waiver(rule="amount_dtype", where="amount = 'y'"), DeclarationError, "no row of the batch meets"),
        (Waiver(rule="tolerance", where="amount = 'x'"), DeclarationError, "the tolerance is of the whole batch"),
        (Discarding(where="EXISTS (SELECT 1)"), DeclarationError, "reads more than the row"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    rows: duckdb.DuckDBPyRelation,
    engine: duckdb.DuckDBPyConnection,
    gate: Gate,
    what: What,
    error: type[ReadinessError],
    match: str,
) -> None:
    with pytest.raises(error, match=match):
        what.check(rows, engine, gate)


def test_no_waiver_lets_a_column_that_must_have_values_lack_one(
    rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection
) -> None:
    must = Gate(pa.DataFrameSchema({"amount": pa.Column(float, coerce=True)}))
    with pytest.raises(DeclarationError, match="a column that must have one"):
        Waiver(rule="amount_dtype").check(rows, engine, must)
