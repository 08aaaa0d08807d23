"""What became of batches, in few columns, is what their records and the trail say; a day has one scorecard."""

from datetime import timedelta

from readiness_pipelines.batches import BatchState, Counts
from readiness_pipelines.ledger import Kept, KeptScorecard, Ledger, OutcomeRecord, StateChange, counts_of, shown_by
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, REF, a_record

PROFILE = '{"rows":3}'


def test_outcomes_turns_and_tallies_say_what_records_and_trail_say(ledger: Ledger) -> None:
    assert (ledger.outcomes([ORDERS]), ledger.turns([ORDERS]), ledger.tallies([ORDERS])) == ({}, {}, {})
    held, shown = a_record(BatchState.HELD), a_record(BatchState.PUBLISHED)
    ledger.record(held, what="held", who="me")
    ledger.record(shown, what="published", who="me", profile=PROFILE)
    assert ledger.outcomes([ORDERS]) == {ORDERS: [OutcomeRecord(REF.batch, BatchState.PUBLISHED, (3, 3, 0, 0, 0))]}
    assert ledger.outcomes([ORDERS])[ORDERS][0].counts == shown.counts
    assert counts_of([]) == Counts()
    assert ledger.turns([ORDERS])[ORDERS] == [
        StateChange(batch=REF.batch, what="held", at=held.updated_at),
        StateChange(batch=REF.batch, what="published", at=shown.updated_at),
    ]
    (publication,) = shown_by(ledger.turns([ORDERS])[ORDERS])
    assert [publication] == list(ledger.publications()[ORDERS])
    tally = ledger.tallies([ORDERS, TableId("shop", "other")])[ORDERS]
    assert (tally.batches, tally.counts) == ({BatchState.PUBLISHED: 1}, shown.counts)
    assert tally.gated == {shown.gate_version or "": 1}
    assert isinstance(tally.counts, Counts)
    assert tally.last_at == shown.updated_at
    ledger.record(a_record(BatchState.DISCARDED), what="discarded", who="me")
    assert shown_by(ledger.turns([ORDERS])[ORDERS]) == ()
    assert ORDERS not in ledger.publications()
    assert ledger.kept_beside([ORDERS]) == {ORDERS: Kept(profiles=1, accepted_by="", shapes=0)}


def test_a_scorecard_of_a_day_replaces_that_days_and_no_other(ledger: Ledger) -> None:
    def card(hours: int, stage: int, scope: str = "shop") -> KeptScorecard:
        return KeptScorecard(scope=scope, at=NOW + timedelta(hours=hours), stage=stage, answers={"a": [stage]})

    assert ledger.scorecards.scopes_since(NOW) == frozenset()
    ledger.scorecards.keep((card(0, 1), card(1, 2), card(24, 3), card(2, 0, "")))
    assert ledger.scorecards.of("shop") == (card(1, 2), card(24, 3))
    assert ledger.scorecards.of("shop", days=1) == (card(24, 3),)
    assert ledger.scorecards.of("") == (card(2, 0, ""),)
    assert ledger.scorecards.scopes_since(NOW) == {"", "shop"}
    assert ledger.scorecards.scopes_since(NOW + timedelta(hours=24)) == {"shop"}
