"""The ledger: the truth about batches, in one database, with an append-only trail."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from readiness_pipelines.batches import BatchRef, BatchState, Publication
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import (
    attempts,
    audit,
    batches,
    claims,
    contents,
    copying,
    decision_values,
    decisions,
    gates,
    glances,
    outcomes,
    profiles,
    releases,
    requests,
    shapes,
    trail,
)
from readiness_pipelines.ledger.audit import ChainAudit
from readiness_pipelines.ledger.claims import Home
from readiness_pipelines.ledger.contents import BatchContents
from readiness_pipelines.ledger.contracts import Contracts
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.decision_values import DecisionValue
from readiness_pipelines.ledger.decisions import DecisionRecord, NewDecision
from readiness_pipelines.ledger.erasures import Erasures
from readiness_pipelines.ledger.event_times import TimesOfBatches
from readiness_pipelines.ledger.finding import FindingKind
from readiness_pipelines.ledger.findings import BatchFinding, Findings, replace_findings
from readiness_pipelines.ledger.gates import GateRecord
from readiness_pipelines.ledger.glances import ASSIGNED, Assignment, BatchGlance, ShownBatch
from readiness_pipelines.ledger.incident_book import Incidents
from readiness_pipelines.ledger.models import Models
from readiness_pipelines.ledger.online_values import OnlineValues
from readiness_pipelines.ledger.outcomes import Kept, OutcomeRecord, StateChange, Tally
from readiness_pipelines.ledger.receivers import Receivers
from readiness_pipelines.ledger.records import Attempt, BatchRecord, TrailEntry
from readiness_pipelines.ledger.requests import ReplayRequest, RequestState
from readiness_pipelines.ledger.scorecards import Scorecards
from readiness_pipelines.ledger.shapes import Shape
from readiness_pipelines.ledger.streams import Streams
from readiness_pipelines.ledger.training_sets import TrainingSets
from readiness_pipelines.names import TableId

AUTOMATIC = "readiness"
"""Who claims a table, or accepts its first columns, where no person does."""


class Ledger:
    """One record for each batch, what happened to it, and which deliveries are under way."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> "Ledger":
        """Open a ledger, and create it where it is missing.

        Args:
            url: SQLAlchemy URL of its database (``sqlite:///…`` or ``postgresql+psycopg2://…``).

        Raises:
            LedgerError: The database cannot be reached, or the ledger is of another version.
        """
        return cls(Database.open(url))

    def copy(self, url: str, tables: Collection[TableId]) -> "Ledger":
        """Another ledger that knows of some tables what this one knows, for deliveries that change nothing here.

        Args:
            url: SQLAlchemy URL of its database, in which there is no ledger yet.
            tables: The tables, with what lies beside them.

        Raises:
            LedgerError: A database cannot be used.
        """
        copied = Ledger.open(url)
        with self._database.reading() as source, copied._database.writing() as target:
            copying.copy_tables(source, target, tables)
        return copied

    @property
    def server(self) -> str:
        """The kind of its database and the version, for people."""
        return self._database.server

    @property
    def incidents(self) -> Incidents:
        """The book of incidents, in the same database."""
        return Incidents(self._database)

    @property
    def findings(self) -> Findings:
        """What was found about batches, in the same database."""
        return Findings(self._database)

    @property
    def contracts(self) -> Contracts:
        """What tables promised since when, in the same database."""
        return Contracts(self._database)

    @property
    def erasures(self) -> Erasures:
        """Who is to be forgotten, and the register of those who were, in the same database."""
        return Erasures(self._database)

    @property
    def receivers(self) -> Receivers:
        """Who is sent what happens to batches, and how far each is, in the same database."""
        return Receivers(self._database)

    @property
    def streams(self) -> Streams:
        """Who reads streams, and the windows that are open, in the same database."""
        return Streams(self._database)

    @property
    def models(self) -> Models:
        """Models, their versions and which of them serve, in the same database."""
        return Models(self._database)

    @property
    def event_times(self) -> TimesOfBatches:
        """When what batches tell of happened, in the same database."""
        return TimesOfBatches(self._database)

    @property
    def online_values(self) -> OnlineValues:
        """The latest values of feature views by key, in the same database."""
        return OnlineValues(self._database)

    @property
    def scorecards(self) -> Scorecards:
        """The scorecards of all days, in the same database."""
        return Scorecards(self._database)

    @property
    def training_sets(self) -> TrainingSets:
        """The training sets that were built, in the same database."""
        return TrainingSets(self._database)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite ledger; ``None`` for others."""
        return self._database.file

    def begin(self, ref: BatchRef, *, attempt: str, run_id: str, who: str, at: datetime) -> None:
        """Note that a delivery of a batch begins, before it commits anything anywhere.

        It supersedes what is open of the batch: left by a crash, or under way elsewhere.

        Raises:
            LedgerError: The attempt was begun before, or the database cannot be reached.
        """
        with self._database.writing() as connection:
            begun = Attempt(attempt=attempt, ref=ref, run_id=run_id, who=who, begun_at=at)
            attempts.begin_attempt(connection, begun)

    def supersede(self, ref: BatchRef, *, at: datetime) -> None:
        """End what is open of a batch of which there is nothing to deliver any more."""
        with self._database.writing() as connection:
            attempts.supersede_open(connection, ref, at=at)

    def confirm(self, ref: BatchRef, *, attempt: str) -> None:
        """Refuse to go on with a delivery that another one has superseded.

        Raises:
            CommitConflictError: Another delivery of the batch has begun.
        """
        with self._database.reading() as connection:
            attempts.check_not_superseded(connection, ref, attempt)

    def fail(self, ref: BatchRef, *, attempt: str, at: datetime, error: str) -> None:
        """Note that a delivery ended with an error; the batch's record stays as it was."""
        with self._database.writing() as connection:
            begun = attempts.end_attempt(connection, attempt, at=at, outcome=error)
            trail.append_failure(
                connection, ref, at=at, who=begun.who, error=error, run_id=begun.run_id, attempt=attempt
            )

    def note_broken(self, ref: BatchRef, *, run_id: str, who: str, error: str, at: datetime) -> bool:
        """Note that a run broke, where it could not do so itself; its open deliveries end.

        Returns:
            Whether there was something to note: the ledger may have it already.
        """
        failed = partial(trail.append_failure, at=at, who=who, error=error, run_id=run_id)
        with self._database.writing() as connection:
            left_open = attempts.open_attempts(connection, run_id=run_id)
            for one in left_open:
                attempts.end_attempt(connection, one.attempt, at=at, outcome=error)
                failed(connection, one.ref, attempt=one.attempt)
            if left_open or trail.has_failure(connection, ref, run_id=run_id):
                return bool(left_open)
            failed(connection, ref, attempt=f"run {run_id}"[:64])
        return True

    def record(
        self,
        record: BatchRecord,
        *,
        what: str,
        who: str,
        why: str | None = None,
        details: Mapping[str, Any] | None = None,
        found: Mapping[FindingKind, Sequence[BatchFinding]] | None = None,
        committed: Collection[BatchContents] = (),
        profile: str | None = None,
    ) -> None:
        """Move a batch to where the record says, close its attempt, and append to the trail, all or nothing.

        Args:
            record: Where the batch stands from now on.
            what: The verb of the trail's entry.
            who: The person or service.
            why: The reason, where there is one.
            details: What else the trail should say, as JSON.
            found: What was found about the batch, by kind; kinds that are not given stay as they were.
            committed: What the delivery put into the Iceberg tables.
            profile: What the published rows look like, as JSON text. Where the record says that rows are published, it
                takes the place of the batch's profile; else that stays as it was.

        Raises:
            LedgerError: Rows that are not accounted for, or a move that is not allowed; the ledger stays as it was.
            CommitConflictError: Another delivery of the batch has begun, and takes precedence.
        """
        batches.check_counts(record)
        with self._database.writing() as connection:
            if record.attempt is not None:
                attempts.check_not_superseded(connection, record.ref, record.attempt)
            batches.move_batch(connection, record)
            contents.keep_contents(connection, committed)
            # What is committed and recorded anew has yet to be proved.
            replace_findings(connection, record.ref, {FindingKind.PROOF: (), **(found or {})}, at=record.updated_at)
            if record.attempt is not None:
                attempts.end_attempt(connection, record.attempt, at=record.updated_at, outcome=record.state.value)
            noted = trail.append_entry(
                connection,
                record.ref,
                at=record.updated_at,
                what=what,
                who=who,
                why=why,
                run_id=record.run_id,
                attempt=record.attempt,
                details={
                    "counts": record.counts.noted,
                    "snapshots": asdict(record.snapshots),
                    "record": batches.record_digest(record),
                    **({} if profile is None else {"profile": profiles.profile_digest(profile)}),
                    **(details or {}),
                },
            )
            if record.state.visible:
                profiles.replace_profile(connection, record.ref, profile, noted=noted)

    def profiles(self, table: TableId, batches: Collection[str]) -> Mapping[str, str]:
        """The profiles of some batches of a table, as JSON text, as far as there are any."""
        with self._database.reading() as connection:
            return profiles.profiles_of(connection, table, batches)

    def bring_profiles(self, table: TableId, found: Mapping[str, str]) -> int:
        """Keep profiles of a table's batches that were kept elsewhere, for those that have none; how many."""
        with self._database.writing() as connection:
            return profiles.bring_profiles(connection, table, found)

    def profile_digests(self, table: TableId, batches: Collection[str]) -> Mapping[str, str]:
        """What tells the profiles of some batches from others, as far as there are any."""
        with self._database.reading() as connection:
            return profiles.profile_digests(connection, table, batches)

    def digested_profiles(self, table: TableId) -> Mapping[str, str]:
        """The digest of each batch's profile, made from what is there, to be held against what the trail noted."""
        with self._database.reading() as connection:
            return dict(profiles.digested_profiles(connection, table))

    def newest_profile(self, table: TableId) -> int | None:
        """A number that grows whenever a profile of a table is kept; ``None`` before the first."""
        with self._database.reading() as connection:
            return profiles.newest_profile(connection, table)

    def contents(self, tables: Collection[TableId]) -> Mapping[BatchRef, BatchContents]:
        """What was committed last of each batch of some Iceberg tables, as far as it was kept."""
        with self._database.reading() as connection:
            return contents.contents_of(connection, tables)

    def committed(self, ref: BatchRef) -> BatchContents | None:
        """What was committed last of one batch of an Iceberg table; ``None`` where it was not kept."""
        with self._database.reading() as connection:
            return contents.contents_of_batch(connection, ref)

    def note_arrival(self, ref: BatchRef, arrival: str | None) -> None:
        """Note that what arrived, by its fingerprint, holds what was ingested of a batch already."""
        with self._database.writing() as connection:
            batches.note_arrival(connection, ref, arrival)

    def decide(
        self,
        ref: BatchRef,
        *,
        verb: str,
        content: Mapping[str, Any],
        text: str,
        who: str,
        why: str,
        at: datetime,
        values: Mapping[str, Any] | None = None,
        undoes: int | None = None,
    ) -> DecisionRecord:
        """Keep a decision about a batch, and append it to the trail.

        Args:
            ref: The batch.
            verb: What is done: ``correct``, ``waive`` …
            content: The decision, as JSON, without its values; it stays for ever.
            values: The values that it names, by part, as JSON: they can be erased. The decision keeps their digests.
            text: The decision on one line, for people; it stays for ever.
            who: The person.
            why: The reason.
            at: When, in UTC.
            undoes: The decision about the same batch that this one takes back.

        Raises:
            LedgerError: No reason, an unknown batch, or nothing to undo.
        """
        new = NewDecision(ref=ref, verb=verb, content=content, values=values or {}, text=text, undoes=undoes)
        (kept,), _ = self.decide_together([new], who=who, why=why, at=at)
        return kept

    def decide_together(
        self,
        new: Sequence[NewDecision],
        *,
        who: str,
        why: str,
        at: datetime,
        last: Mapping[BatchRef, int] | None = None,
        replay: bool = False,
    ) -> tuple[tuple[DecisionRecord, ...], tuple[ReplayRequest, ...]]:
        """Keep decisions about batches, in order, all of them or none; and append them to the trail.

        Args:
            new: The decisions.
            who: The person.
            why: The reason.
            at: When, in UTC.
            last: The last decision that was known of each batch when these were checked, 0 for none; ``None`` where
                that does not matter.
            replay: Whether to ask for a replay of each batch, once.

        Returns:
            The decisions as they are kept, and the requests for replays.

        Raises:
            LedgerError: No reason, an unknown batch, nothing to undo, or somebody decided about a batch meanwhile.
        """
        refs = tuple(dict.fromkeys(one.ref for one in new))
        with self._database.writing() as connection:
            for ref in refs:
                batches.check_reason(connection, ref, why, "decision about")
                if last is not None:
                    decisions.check_last(connection, ref, last[ref])
            kept = tuple(self._decide(connection, one, who=who, why=why, at=at) for one in new)
            asked = tuple(self._request(connection, ref, who=who, why=why, at=at) for ref in refs if replay)
        return kept, asked

    @staticmethod
    def _decide(connection: Connection, new: NewDecision, *, who: str, why: str, at: datetime) -> DecisionRecord:
        if new.undoes is not None:
            decisions.check_decision(connection, new.ref, new.undoes)
        kept = decisions.add_decision(connection, new, who=who, why=why, at=at)
        details = {"decision": kept.id, "what": new.text}
        trail.append_entry(connection, new.ref, at=at, what=f"decided to {new.verb}", who=who, why=why, details=details)
        return kept

    @staticmethod
    def _request(connection: Connection, ref: BatchRef, *, who: str, why: str, at: datetime) -> ReplayRequest:
        batches.check_reason(connection, ref, why, "replay of")
        request = requests.add_request(connection, ref, who=who, why=why, at=at)
        details = {"request": request.id}
        trail.append_entry(connection, ref, at=at, what="replay requested", who=who, why=why, details=details)
        return request

    def released(self, ref: BatchRef, definition: Mapping[str, Any]) -> tuple[int, ...] | None:
        """The noisy counts that were released of a batch by a definition; ``None`` where nothing was."""
        with self._database.reading() as connection:
            return releases.released(connection, ref, definition)

    def release(
        self,
        ref: BatchRef,
        *,
        definition: Mapping[str, Any],
        epsilon: float,
        budget: float,
        draw: Callable[[], Sequence[int]],
        who: str,
        run_id: str,
        at: datetime,
    ) -> tuple[int, ...]:
        """Release noisy counts of a batch once: what was released is given again, else it is drawn, paid and kept.

        Args:
            ref: The batch of the product.
            definition: What is released, with its ``epsilon``; another definition is another release.
            epsilon: What it costs.
            budget: What all releases of the product may cost together.
            draw: Draws it.
            who: Who it is released for.
            run_id: The run.
            at: When, in UTC.

        Raises:
            LedgerError: The budget is spent.
        """
        with self._database.writing() as connection:
            return releases.release(
                connection,
                ref,
                definition=definition,
                epsilon=epsilon,
                budget=budget,
                draw=draw,
                who=who,
                run_id=run_id,
                at=at,
            )

    def decisions(self, ref: BatchRef) -> tuple[DecisionRecord, ...]:
        """All decisions about a batch, oldest first, also those undone."""
        with self._database.reading() as connection:
            return tuple(decisions.decisions_of(connection, [ref]).get(ref, ()))

    def decisions_of(self, refs: Collection[BatchRef]) -> Mapping[BatchRef, Sequence[DecisionRecord]]:
        """All decisions about each of some batches, oldest first; of those alone about which there are any."""
        with self._database.reading() as connection:
            return decisions.decisions_of(connection, refs)

    def note_look(
        self, ref: BatchRef, *, what: str, who: str, why: str, at: datetime, details: Mapping[str, Any]
    ) -> None:
        """Append to the trail that somebody looked at what not everybody may see.

        Raises:
            LedgerError: No reason, or an unknown batch.
        """
        with self._database.writing() as connection:
            batches.check_reason(connection, ref, why, "look at")
            trail.append_entry(connection, ref, at=at, what=what, who=who, why=why, details=details)

    def decision_values(self, tables: Collection[TableId]) -> tuple[DecisionValue, ...]:
        """The values that decisions about batches of some tables name, as far as they are not erased, in order."""
        with self._database.reading() as connection:
            return decision_values.values_in(connection, tables)

    def erase_decision_values(self, parts: Collection[tuple[int, str]], *, at: datetime) -> int:
        """Erase values that decisions name; what was decided, by whom and why, stays.

        Args:
            parts: Each by its decision's number and its part; what is erased or not there is passed over.
            at: The time, in UTC.

        Returns:
            How many were erased.
        """
        with self._database.writing() as connection:
            return decision_values.erase_values(connection, parts, at=at)

    def decided_batches(self, tables: Collection[TableId]) -> tuple[BatchRef, ...]:
        """The batches of some tables about which something was decided, in order."""
        with self._database.reading() as connection:
            return decisions.decided_batches(connection, tables)

    def request_replay(self, ref: BatchRef, *, who: str, why: str, at: datetime) -> ReplayRequest:
        """Ask for a batch to be replayed.

        Raises:
            LedgerError: No reason, or a batch that the ledger does not know.
        """
        with self._database.writing() as connection:
            return self._request(connection, ref, who=who, why=why, at=at)

    def replay_requests(
        self, *, tables: Collection[TableId] | None = None, state: RequestState | None = None
    ) -> tuple[ReplayRequest, ...]:
        """The replay requests of some tables and a state (all where none is given), oldest first."""
        with self._database.reading() as connection:
            return requests.replay_requests(connection, tables, state)

    def move_request(
        self, request: int, *, state: RequestState, run_id: str | None, outcome: str | None = None
    ) -> None:
        """Note how far a replay request is."""
        with self._database.writing() as connection:
            requests.move_request(connection, request, state=state, run_id=run_id, outcome=outcome)

    def claim_request(self, request: int) -> bool:
        """Take an open replay request to carry it out; whether it was free to take."""
        with self._database.writing() as connection:
            return requests.claim_request(connection, request)

    def replay_request(self, request: int) -> ReplayRequest | None:
        """A replay request by its number; ``None`` where there is none."""
        with self._database.reading() as connection:
            return requests.replay_request(connection, request)

    def remember_gate(self, table: TableId, gate: GateRecord) -> None:
        """Keep what a gate demands, beside the versions that the batches name; once is enough."""
        with self._database.writing() as connection:
            gates.remember_gate(connection, table, gate)

    def gates(self, table: TableId) -> tuple[GateRecord, ...]:
        """The gates that have judged batches of a table, by first use."""
        with self._database.reading() as connection:
            return gates.gates_of(connection, table)

    def accepted_shape(self, table: TableId) -> Shape | None:
        """The columns that were accepted last as those of a table's source; ``None`` before the first."""
        with self._database.reading() as connection:
            return shapes.accepted_shape(connection, table)

    def accept_shape(
        self, table: TableId, columns: Mapping[str, str], *, who: str, why: str, at: datetime, batch: str
    ) -> Shape:
        """Accept columns as those of a table's source from now on.

        Args:
            table: The table.
            columns: The columns' types, as text, by name.
            who: Who accepts them: a person, or `AUTOMATIC` for the first ones; those are accepted once only.
            why: The reason.
            at: When, in UTC.
            batch: The batch that has them.

        Returns:
            The shape that holds now: also the one before, where its columns are the same or where others were first.

        Raises:
            LedgerError: No reason.
        """
        with self._database.writing() as connection:
            before = shapes.accepted_shape(connection, table)
            if before is not None and who == AUTOMATIC:
                return before
            return shapes.add_shape(connection, table, Shape(columns=columns, batch=batch, who=who, why=why, at=at))

    def shapes(self, table: TableId) -> tuple[Shape, ...]:
        """All columns that were ever accepted for a table, oldest first."""
        with self._database.reading() as connection:
            return shapes.shapes_of(connection, table)

    def claim(self, table: TableId, home: Home, *, at: datetime) -> None:
        """Make a table's name belong to the declaration that delivers it first.

        Raises:
            DeclarationError: It belongs to another declaration; names both, and the way out.
        """
        with self._database.reading() as connection:
            known = claims.home_of(connection, table)
        if known is None:
            with self._database.writing() as connection:
                known = claims.home_of(connection, table)
                if known is None:
                    claims.set_home(connection, table, home, who=AUTOMATIC, why=claims.FIRST, at=at)
                    return
        claims.check_home(table, known, home)

    def adopt(self, table: TableId, home: Home, *, who: str, why: str, at: datetime) -> None:
        """Make a table's name belong to another declaration: the table has moved.

        Raises:
            LedgerError: No reason.
        """
        with self._database.writing() as connection:
            claims.set_home(connection, table, home, who=who, why=why, at=at)

    def claims(self) -> Mapping[TableId, Home]:
        """The declaration that each table's name belongs to."""
        with self._database.reading() as connection:
            return claims.homes(connection)

    def get(self, ref: BatchRef) -> BatchRecord | None:
        """Where a batch stands; ``None`` if the ledger has not seen it."""
        with self._database.reading() as connection:
            return batches.get_record(connection, ref)

    def batches(
        self,
        *,
        tables: Collection[TableId] | None = None,
        state: BatchState | None = None,
        waiting: bool = False,
    ) -> tuple[BatchRecord, ...]:
        """The records of some tables and a state (all where none is given), by table and batch.

        Args:
            tables: The tables.
            state: The state.
            waiting: Only batches of which rows wait.
        """
        with self._database.reading() as connection:
            return batches.records(connection, tables, state, waiting=waiting)

    def assign(self, ref: BatchRef, *, person: str, who: str, why: str, at: datetime) -> None:
        """Note in the trail who looks after a batch from now on.

        Args:
            ref: The batch.
            person: Who looks after it.
            who: Who says so: the same person, who takes it, or another.
            why: The reason.
            at: When, in UTC.

        Raises:
            LedgerError: Nobody is named, no reason, or an unknown batch.
        """
        if not person.strip():
            raise LedgerError(f"nobody is named to look after {ref}", way_out="name a person")
        with self._database.writing() as connection:
            batches.check_reason(connection, ref, why, "assignment of")
            details = {"person": person.strip()}
            trail.append_entry(connection, ref, at=at, what=ASSIGNED, who=who, why=why, details=details)

    def assignments(self, refs: Iterable[BatchRef]) -> Mapping[BatchRef, Assignment]:
        """Who looks after each of some batches, as far as somebody does."""
        with self._database.reading() as connection:
            return glances.assignments(connection, refs)

    def batch_keys(self, table: TableId) -> tuple[str, ...]:
        """The keys of a table's batches, in no order."""
        with self._database.reading() as connection:
            return glances.batch_keys(connection, table)

    def glances(
        self,
        *,
        tables: Collection[TableId] | None = None,
        waiting: bool = False,
        batches: Collection[str] | None = None,
    ) -> tuple[BatchGlance, ...]:
        """Where the batches of some tables stand (of all where none are given), in brief, in no order.

        Args:
            tables: The tables.
            waiting: Only batches of which rows wait.
            batches: Only these.
        """
        with self._database.reading() as connection:
            return glances.glances(connection, tables, waiting=waiting, batches=batches)

    def shown_batches(self, table: TableId) -> Mapping[str, ShownBatch]:
        """The batches of a table of which consumers see rows, with their snapshots: in brief, for tens of thousands."""
        with self._database.reading() as connection:
            return glances.shown_batches(connection, table)

    def counted_batches(self, tables: Collection[TableId]) -> Mapping[TableId, Mapping[BatchState, int]]:
        """How many batches of each of some tables are in each state."""
        with self._database.reading() as connection:
            return glances.counted_batches(connection, tables)

    def recorded_inputs(self) -> Mapping[BatchRef, Mapping[TableId, Mapping[str, int]]]:
        """The snapshots each batch was made of, by table and by the table's batch, of those made of others."""
        with self._database.reading() as connection:
            return glances.recorded_inputs(connection)

    def pulse(self) -> tuple[int, ...]:
        """Numbers of which one grows whenever something happens: where they are the same, so is what a page shows.

        The first is that of the trail's newest entry.
        """
        with self._database.reading() as connection:
            return glances.pulse(connection)

    def outcomes(self, tables: Collection[TableId]) -> Mapping[TableId, Sequence[OutcomeRecord]]:
        """What became of the batches of some tables, by table, for views over thousands of them."""
        with self._database.reading() as connection:
            return outcomes.outcomes(connection, tables)

    def turns(self, tables: Collection[TableId]) -> Mapping[TableId, Sequence[StateChange]]:
        """When the batches of some tables came to each of their states, by table, in the order it happened."""
        with self._database.reading() as connection:
            return outcomes.turns(connection, tables)

    def tallies(self, tables: Collection[TableId]) -> Mapping[TableId, Tally]:
        """The batches of some tables, added up, for those that have any."""
        with self._database.reading() as connection:
            return outcomes.tallies(connection, tables)

    def kept_beside(self, tables: Collection[TableId]) -> Mapping[TableId, Kept]:
        """How many profiles of some tables are kept, and who accepted their source's columns last."""
        with self._database.reading() as connection:
            return outcomes.kept_beside(connection, tables)

    def visible_batches(self, table: TableId) -> frozenset[str]:
        """The batches of a table of which the last verdict published rows."""
        with self._database.reading() as connection:
            return batches.visible_batches(connection, table)

    def latest(self, table: TableId) -> BatchRecord | None:
        """The batch of a table that came last to where it is; ``None`` where there is none."""
        return self.latest_of([table]).get(table)

    def latest_of(self, tables: Collection[TableId]) -> Mapping[TableId, BatchRecord]:
        """The batch of each of some tables that came last to where it is, for those that have any."""
        with self._database.reading() as connection:
            return batches.latest_records(connection, tables)

    def trail(self, *, ref: BatchRef | None = None, limit: int | None = None) -> tuple[TrailEntry, ...]:
        """What happened to a batch (to all where none is given), oldest first; with `limit`, only the newest."""
        with self._database.reading() as connection:
            return trail.entries(connection, ref, limit)

    def trails(self, refs: Collection[BatchRef]) -> Mapping[BatchRef, Sequence[TrailEntry]]:
        """What happened to each of some batches, oldest first; of those alone to which something did."""
        with self._database.reading() as connection:
            return trail.entries_of(connection, refs)

    def tables_after(self, entry: int) -> frozenset[TableId]:
        """The tables to whose batches something happened after an entry of the trail, by its number."""
        with self._database.reading() as connection:
            return trail.tables_after(connection, entry)

    def recorded_attempts(self, table: TableId, batch: str | None = None) -> Mapping[str, frozenset[str]]:
        """The deliveries that came to their end, by batch of a table (of all batches where none is given)."""
        with self._database.reading() as connection:
            return trail.recorded_attempts(connection, table, batch)

    def publications(self, *, tables: Collection[TableId] | None = None) -> Mapping[TableId, Sequence[Publication]]:
        """The batches that consumers see, by table: those published and not withdrawn since."""
        with self._database.reading() as connection:
            return trail.publications(connection, tables)

    def last_failures(self, *, tables: Collection[TableId]) -> tuple[TrailEntry, ...]:
        """The batches of which the last delivery broke, with its error."""
        with self._database.reading() as connection:
            return trail.last_failures(connection, tables)

    def last_erasures(self) -> Mapping[BatchRef, int]:
        """The batches out of which rows of persons were taken, with the number of the trail's newest entry of it."""
        with self._database.reading() as connection:
            return trail.last_erasures(connection)

    def last_verdicts(self, *, tables: Collection[TableId]) -> tuple[TrailEntry, ...]:
        """What the last delivery of each batch that came to its end said."""
        with self._database.reading() as connection:
            return trail.last_verdicts(connection, tables)

    def anchor(self) -> str:
        """The last row of each append-only table, for the snapshots to carry; empty where there is none yet."""
        with self._database.reading() as connection:
            return audit.anchor(connection)

    def audit_chains(self) -> tuple[ChainAudit, ...]:
        """Whether what is append-only is as it was written: the chain and the guards of each such table."""
        with self._database.reading() as connection:
            return audit.audit_chains(connection)

    def open_attempts(self, *, tables: Collection[TableId] | None = None) -> tuple[Attempt, ...]:
        """The deliveries that began and did not end, oldest first: under way, or left half done by a crash."""
        with self._database.reading() as connection:
            return attempts.open_attempts(connection, tables=tables)

    def usual_seconds(self, tables: Collection[TableId]) -> Mapping[TableId, float]:
        """How long a delivery of each of some tables took lately, as far as attempts are kept."""
        with self._database.reading() as connection:
            return attempts.usual_seconds(connection, tables)

    def prune(self, *, before: datetime) -> int:
        """Forget the attempts that ended before a time; how many. Batches, decisions and the trail stay for ever."""
        with self._database.writing() as connection:
            return attempts.prune_attempts(connection, before=before)
