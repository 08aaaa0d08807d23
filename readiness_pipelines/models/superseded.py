"""Data that changed under a model: batches of its training set that are not any more what they were."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, ModelVersion
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersededBatch:
    """A batch that a model learned from, and that is another one now.

    Attributes:
        ref: The batch.
        what: What happened: ``replayed``, ``corrected``, ``erased``, ``discarded``, ``withdrawn``.
        since: Since when, in UTC.
        who: Who did that; "" where nobody knows.
    """

    ref: BatchRef
    what: str
    since: datetime | None
    who: str = ""

    @property
    def text(self) -> str:
        """For people."""
        when = f" on {self.since:%Y-%m-%d}" if self.since else ""
        return f"{self.ref} was {self.what}{when}" + (f" by {self.who}" if self.who else "")


def used_batches(version: ModelVersion) -> Iterator[tuple[BatchRef, Mapping[str, Any]]]:
    """The batches that a version learned from, with the snapshot, gate and decisions of then."""
    for one in version.used:
        yield BatchRef(TableId.parse(one["table"]), one["batch"]), one


def changes_under(version: ModelVersion, *, installation: Installation) -> tuple[SupersededBatch, ...]:
    """The batches that a version learned from and that are others now, as the ledger has them.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    used = dict(used_batches(version))
    records = {
        record.ref: record for record in installation.ledger.batches(tables={ref.table for ref in used}) if record
    }
    contents = installation.ledger.contents({ref.table for ref in used})
    found = []
    for ref, then in used.items():
        record = records.get(ref)
        if record is not None and record.state.visible:
            kept = contents.get(ref)
            # What was delivered again and is the same is another snapshot, and no other data.
            same = kept is not None and then.get("digest") == kept.digest
            if same or record.snapshots.published == then["snapshot"]:
                continue
        found.append(_changed(ref, then, record, installation))
    return tuple(sorted(found, key=lambda one: one.ref))


def _changed(
    ref: BatchRef, then: Mapping[str, Any], record: BatchRecord | None, installation: Installation
) -> SupersededBatch:
    """What happened to a batch since, by the trail."""
    if record is None:
        return SupersededBatch(ref=ref, what="withdrawn", since=None)
    entries = installation.ledger.trail(ref=ref)
    last = next((entry for entry in reversed(entries) if entry.attempt == record.attempt), None)
    who = last.who if last is not None else ""
    if not record.state.visible:
        return SupersededBatch(ref=ref, what=str(record.state), since=record.updated_at, who=who)
    decisions = set((last.details if last is not None else {}).get("decisions", ())) - set(then["decisions"])
    what = "corrected" if decisions else "erased" if record.counts.erased else "replayed"
    return SupersededBatch(ref=ref, what=what, since=record.updated_at, who=who)
