"""Decisions are kept for ever, whatever they are; requests to replay stay open until a run closes them."""

import pytest

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import DecisionRecord, Ledger, RequestState
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, PAID, REF, a_record


@pytest.fixture
def held(ledger: Ledger) -> Ledger:
    ledger.record(a_record(BatchState.HELD), what="held", who="me")
    return ledger


def discard(ledger: Ledger, ref: BatchRef = REF, *, why: str = "known", undoes: int | None = None) -> DecisionRecord:
    content = {"where": "a = 'x'"}
    return ledger.decide(
        ref, verb="discard", content=content, text="rows where a", who="ann", why=why, at=NOW, undoes=undoes
    )


def test_a_decision_is_kept_with_who_when_and_why(held: Ledger) -> None:
    kept = discard(held)
    assert held.decisions(REF) == (kept,)
    assert held.decisions(BatchRef(ORDERS, "day_2")) == ()
    entry = held.trail(ref=REF)[-1]
    assert (entry.what, entry.who, entry.why, entry.at) == ("decided to discard", "ann", "known", NOW)
    assert entry.details == {"decision": kept.id, "what": "rows where a"}


def test_a_decision_without_a_reason_is_refused(held: Ledger) -> None:
    with pytest.raises(LedgerError, match="has no reason"):
        discard(held, why="  ")
    assert held.decisions(REF) == ()


def test_a_decision_about_an_unknown_batch_is_refused(held: Ledger) -> None:
    with pytest.raises(LedgerError, match="knows no batch"):
        discard(held, BatchRef(ORDERS, "day_2"))


def test_only_decisions_about_the_same_batch_can_be_undone(held: Ledger) -> None:
    other = BatchRef(PAID, "day_1")
    held.record(a_record(BatchState.HELD, other), what="held", who="me")
    elsewhere = discard(held, other)
    with pytest.raises(LedgerError, match=f"has no decision {elsewhere.id}") as caught:
        discard(held, undoes=elsewhere.id)
    assert caught.value.way_out == "its decisions are: none"
    assert held.decisions(REF) == ()
    discard(held, undoes=discard(held).id)
    assert len(held.decisions(REF)) == 2


def test_a_replay_request_is_open_until_a_run_closes_it(held: Ledger) -> None:
    request = held.request_replay(REF, who="ann", why="mended", at=NOW)
    assert held.replay_requests(tables=[ORDERS], state=RequestState.OPEN) == (request,)
    assert held.replay_requests(tables=[PAID]) == ()
    held.move_request(request.id, state=RequestState.DONE, run_id="r1", outcome="published")
    assert held.replay_requests(state=RequestState.OPEN) == ()
    (done,) = held.replay_requests(tables=[ORDERS])
    assert (done.state, done.run_id, done.outcome) == (RequestState.DONE, "r1", "published")
