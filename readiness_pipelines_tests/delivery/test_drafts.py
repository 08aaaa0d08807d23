"""Several decisions as one: looked at together, kept together or not at all, and replayed once."""

from dataclasses import replace

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, protect
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.decisions import (
    CellCorrection,
    Correction,
    Discarding,
    Undoing,
    Waiver,
    What,
    keep_decisions,
    new_decision,
)
from readiness_pipelines.delivery import (
    Draft,
    decide,
    decide_together,
    deliver,
    dry_run,
    ingest,
    reconcile,
    replay_batch,
)
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.draft_outcomes import outcome_of
from readiness_pipelines.delivery.drafts import check_draft
from readiness_pipelines.errors import DeclarationError, LedgerError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.masking import NOBODY, Viewer
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, Order, gated, land, order_domain

RUN = Run(run_id="r1", who="ann")
ANN = Viewer("ann", reveals=True)


class Named(Order):
    """An order whose note names a person."""

    note: arrow.string() = pa.Field(nullable=True, metadata=protect("pii.direct"))


AMOUNT = Correction(column="amount", expression="abs(try_cast(amount AS DOUBLE))::VARCHAR", where="amount = '-20'")
CELLS = CellCorrection(cells={"amount": {"0": "10.5"}}, file="fix.csv")
LOST = Discarding(where="status = 'lost'")
THREE = (AMOUNT, CELLS, LOST)


@pytest.fixture
def shop(installation: Installation) -> Domain:
    """The held batch ran, and a good one."""
    domain = order_domain()
    for batch, rows in (("day_1", MOSTLY_BAD), ("day_2", GOOD)):
        land(installation.landing.path, batch, *rows)
        ingest(gated(domain), batch=batch, installation=installation, run=RUN)
        deliver(gated(domain), batch=batch, installation=installation, run=RUN)
    return domain


def draft(shop: Domain, *decisions: What, batch: str = "day_1") -> Draft:
    return Draft(table=gated(shop), batch=batch, decisions=decisions)


def test_what_a_dry_run_says_is_what_one_replay_does(shop: Domain, installation: Installation) -> None:
    foretold = dry_run(draft(shop, *THREE), installation=installation, run=RUN)
    assert installation.ledger.decisions(foretold.ref) == ()
    assert (foretold.state, foretold.would_be) == (BatchState.HELD, BatchState.PUBLISHED)
    assert [one.rows for one in foretold.decisions] == [1, 1, 1]
    assert foretold.changes.moved == {("quarantined", "published"): 3, ("quarantined", "discarded"): 1}
    assert (foretold.changes.corrected, foretold.changes.total) == (2, 4)
    changed = [
        (row.row, row.after, [(cell.column, cell.before, cell.after) for cell in row.cells])
        for row in foretold.changes.rows
    ]
    assert changed == [
        (0, "published", [("amount", "x", "10.5")]),
        (1, "published", [("amount", "-20", "20.0")]),
        (2, "discarded", []),
        (3, "published", []),
    ]
    assert [ref.table.name for ref in foretold.downstream] == ["paid", "refund_rate"]

    kept = decide_together([draft(shop, *THREE)], why="known", installation=installation, run=RUN, replay=True)
    assert [(one.decision.verb, one.rows) for one in kept.decisions] == [("correct", 1), ("correct", 1), ("discard", 1)]
    (request,) = kept.requests
    assert (request.ref, request.who, request.why) == (foretold.ref, "ann", "known")
    replay_batch(gated(shop), batch="day_1", installation=installation, run=RUN)
    record = installation.ledger.get(foretold.ref)
    assert record is not None
    assert (record.state, record.counts) == (foretold.would_be, foretold.would_count)
    assert not reconcile([shop], installation=installation).problems


def test_a_row_that_would_still_wait_is_listed_with_what_it_breaks(shop: Domain, installation: Installation) -> None:
    seen = dry_run(draft(shop, Waiver(rule="tolerance"), AMOUNT), installation=installation, run=RUN)
    assert seen.would_be is BatchState.PARTLY_PUBLISHED
    assert [count.rule.name for count in seen.rules] == ["amount_dtype", "status_isin"]
    assert seen.changes.moved == {("quarantined", "published"): 2}
    nothing = dry_run(draft(shop), installation=installation, run=RUN)
    assert (nothing.would_be, nothing.changes.total) == (BatchState.HELD, 0)
    back = dry_run(
        draft(shop, Correction(column="amount", expression="'-1'", where="_row = 0"), batch="day_2"),
        installation=installation,
        run=RUN,
    )
    (row,) = back.changes.rows
    assert (row.before, row.after, row.broken) == ("published", "quarantined", ("amount_greater_than_or_equal_to",))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (Waiver(rule="tolerence"), UnknownNameError),
        (Discarding(where="status = 'nowhere'"), DeclarationError),
        (Undoing(decision=99), LedgerError),
    ],
)
def test_decisions_are_kept_together_or_not_at_all_also_across_batches(
    shop: Domain, installation: Installation, wrong: What, error: type[Exception]
) -> None:
    second = draft(shop, wrong, batch="day_2")
    with pytest.raises(error):
        decide_together([draft(shop, *THREE), second], why="x", installation=installation, run=RUN, replay=True)
    assert installation.ledger.decided_batches([gated(shop).id]) == ()
    assert installation.ledger.replay_requests() == ()
    fine = draft(shop, Discarding(where="status = 'paid'"), batch="day_2")
    with pytest.raises(LedgerError, match="reason"):
        decide_together([draft(shop, *THREE), fine], why=" ", installation=installation, run=RUN, replay=True)
    assert installation.ledger.decided_batches([gated(shop).id]) == ()
    kept = decide_together([draft(shop, *THREE), fine], why="x", installation=installation, run=RUN, replay=True)
    assert [request.ref.batch for request in kept.requests] == ["day_1", "day_2"]


def test_each_decision_is_about_what_those_before_it_leave(shop: Domain, installation: Installation) -> None:
    plus = Correction(column="amount", expression="replace(amount, '-', '+')", where="amount = '-20'")
    then = Correction(column="amount", expression="replace(amount, '+', '')", where="amount = '+20'")
    seen = dry_run(draft(shop, plus, then, CELLS, LOST), installation=installation, run=RUN)
    assert [(cell.before, cell.after) for cell in seen.changes.rows[1].cells] == [("-20", "20")]
    with pytest.raises(DeclarationError, match="no row"):
        dry_run(draft(shop, then, plus), installation=installation, run=RUN)
    first = decide(gated(shop), plus, batch="day_1", why="x", installation=installation, run=RUN).decision.id
    with pytest.raises(DeclarationError, match="no row"):
        dry_run(draft(shop, Undoing(decision=first), then), installation=installation, run=RUN)


def test_what_is_undone_already_cannot_be_undone_again_until_the_undoing_is(
    shop: Domain, installation: Installation
) -> None:
    def kept(what: What) -> int:
        return decide(gated(shop), what, batch="day_1", why="x", installation=installation, run=RUN).decision.id

    first = kept(Waiver(rule="tolerance"))
    with pytest.raises(DeclarationError, match="is undone already"):
        check_draft(draft(shop, *[Undoing(decision=first)] * 2), installation=installation, run=RUN)
    undoing = kept(Undoing(decision=first))
    with pytest.raises(
        DeclarationError, match=f"decision {first} .* is undone already, by decision {undoing}"
    ) as found:
        kept(Undoing(decision=first))
    assert f"--decision {undoing} " in str(found.value.way_out)
    kept(Undoing(decision=undoing))
    assert kept(Undoing(decision=first))


def test_who_decides_after_somebody_else_did_meanwhile_must_look_again(
    shop: Domain, installation: Installation
) -> None:
    ledger, ref, classes = installation.ledger, BatchRef(gated(shop).id, "day_1"), classes_of(gated(shop))
    checked = check_draft(draft(shop, *THREE), installation=installation, run=RUN)
    decide(gated(shop), Discarding(), batch="day_1", why="x", installation=installation, run=replace(RUN, who="bob"))
    new = [new_decision(ref, what, classes) for what in THREE]
    with pytest.raises(LedgerError, match=r"bob decided about .* meanwhile: decision 1, discard the batch"):
        keep_decisions(ledger, new, who="ann", why="x", at=RUN.clock(), last={ref: checked.last}, replay=True)
    assert [decision.who for decision in ledger.decisions(ref)] == ["bob"]


def test_a_dry_run_shows_no_value_of_a_classified_column_but_to_who_reveals_it(installation: Installation) -> None:
    domain = order_domain(schema=Named)
    land(installation.landing.path, "day_1", *GOOD)
    ingest(gated(domain), batch="day_1", installation=installation, run=RUN)
    deliver(gated(domain), batch="day_1", installation=installation, run=RUN)
    renamed = draft(domain, Correction(column="note", expression="'Ann Smith'", where="note = 'b'"))
    for viewer, before, after in ((NOBODY, "«text, 1 character", "«text, 9 characters"), (ANN, "b", "Ann Smith")):
        seen = dry_run(renamed, installation=installation, run=RUN, viewer=viewer)
        ((cell,),) = (row.cells for row in seen.changes.rows)
        assert cell.before.startswith(before)
        assert cell.after.startswith(after)
        assert "Ann" not in seen.decisions[0].text


def test_parts_of_what_is_more_than_one_person_may_discard_need_a_second_person_together(
    installation: Installation,
) -> None:
    domain = order_domain()
    domain.second_person_over = 1
    land(installation.landing.path, "day_1", *MOSTLY_BAD)
    ingest(gated(domain), batch="day_1", installation=installation, run=RUN)
    deliver(gated(domain), batch="day_1", installation=installation, run=RUN)
    parts = [Discarding(where=f"_row = {row}") for row in range(2)]
    checked = check_draft(draft(domain, AMOUNT, *parts), installation=installation, run=RUN)
    assert [one.second_person for one in checked.decisions] == [False, True, True]
    # It shows what comes of it once it is approved.
    assert outcome_of(checked, installation=installation).changes.arriving("discarded") == 2
    kept = decide_together([draft(domain, AMOUNT, *parts)], why="x", installation=installation, run=RUN)
    assert kept.second_person == tuple(one.decision.id for one in kept.decisions[1:])
