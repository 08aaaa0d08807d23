"""Data that changed under a model: batches of its training set that are not any more what they were."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.commands import model_command
from readiness_pipelines.contracts import RiskTier, Table, answers_for, downstream
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import (
    BatchRecord,
    Finding,
    FindingKind,
    KeptTrainingSet,
    ModelVersion,
    Severity,
    TrailEntry,
)
from readiness_pipelines.lineage import Inputs, made_from, made_of
from readiness_pipelines.names import TableId

SHOWN_BATCHES = 20
"""So many changed batches are named in an incident."""


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
    return _changes(dict(used_batches(version)), installation)


def changes_since(kept: KeptTrainingSet, *, installation: Installation) -> tuple[SupersededBatch, ...]:
    """The batches that a build of a training set was made of and that are others now, as the ledger has them.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    digests = kept.facts.get("digests") or [""] * len(kept.facts["used"])
    used = {
        BatchRef(TableId.parse(table), batch): {"snapshot": snapshot, "decisions": decisions, "digest": digest}
        for (table, batch, snapshot, _, decisions), digest in zip(kept.facts["used"], digests, strict=True)
    }
    return _changes(used, installation)


def _changes(used: Mapping[BatchRef, Mapping[str, Any]], installation: Installation) -> tuple[SupersededBatch, ...]:
    records = {
        record.ref: record for record in installation.ledger.batches(tables={ref.table for ref in used}) if record
    }
    erased = _Erasures(installation)
    found = []
    for ref, then in used.items():
        record = records.get(ref)
        if record is not None and record.state.visible:
            if record.snapshots.published == then["snapshot"]:
                continue
            # What was delivered again and is the same is another snapshot, and no other data.
            kept = installation.ledger.committed(ref)
            if kept is not None and then.get("digest") == kept.digest:
                continue
        found.append(_changed(ref, then, record, erased, installation))
    return tuple(sorted(found, key=lambda one: one.ref))


def superseded_models(tables: Mapping[TableId, Table], *, installation: Installation) -> Iterator[Finding]:
    """One finding for each model that serves, and learned from batches that are others now.

    Args:
        tables: The tables that are looked at, with those of what serves among them.
        installation: Where the ledger is.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    serving = {one.model: one for one in installation.ledger.models.all_serving() if one.model in tables}
    for ident, state in serving.items():
        for role, number in state.serving.items():
            version = installation.ledger.models.get(ident, number)
            changed = changes_under(version, installation=installation)
            if not changed:
                continue
            more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
            yield Finding(
                kind=FindingKind.MODEL,
                severity=_severity(version, changed),
                table=ident,
                batch=None,
                promised="what serves learned from data that still is as it was",
                seen=f"version {number}, the {role}, was trained on superseded data: {changed[0].text}{more}",
                since=min((one.since for one in changed if one.since), default=version.began_at),
                details=tuple(one.text for one in changed[1:SHOWN_BATCHES]),
                way_out=model_command("train", ident),
                answers=answers_for(tables[ident]),
                at_risk=(str(ident), *(str(one.id) for one in downstream(tables[ident]))),
            )
            break  # one incident a model: the champion comes first


def _severity(version: ModelVersion, changed: Sequence[SupersededBatch]) -> Severity:
    """An error where rows are gone that somebody decided should be, or the model is of high risk."""
    gone = any(one.what not in ("replayed", "corrected") for one in changed)
    return Severity.ERROR if gone or version.facts.get("risk") == RiskTier.HIGH else Severity.WARN


def affected_versions(
    ref: BatchRef, *, installation: Installation
) -> tuple[tuple[ModelVersion, tuple[BatchRef, ...]], ...]:
    """The versions that learned from a batch, or from what was made of it; with the batches through which they did.

    Args:
        ref: The batch, of a table or of its raw rows.
        installation: Where the ledger is.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    inputs = installation.ledger.recorded_inputs()
    reached = {ref, *made_from(ref, inputs)}
    through = (
        (version, tuple(sorted(one for one, _ in used_batches(version) if one in reached)))
        for version in installation.ledger.models.versions()
    )
    return tuple((version, batches) for version, batches in through if batches)


class _Erasures:
    """From which batches rows of persons were taken out, read where something changed at all."""

    def __init__(self, installation: Installation) -> None:
        self._ledger = installation.ledger

    @cached_property
    def _last(self) -> Mapping[BatchRef, int]:
        return self._ledger.last_erasures()

    @cached_property
    def _inputs(self) -> Inputs:
        return self._ledger.recorded_inputs()

    def reach(self, ref: BatchRef, after: int) -> bool:
        """Whether there was one in a batch, or in what it is made of, after an entry of the trail."""
        return bool(self._last) and any(self._last.get(one, 0) > after for one in made_of([ref], self._inputs))


def _changed(
    ref: BatchRef, then: Mapping[str, Any], record: BatchRecord | None, erased: _Erasures, installation: Installation
) -> SupersededBatch:
    """What happened to a batch since, by the trail."""
    if record is None:
        return SupersededBatch(ref=ref, what="withdrawn", since=None)
    entries = installation.ledger.trail(ref=ref)
    last = next((entry for entry in reversed(entries) if entry.attempt == record.attempt), None)
    who = last.who if last is not None else ""
    if not record.state.visible:
        return SupersededBatch(ref=ref, what=str(record.state), since=record.updated_at, who=who)
    decisions = set((last.details if last is not None else {}).get("decisions", ()))
    if erased.reach(ref, after=_published_by(entries, then["snapshot"])):
        what = "erased"
    else:
        what = "corrected" if decisions != set(then["decisions"]) else "replayed"
    return SupersededBatch(ref=ref, what=what, since=record.updated_at, who=who)


def _published_by(entries: Sequence[TrailEntry], snapshot: int) -> int:
    """The last entry of the trail whose verdict published a snapshot, or left it as it was; 0 where none is known."""
    # A held batch, or one without rows, keeps an older snapshot and says nothing about what is in it.
    return max(
        (
            entry.id
            for entry in entries
            if entry.what not in (BatchState.HELD, BatchState.EMPTY)
            and entry.details.get("snapshots", {}).get("published") == snapshot
        ),
        default=0,
    )
