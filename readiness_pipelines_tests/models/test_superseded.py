"""What became of a batch that somebody learned from: by the trail, of the batch and of what it is made of."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import ERASED, BatchRecord, KeptTrainingSet, Snapshots
from readiness_pipelines.models import changes_since
from readiness_pipelines.names import TableId

VISITS, STAYS = TableId("clinic", "visits"), TableId("clinic", "stays")
NOW = datetime(2026, 11, 2, tzinfo=UTC)


def test_rows_are_erased_where_that_was_after_they_were_learned_from_in_a_batch_or_in_what_it_is_made_of(
    installation: Installation,
) -> None:
    def note(
        table: TableId, snapshot: int, what: str = "published", *, of: int = 0, decisions: Sequence[int] = ()
    ) -> None:
        """A batch of visits is judged, or of stays computed from it; two visits are erased, and stay counted so."""
        erased = 2 if table == VISITS and snapshot >= 4 else 0
        record = BatchRecord(
            ref=BatchRef(table, "day_1"),
            state=BatchState.PUBLISHED,
            counts=Counts(ingested=9, published=9 - erased, erased=erased),
            run_id="r",
            attempt=f"{table}-{snapshot}",
            snapshots=Snapshots(published=snapshot),
            inputs={VISITS: {"day_1": of}} if of else {},
            updated_at=NOW,
        )
        installation.ledger.begin(record.ref, attempt=str(record.attempt), run_id="r", who="me", at=NOW)
        installation.ledger.record(record, what=what, who="me", details={"decisions": list(decisions)})

    def learned(table: TableId, snapshot: int, *decisions: int) -> Callable[[], list[str]]:
        facts = {"used": [[str(table), "day_1", snapshot, "gate", list(decisions)]]}
        kept = KeptTrainingSet(id="x", name=TableId("clinic", "x"), built_at=NOW, who="me", run_id=None, facts=facts)
        return lambda: [one.what for one in changes_since(kept, installation=installation)]

    note(VISITS, 1)
    note(STAYS, 2, of=1)
    before = learned(STAYS, 2)
    note(STAYS, 3, of=1)
    assert before() == ["replayed"]
    note(VISITS, 4, ERASED)
    note(STAYS, 5, of=4)
    assert before() == ["erased"]
    note(VISITS, 6, decisions=[7])
    visits, stays = learned(VISITS, 6, 7), learned(STAYS, 5)
    note(VISITS, 8)  # the decision was undone
    note(STAYS, 9, of=8)
    assert (before(), visits(), stays()) == (["erased"], ["corrected"], ["replayed"])
    assert learned(VISITS, 6)() == ["replayed"]
