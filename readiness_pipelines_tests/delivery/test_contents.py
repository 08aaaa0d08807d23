"""Reconciliation proves contents: whatever is changed in tables or ledger is named, and nothing else."""

from pathlib import Path

import pytest

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import Discarding
from readiness_pipelines.delivery import (
    Level,
    Share,
    decide,
    deliver,
    ingest,
    prove_share,
    reconcile,
    repair,
    replay_batch,
)
from readiness_pipelines.delivery.recompute import DAMAGED, OTHER_GATE, OTHER_INPUTS
from readiness_pipelines.delivery.share import ALL
from readiness_pipelines.ledger import FindingKind
from readiness_pipelines.overview import observe
from readiness_pipelines_tests.delivery.tampering import (
    BATCH_OF,
    CASES,
    RATE,
    RAW,
    RUN,
    SHOP,
    Place,
    changed,
    contents_never_kept,
    copy_in_place,
    delivered_in,
)
from readiness_pipelines_tests.samples import GOOD, gated, land, order_domain


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was delivered once; the folder's copy is put in its place before each case."""
    folder = tmp_path_factory.mktemp("contents") / "here"
    delivered_in(folder)
    folder.rename(folder.with_name("copy"))
    return folder


@pytest.fixture
def place(delivered: Path) -> Place:
    return copy_in_place(delivered)


def test_what_was_delivered_is_proved(place: Place) -> None:
    seen = reconcile([SHOP], installation=place.installation, level=Level.RECOMPUTE)
    assert (seen.problems, seen.unproved, dict(seen.skipped)) == ((), 0, {})
    assert seen.recomputed == seen.batches == 8


@pytest.mark.parametrize("case", CASES)
def test_what_was_changed_is_named_at_the_level_that_promises_it_and_nothing_else(case: str, place: Place) -> None:
    tamper, table, level = CASES[case]
    tamper(place)
    wrong = BatchRef(table, BATCH_OF.get(case, "day_1"))
    problems = reconcile([SHOP], installation=place.installation, level=level).problems
    assert {(problem.ref, problem.level) for problem in problems} == {(wrong, level)}


def test_every_batch_is_in_one_share(place: Place) -> None:
    shares = [Share(part=part, parts=5) for part in range(1, 6)]
    seen = [
        reconcile([SHOP], installation=place.installation, level=Level.LEDGER, share=share).batches for share in shares
    ]
    assert sum(seen) == 8


def test_rows_in_another_order_are_another_file_and_the_same_rows(place: Place) -> None:
    CASES["rows in another order"][0](place)
    problems = reconcile([SHOP], installation=place.installation, level=Level.RECOMPUTE).problems
    assert {problem.level for problem in problems} == {Level.FILES}


def test_batches_committed_before_contents_were_kept_are_counted_and_not_named(place: Place) -> None:
    contents_never_kept(place)
    seen = reconcile([SHOP], installation=place.installation)
    assert seen.problems == ()
    assert seen.unproved > 0


def test_batches_that_cannot_be_held_against_a_new_judgement_are_counted_with_the_reason(place: Place) -> None:
    stricter = order_domain(ratio=0.4)
    seen = reconcile([stricter], installation=place.installation, level=Level.RECOMPUTE)
    assert (seen.problems, dict(seen.skipped)) == ((), {OTHER_GATE: 2})
    land(place.installation.landing.path, "day_1", *GOOD)
    ingest(gated(SHOP), batch="day_1", installation=place.installation, run=RUN)
    seen = reconcile([SHOP], installation=place.installation, level=Level.RECOMPUTE)
    assert dict(seen.skipped) == {OTHER_INPUTS: 1, DAMAGED: 2}


def test_a_decision_made_since_does_not_count_until_it_is_replayed(place: Place) -> None:
    decide(gated(SHOP), Discarding(), batch="day_1", why="a test", installation=place.installation, run=RUN)
    assert reconcile([SHOP], installation=place.installation, level=Level.RECOMPUTE).problems == ()
    replay_batch(gated(SHOP), batch="day_1", installation=place.installation, run=RUN)
    seen = reconcile([SHOP], installation=place.installation, level=Level.RECOMPUTE)
    assert seen.problems == ()
    assert seen.recomputed > 4


def test_what_a_proof_finds_is_a_finding_until_the_batch_is_delivered_again(place: Place) -> None:
    installation = place.installation
    CASES["a derived value forged"][0](place)
    CASES["KPI file deleted"][0](place)
    under_way = BatchRef(RATE, "day_1")
    installation.ledger.begin(under_way, attempt="x", run_id="x", who="me", at=RUN.clock())

    def found() -> list[tuple[FindingKind, str, str]]:
        seen = observe(SHOP.tables, installation=installation, now=RUN.clock()).findings
        return [(one.kind, f"{one.table}[{one.batch}]", one.way_out) for one in seen if one.kind is FindingKind.PROOF]

    (kept,) = prove_share([SHOP], ALL, installation=installation, run=RUN).problems
    assert kept.what == "judged again its published rows are others: 2 differ in amount"
    assert found() == [(FindingKind.PROOF, "shop.paid[day_1]", "readiness reconcile shop --repair")]
    deliver(SHOP.table("paid"), batch="day_1", installation=installation, run=RUN)
    assert found() == []


REPAIRED = [
    "a raw value",
    "a published value",
    "a quarantined value",
    "a derived value",
    "a KPI's value",
    "a KPI forged",
    "a profile's value",
    "raw file deleted",
    "published file truncated",
]


@pytest.mark.parametrize("case", REPAIRED)
def test_a_repair_restores_what_can_be_computed_again(case: str, place: Place) -> None:
    CASES[case][0](place)
    found = reconcile([SHOP], installation=place.installation, level=Level.RECOMPUTE)
    repair([SHOP], found, installation=place.installation, run=RUN)
    assert reconcile([SHOP], installation=place.installation, level=Level.RECOMPUTE).problems == ()


def test_what_was_made_of_damaged_raw_rows_is_not_published(place: Place) -> None:
    changed(RAW, "amount", "99")(place)
    (place.installation.landing.path / "orders" / "day_1.csv").unlink()
    found = reconcile([SHOP], installation=place.installation)
    assert repair([SHOP], found, installation=place.installation, run=RUN) == ()
    assert {one.ref for one in reconcile([SHOP], installation=place.installation).problems} == {BatchRef(RAW, "day_1")}
