"""A draft: decisions about one batch that belong together, checked in order, each on what those before it leave."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import undo_command
from readiness_pipelines.contracts import Table
from readiness_pipelines.decisions import (
    Approval,
    CellCorrection,
    Correction,
    Decision,
    Discarding,
    Undoing,
    Waiver,
    What,
    about_delivery,
    check_conditions,
    check_deliveries,
    corrected,
    decisions_about,
    in_force,
    undone_by,
    waits_for_approval,
)
from readiness_pipelines.delivery.classes import classes_of, handling_rows
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.raw_delivery import numbered_delivery
from readiness_pipelines.delivery.reading import judged_rows
from readiness_pipelines.errors import DeclarationError, LedgerError
from readiness_pipelines.identity import same_person
from readiness_pipelines.installation import Installation, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Decisions about one batch that belong together.

    Attributes:
        table: The table.
        batch: The batch.
        decisions: What is decided, in order; each is about the rows as those before it leave them. None for a replay
            alone, which can be looked at like any draft.
    """

    table: Table
    batch: str
    decisions: tuple[What, ...]

    @property
    def ref(self) -> BatchRef:
        """The batch."""
        return BatchRef(self.table.id, self.batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedDecision:
    """A decision of a draft, checked.

    Attributes:
        what: What is decided, as it would be kept.
        text: The same on one line, for people, without values of classified columns.
        rows: How many rows it touches; ``None`` for the whole batch.
        second_person: Whether it would hold only once a second person has approved it.
    """

    what: What
    text: str
    rows: int | None
    second_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDraft:
    """A draft that can be kept.

    Attributes:
        draft: The draft.
        decisions: Its decisions.
        last: The last decision about the batch that was known, 0 for none.
        before: The decisions that hold now.
        after: Those that would hold, with approvals given where they are demanded.
    """

    draft: Draft
    decisions: tuple[DraftedDecision, ...]
    last: int
    before: tuple[Decision, ...]
    after: tuple[Decision, ...]


def check_draft(draft: Draft, *, installation: Installation, run: Run) -> CheckedDraft:
    """Check a draft's decisions against the batch's rows. Nothing is kept.

    Raises:
        UnknownNameError: A column or rule that is not there; names the nearest.
        DeclarationError: An expression that DuckDB refuses, reads other tables, or gives another answer every time; a
            rule that cannot be waived; a condition that no row meets; a correction after which an earlier decision
            could not be applied any more; an undoing of what is undone already; an approval of what waits for none, or
            by who decided it.
        LedgerError: Nothing to undo.
        UpstreamNotPublishedError: Nothing was ingested, or an input has nothing published for the batch.
    """
    known = decisions_about(installation.ledger, draft.ref)
    last = known[-1].id if known else 0
    with ExitStack() as stack:
        walk = _Walk(draft, known, installation, run, stack)
        found = [walk.check(what) for what in draft.decisions]
    found = _with_second_person(draft, found, installation)
    at = run.clock()
    return CheckedDraft(
        draft=draft,
        decisions=tuple(found),
        last=last,
        before=in_force(known, at=at),
        after=in_force(walk.known, at=at),
    )


class _Walk:
    """Checks decisions one after the other."""

    def __init__(
        self, draft: Draft, known: Sequence[Decision], installation: Installation, run: Run, stack: ExitStack
    ) -> None:
        self._draft = draft
        self._installation = installation
        self._run = run
        self._stack = stack
        self._kept = tuple(known)
        self._at: datetime = run.clock()
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._arrived: duckdb.DuckDBPyRelation | None = None
        self._delivery: str | None = None
        self._current: duckdb.DuckDBPyRelation | None = None
        self.known = list(known)
        """The decisions that are kept, and those that were checked, as if they were."""

    def check(self, what: What) -> DraftedDecision:
        """Check one decision; from here on it counts as made."""
        rows = None
        if isinstance(what, Approval):
            _check_approval(what, self.known, self._run)
        elif isinstance(what, Undoing):
            self._check_undoing(what)
        else:
            with handling_rows(self._draft.table):
                rows, what = self._check_rows(what)
        if isinstance(what, Undoing | Approval):
            self._current = None  # corrections may be gone, or back
        text = what.redacted(classes_of(self._draft.table)).describe()
        number = (self.known[-1].id if self.known else 0) + 1
        self.known.append(
            Decision(id=number, ref=self._draft.ref, what=what, text=text, at=self._at, who=self._run.who, why="draft")
        )
        return DraftedDecision(what=what, text=text, rows=rows)

    def _check_rows(self, what: Correction | CellCorrection | Waiver | Discarding) -> tuple[int | None, What]:
        """How many rows a decision touches, and the decision as it would be kept."""
        engine, arrived = self._given()
        held = in_force(self.known, at=self._at)
        check_deliveries(held, self._delivery)
        # What is decided next is about the rows as the decisions before have left them.
        current = corrected(arrived, held, engine) if self._current is None else self._current
        count = what.check(current, engine, gate_of(self._draft.table))
        if isinstance(what, Correction | CellCorrection):
            after = what.apply(current, engine)
            try:
                check_conditions(after, held)
            except DeclarationError as error:
                raise DeclarationError(f"after this correction, {error.what}", way_out=error.way_out) from error
            current = after
        self._current = current
        return count, about_delivery(what, self._delivery, engine)

    def _given(self) -> tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation]:
        """The rows as they arrived, opened once, and only where a decision is about rows."""
        if self._engine is None or self._arrived is None:
            table, batch = self._draft.table, self._draft.batch
            # Before the rows are read: a decision about what is ingested meanwhile is then refused when it is applied.
            self._delivery = numbered_delivery(table, batch, self._installation.ledger)
            self._engine = self._stack.enter_context(self._installation.engine(f"batch {batch!r} of {table.id}"))
            given = judged_rows(table, batch=batch, installation=self._installation, engine=self._engine)
            self._arrived = given.rows
        return self._engine, self._arrived

    def _check_undoing(self, what: Undoing) -> None:
        numbers = [decision.id for decision in self._kept]
        if what.decision not in numbers:
            raise LedgerError(
                f"{self._draft.ref} has no decision {what.decision}",
                way_out=f"its decisions are: {', '.join(map(str, numbers)) or 'none'}",
            )
        if (undoing := undone_by(self.known).get(what.decision)) is not None:
            # Kept twice, it would have to be taken back twice, and nobody would know why the first time did nothing.
            raise DeclarationError(
                f"decision {what.decision} about {self._draft.ref} is undone already, by decision {undoing}",
                way_out=f"to put it in force again: {undo_command(self._draft.ref, undoing)}",
            )


def _with_second_person(
    draft: Draft, found: Sequence[DraftedDecision], installation: Installation
) -> list[DraftedDecision]:
    """Mark waivers and discardings that touch, together, more rows than one person may decide about."""
    bound = draft.table.domain.second_person_over
    if bound is None:
        return list(found)
    record = installation.ledger.get(draft.ref)
    whole = record.counts.ingested if record else 0
    touching = [one for one in found if isinstance(one.what, Waiver | Discarding)]
    if sum(whole if one.rows is None else one.rows for one in touching) <= bound:
        return list(found)
    return [
        replace(one, what=replace(one.what, second_person=True), second_person=True)
        if isinstance(one.what, Waiver | Discarding)
        else one
        for one in found
    ]


def _check_approval(what: Approval, decisions: Sequence[Decision], run: Run) -> None:
    """Refuse an approval of what needs none, or by who decided it."""
    waiting = {decision.id: decision for decision in waits_for_approval(decisions)}
    decision = waiting.get(what.decision)
    if decision is None:
        known = ", ".join(map(str, waiting)) or "none does"
        raise DeclarationError(
            f"decision {what.decision} does not wait for a second person", way_out=f"those that do: {known}"
        )
    if same_person(decision.who, run.who):
        raise DeclarationError(
            f"decision {what.decision} was made by {decision.who}, who cannot approve it",
            way_out="somebody else approves it, or undo it",
        )
