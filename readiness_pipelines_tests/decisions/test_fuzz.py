"""A short run of the fuzzer of decisions, in a real installation; and what longer ones have found."""

from pathlib import Path

import pytest

from readiness_pipelines.batches import BatchState
from readiness_pipelines.decisions import CellCorrection, Correction, Discarding, Undoing, Waiver
from readiness_pipelines.delivery import decide, replay_batch
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines_tests.decisions.fuzz import BATCH, RULE, RUN, Bench, What, cases, run_cases


def test_decisions_are_refused_with_a_way_out_or_applied_to_the_rows_they_name(tmp_path: Path) -> None:
    done = list(run_cases(tmp_path, seed=11, count=6))
    assert {case.number: case.faults for case in done if case.faults} == {}
    assert {bool(case.refused) for case in done} == {True, False}


def test_a_seed_makes_the_same_decisions_again() -> None:
    assert [case.what for case in cases(7, 40)] == [case.what for case in cases(7, 40)]


def test_what_cannot_be_applied_later_is_refused_when_it_is_decided(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def make(what: What | CellCorrection | Undoing, why: str = "known") -> int:
        kept = decide(bench.table, what, batch=BATCH, why=why, installation=bench.installation, run=RUN)
        return kept.decision.id

    with pytest.raises(DeclarationError, match=r"fix.csv has a value that its column cannot hold: .*'ten'"):
        make(CellCorrection(cells={"order_id": {"1": "ten"}}, file="fix.csv"))
    with pytest.raises(DeclarationError, match=r"character 1 of the reason .* is U\+DCE9"):
        make(Discarding(where="_row = 0"), why="\udce9")
    waived = make(Waiver(rule=RULE, where="TRY_CAST(note AS INTEGER) = 7 OR left(note, 1)::BLOB IS NULL"))
    assert make(Correction(column="note", expression="'8'", where="_row = 1"))
    with pytest.raises(DeclarationError, match=rf"after this correction, decision {waived} .* cannot be applied") as no:
        make(Correction(column="note", expression="'\\xZZ'", where="_row = 0"))
    assert no.value.way_out == f"readiness quarantine undo shop.orders --batch {BATCH} --decision {waived} --reason …"


def test_a_time_that_python_cannot_hold_is_a_value_like_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for column in ("paid", "day"):
        what = Correction(column=column, expression="DATE '-infinity'")
        decide(bench.table, what, batch=BATCH, why="test", installation=bench.installation, run=RUN)
    replay_batch(bench.table, batch=BATCH, installation=bench.installation, run=RUN)
    record = bench.installation.ledger.get(bench.ref)
    assert record is not None
    assert (record.state, record.counts.published) == (BatchState.PARTLY_PUBLISHED, 4)
    assert {row["paid"] for row in bench.rows().values()} == {"'-infinity'"}
