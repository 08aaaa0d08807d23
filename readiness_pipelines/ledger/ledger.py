"""The ledger: the truth about batches, in one database, with an append-only trail."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Row,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from readiness_pipelines.errors import CommitConflictError, LedgerError
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.decisions import Decision, Undoing, What, describe, from_json, kind_of, to_json
from readiness_pipelines.ledger.findings import BatchFinding, Findings, replace_findings
from readiness_pipelines.ledger.incidents import Incidents
from readiness_pipelines.ledger.records import (
    Attempt,
    BatchRecord,
    BatchRef,
    Counts,
    FileRecord,
    GateRecord,
    Snapshots,
    TrailEntry,
)
from readiness_pipelines.ledger.requests import ReplayRequest, RequestState
from readiness_pipelines.ledger.states import MOVES, BatchState
from readiness_pipelines.ledger.tables import (
    ATTEMPTS,
    BATCHES,
    DECISIONS,
    GATES,
    REQUESTS,
    TRAIL,
)
from readiness_pipelines.observability import FindingKind, Publication

FAILED = "failed"
SHOWN = (BatchState.PUBLISHED.value, BatchState.PARTLY_PUBLISHED.value)
WITHDRAWN = (BatchState.DISCARDED.value, "withdrawn")
SUPERSEDED = "superseded by another delivery of the batch"


class Ledger:
    """One record per batch, what happened to it, and which deliveries are under way."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> "Ledger":
        """Open a ledger, and create it where it is missing.

        Args:
            url: SQLAlchemy URL of its database (``sqlite:///…`` or ``postgresql+psycopg2://…``).

        Raises:
            LedgerError: The database cannot be reached, or the ledger is of a newer version.
        """
        return cls(Database.open(url))

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

    def begin(self, ref: BatchRef, *, attempt: str, run_id: str, who: str, at: datetime) -> None:
        """Note that a delivery of a batch begins, before it commits anything anywhere.

        It supersedes what is open of the batch: left by a crash, or under way elsewhere.

        Raises:
            LedgerError: The attempt was begun before, or the database cannot be reached.
        """
        with self._database.writing() as connection:
            connection.execute(
                update(ATTEMPTS)
                .where(_is(ATTEMPTS, ref), ATTEMPTS.c.ended_at.is_(None))
                .values(ended_at=at, outcome=SUPERSEDED)
            )
            connection.execute(
                insert(ATTEMPTS).values(attempt=attempt, **_key(ref), run_id=run_id, who=who, begun_at=at)
            )

    def confirm(self, ref: BatchRef, *, attempt: str) -> None:
        """Refuse to go on with a delivery that another one has superseded.

        Raises:
            CommitConflictError: Another delivery of the batch has begun.
        """
        with self._database.reading() as connection:
            _check_open(connection, ref, attempt)

    def fail(self, ref: BatchRef, *, attempt: str, at: datetime, error: str) -> None:
        """Note that a delivery ended with an error; the batch's record stays as it was."""
        with self._database.writing() as connection:
            begun = self._close(connection, attempt, at=at, outcome=error)
            self._append(
                connection, ref, at=at, what=FAILED, who=begun.who, why=error, run_id=begun.run_id, attempt=attempt
            )

    def note_broken(self, ref: BatchRef, *, run_id: str, who: str, error: str, at: datetime) -> bool:
        """Note that a run broke, where it could not do so itself; its open deliveries end.

        Returns:
            Whether there was something to note: the ledger may have it already.
        """
        with self._database.writing() as connection:
            left = connection.execute(
                select(ATTEMPTS).where(ATTEMPTS.c.run_id == run_id, ATTEMPTS.c.ended_at.is_(None))
            ).all()
            for row in left:
                self._close(connection, row.attempt, at=at, outcome=error)
                self._append(
                    connection, _ref(row), at=at, what=FAILED, who=who, why=error, run_id=run_id, attempt=row.attempt
                )
            known = select(TRAIL.c.id).where(_is(TRAIL, ref), TRAIL.c.run_id == run_id, TRAIL.c.what == FAILED)
            if left or connection.execute(known).first() is not None:
                return bool(left)
            self._append(
                connection, ref, at=at, what=FAILED, who=who, why=error, run_id=run_id, attempt=f"run {run_id}"[:64]
            )
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
    ) -> None:
        """Move a batch to where the record says, close its attempt, and append to the trail, all or nothing.

        Args:
            record: Where the batch stands from now on.
            what: The verb of the trail's entry.
            who: The person or service.
            why: The reason, where there is one.
            details: What else the trail should tell, as JSON.
            found: What was found about the batch, by kind; kinds that are not given stay as they were.

        Raises:
            LedgerError: Rows that are not accounted for, or a move that is not allowed; the ledger stays as it was.
            CommitConflictError: Another delivery of the batch has begun, and has the say.
        """
        if not record.counts.accounted and record.state is not BatchState.INGESTED:
            counts = record.counts
            raise LedgerError(
                f"{record.ref} does not add up: {counts.ingested} ingested, but {counts.published} published + "
                f"{counts.quarantined} quarantined + {counts.discarded} discarded",
                way_out=f"readiness status {record.ref.path}",
            )
        with self._database.writing() as connection:
            where = _is(BATCHES, record.ref)
            before = connection.execute(select(BATCHES.c.state).where(where).with_for_update()).scalar_one_or_none()
            _check_move(record, BatchState(before) if before else None)
            if record.attempt is not None:
                _check_open(connection, record.ref, record.attempt)
            values = _values(record)
            if before is None:
                connection.execute(insert(BATCHES).values(**_key(record.ref), **values))
            else:
                connection.execute(update(BATCHES).where(where).values(**values))
            replace_findings(connection, record.ref, found or {}, at=record.updated_at)
            if record.attempt is not None:
                self._close(connection, record.attempt, at=record.updated_at, outcome=record.state.value)
            self._append(
                connection,
                record.ref,
                at=record.updated_at,
                what=what,
                who=who,
                why=why,
                run_id=record.run_id,
                attempt=record.attempt,
                details={"counts": asdict(record.counts), "snapshots": asdict(record.snapshots), **(details or {})},
            )

    def decide(self, ref: BatchRef, what: What, *, who: str, why: str, at: datetime) -> Decision:
        """Keep a decision about a batch, and append it to the trail.

        Raises:
            LedgerError: No reason, an unknown batch, or an undoing of what is no decision about it.
        """
        with self._database.writing() as connection:
            _check_reason(connection, ref, why, "decision about")
            if isinstance(what, Undoing):
                known = connection.execute(select(DECISIONS.c.id).where(_is(DECISIONS, ref))).scalars().all()
                if what.decision not in known:
                    raise LedgerError(
                        f"{ref} has no decision {what.decision}",
                        way_out=f"its decisions are: {', '.join(map(str, known)) or 'none'}",
                    )
            row = {**_key(ref), "at": at, "who": who, "why": why}
            done = connection.execute(insert(DECISIONS).values(**row, what=to_json(what)))
            number = _number(done)
            details = {"decision": number, "what": describe(what)}
            self._append(connection, ref, at=at, what=f"decided to {kind_of(what)}", who=who, why=why, details=details)
        return Decision(id=number, ref=ref, what=what, at=at, who=who, why=why)

    def decisions(self, ref: BatchRef) -> tuple[Decision, ...]:
        """All decisions about a batch, oldest first, also those undone."""
        query = select(DECISIONS).where(_is(DECISIONS, ref)).order_by(DECISIONS.c.id)
        with self._database.reading() as connection:
            return tuple(
                Decision(id=row.id, ref=ref, what=from_json(row.what), at=row.at, who=row.who, why=row.why)
                for row in connection.execute(query)
            )

    def request_replay(self, ref: BatchRef, *, who: str, why: str, at: datetime) -> ReplayRequest:
        """Ask for a batch to be replayed.

        Raises:
            LedgerError: No reason, or a batch that the ledger does not know.
        """
        with self._database.writing() as connection:
            _check_reason(connection, ref, why, "replay of")
            row = {**_key(ref), "at": at, "who": who, "why": why, "state": RequestState.OPEN.value}
            number = _number(connection.execute(insert(REQUESTS).values(**row)))
            self._append(connection, ref, at=at, what="replay requested", who=who, why=why, details={"request": number})
        return ReplayRequest(
            id=number, ref=ref, at=at, who=who, why=why, state=RequestState.OPEN, run_id=None, outcome=None
        )

    def replay_requests(
        self, *, path: str | None = None, state: RequestState | None = None
    ) -> tuple[ReplayRequest, ...]:
        """The replay requests of a path and state (all where none is given), oldest first."""
        query = select(REQUESTS).order_by(REQUESTS.c.id)
        for name, value in {"path": path, "state": state.value if state else None}.items():
            if value is not None:
                query = query.where(REQUESTS.c[name] == value)
        with self._database.reading() as connection:
            return tuple(_request(row) for row in connection.execute(query))

    def move_request(
        self, request: int, *, state: RequestState, run_id: str | None, outcome: str | None = None
    ) -> None:
        """Note how far a replay request is."""
        values = {"state": state.value, "run_id": run_id, "outcome": outcome}
        with self._database.writing() as connection:
            connection.execute(update(REQUESTS).where(REQUESTS.c.id == request).values(**values))

    def remember_gate(self, ref: BatchRef, gate: GateRecord) -> None:
        """Keep what a gate asks, beside the versions that the batches name; once is enough."""
        row = {"path": ref.path, "table_name": ref.table, **asdict(gate)}
        insert_new = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        with self._database.writing() as connection:
            connection.execute(insert_new(GATES).values(row).on_conflict_do_nothing())

    def gates(self, *, path: str, table: str) -> tuple[GateRecord, ...]:
        """The gates that have judged batches of a table, by first use."""
        query = select(GATES).where(GATES.c.path == path, GATES.c.table_name == table)
        with self._database.reading() as connection:
            return tuple(
                GateRecord(version=row.version, declaration=row.declaration, first_used_at=row.first_used_at)
                for row in connection.execute(query.order_by(GATES.c.first_used_at))
            )

    def get(self, ref: BatchRef) -> BatchRecord | None:
        """Where a batch stands; ``None`` if the ledger has not seen it."""
        with self._database.reading() as connection:
            row = connection.execute(select(BATCHES).where(_is(BATCHES, ref))).one_or_none()
        return None if row is None else _record(row)

    def batches(
        self, *, path: str | None = None, table: str | None = None, state: BatchState | None = None
    ) -> tuple[BatchRecord, ...]:
        """The records of a path, table or state (all where none is given), by path, table and batch."""
        query = select(BATCHES).order_by(BATCHES.c.path, BATCHES.c.table_name, BATCHES.c.batch)
        wanted = {"path": path, "table_name": table, "state": state.value if state else None}
        for name, value in wanted.items():
            if value is not None:
                query = query.where(BATCHES.c[name] == value)
        with self._database.reading() as connection:
            return tuple(_record(row) for row in connection.execute(query))

    def shown_batches(self, *, path: str, table: str) -> frozenset[str]:
        """The batches of a table of which the last verdict published rows."""
        query = select(BATCHES.c.batch).where(
            BATCHES.c.path == path, BATCHES.c.table_name == table, BATCHES.c.state.in_(SHOWN)
        )
        with self._database.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def latest(self, *, path: str, table: str) -> BatchRecord | None:
        """The batch of a table that came last to where it is; ``None`` where there is none."""
        query = select(BATCHES).where(BATCHES.c.path == path, BATCHES.c.table_name == table)
        with self._database.reading() as connection:
            row = connection.execute(query.order_by(BATCHES.c.updated_at.desc()).limit(1)).one_or_none()
        return None if row is None else _record(row)

    def trail(self, *, ref: BatchRef | None = None, limit: int | None = None) -> tuple[TrailEntry, ...]:
        """What happened to a batch (to all where none is given), oldest first; with `limit`, only the newest."""
        query = select(TRAIL).order_by(TRAIL.c.id.desc()).limit(limit)
        if ref is not None:
            query = query.where(_is(TRAIL, ref))
        with self._database.reading() as connection:
            return tuple(_entry(row) for row in reversed(connection.execute(query).all()))

    def recorded_attempts(self, *, path: str, table: str, batch: str | None = None) -> Mapping[str, frozenset[str]]:
        """The deliveries that came to their end, by batch of a table (of all batches where none is given)."""
        query = select(TRAIL.c.batch, TRAIL.c.attempt).where(
            TRAIL.c.path == path, TRAIL.c.table_name == table, TRAIL.c.attempt.is_not(None), TRAIL.c.what != FAILED
        )
        if batch is not None:
            query = query.where(TRAIL.c.batch == batch)
        found: dict[str, set[str]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.batch, set()).add(row.attempt)
        return {batch: frozenset(attempts) for batch, attempts in found.items()}

    def publications(self, *, path: str | None = None) -> Mapping[tuple[str, str], Sequence[Publication]]:
        """The batches that consumers see, by path and table: those published and not withdrawn since."""
        gone = func.max(case((TRAIL.c.what.in_(WITHDRAWN), TRAIL.c.id), else_=0))
        shown = func.max(case((TRAIL.c.what.in_(SHOWN), TRAIL.c.id), else_=0))
        first = func.min(case((TRAIL.c.what.in_(SHOWN), TRAIL.c.at)))
        key = (TRAIL.c.path, TRAIL.c.table_name, TRAIL.c.batch)
        query = (
            select(*key, first.label("first_at"), BATCHES.c.newest_event_at)
            .join(BATCHES, _same_batch())
            .group_by(*key, BATCHES.c.newest_event_at)
            .having(shown > gone)
        )
        if path is not None:
            query = query.where(TRAIL.c.path == path)
        found: dict[tuple[str, str], list[Publication]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                publication = Publication(batch=row.batch, first_at=row.first_at, newest_event=row.newest_event_at)
                found.setdefault((row.path, row.table_name), []).append(publication)
        return found

    def last_failures(self, *, path: str) -> tuple[TrailEntry, ...]:
        """The batches of which the last delivery broke, with its error."""
        return self._newest(path, TRAIL.c.attempt.is_not(None), TRAIL.c.what == FAILED)

    def last_verdicts(self, *, path: str) -> tuple[TrailEntry, ...]:
        """What the last delivery of each batch that came to its end said."""
        ended = TRAIL.c.attempt.is_not(None) & (TRAIL.c.what != FAILED)
        return self._newest(path, ended, ended)

    def _newest(self, path: str, among: ColumnElement[bool], only: ColumnElement[bool]) -> tuple[TrailEntry, ...]:
        """The newest entry of each batch among some, where it is one of those asked for."""
        newest = select(func.max(TRAIL.c.id)).where(TRAIL.c.path == path, among)
        newest = newest.group_by(TRAIL.c.table_name, TRAIL.c.batch)
        with self._database.reading() as connection:
            query = select(TRAIL).where(TRAIL.c.id.in_(newest), only).order_by(TRAIL.c.id)
            return tuple(_entry(row) for row in connection.execute(query))

    def open_attempts(self) -> tuple[Attempt, ...]:
        """The deliveries that began and did not end, oldest first: under way, or left half done by a crash."""
        query = select(ATTEMPTS).where(ATTEMPTS.c.ended_at.is_(None)).order_by(ATTEMPTS.c.begun_at)
        with self._database.reading() as connection:
            return tuple(
                Attempt(attempt=row.attempt, ref=_ref(row), run_id=row.run_id, who=row.who, begun_at=row.begun_at)
                for row in connection.execute(query)
            )

    def prune(self, *, before: datetime) -> int:
        """Forget the attempts that ended before a time; how many. Batches, decisions and the trail stay for ever."""
        with self._database.writing() as connection:
            ended = connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.ended_at < before))
        return int(ended.rowcount)

    @staticmethod
    def _close(connection: Connection, attempt: str, *, at: datetime, outcome: str) -> Row[Any]:
        begun = connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.attempt == attempt)).one_or_none()
        if begun is None:
            raise LedgerError(f"attempt {attempt} was never begun", way_out="begin an attempt before it is recorded")
        connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.attempt == attempt).values(ended_at=at, outcome=outcome))
        return begun

    @staticmethod
    def _append(
        connection: Connection,
        ref: BatchRef,
        *,
        at: datetime,
        what: str,
        who: str,
        why: str | None,
        run_id: str | None = None,
        attempt: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        connection.execute(
            insert(TRAIL).values(
                **_key(ref), at=at, what=what, who=who, why=why, run_id=run_id, attempt=attempt, details=details or {}
            )
        )


def _check_move(record: BatchRecord, before: BatchState | None) -> None:
    allowed = MOVES[before]
    if record.state not in allowed:
        raise LedgerError(
            f"{record.ref} is {before or 'new'} and cannot become {record.state}",
            way_out=f"from here it can become: {', '.join(sorted(allowed))}",
        )


def _check_reason(connection: Connection, ref: BatchRef, why: str, what: str) -> None:
    if not why.strip():
        raise LedgerError(f"the {what} {ref} has no reason", way_out='give one: --reason "…"')
    if connection.execute(select(BATCHES.c.state).where(_is(BATCHES, ref))).first() is None:
        raise LedgerError(f"the ledger knows no batch {ref}", way_out=f"readiness status {ref.path}")


def _check_open(connection: Connection, ref: BatchRef, attempt: str) -> None:
    outcome = connection.execute(select(ATTEMPTS.c.outcome).where(ATTEMPTS.c.attempt == attempt)).scalar_one_or_none()
    if outcome == SUPERSEDED:
        raise CommitConflictError(
            f"another delivery of {ref} began meanwhile, and has the say", way_out="when it has ended, run again"
        )


def _number(done: CursorResult[Any]) -> int:
    """The number that the database gave to a new row."""
    return int((done.inserted_primary_key or (0,))[0])


def _key(ref: BatchRef) -> dict[str, str]:
    return {"path": ref.path, "table_name": ref.table, "batch": ref.batch}


def _is(table: Any, ref: BatchRef) -> Any:
    return (table.c.path == ref.path) & (table.c.table_name == ref.table) & (table.c.batch == ref.batch)


def _same_batch() -> Any:
    return (
        (TRAIL.c.path == BATCHES.c.path)
        & (TRAIL.c.table_name == BATCHES.c.table_name)
        & (TRAIL.c.batch == BATCHES.c.batch)
    )


def _ref(row: Any) -> BatchRef:
    return BatchRef(path=row.path, table=row.table_name, batch=row.batch)


def _values(record: BatchRecord) -> dict[str, Any]:
    return {
        "state": record.state.value,
        **asdict(record.counts),
        "unreadable": record.unreadable_rows,
        **{f"{name}_snapshot": snapshot for name, snapshot in asdict(record.snapshots).items()},
        "gate_version": record.gate_version,
        "run_id": record.run_id,
        "attempt": record.attempt,
        "reason": record.reason,
        "inputs": dict(record.inputs),
        "files": [_file_value(file) for file in record.files],
        "columns": list(record.columns),
        "updated_at": record.updated_at,
        "newest_event_at": record.newest_event_at,
    }


def _record(row: Any) -> BatchRecord:
    return BatchRecord(
        ref=_ref(row),
        state=BatchState(row.state),
        counts=Counts(
            ingested=row.ingested, published=row.published, quarantined=row.quarantined, discarded=row.discarded
        ),
        gate_version=row.gate_version,
        run_id=row.run_id,
        attempt=row.attempt,
        reason=row.reason,
        snapshots=Snapshots(raw=row.raw_snapshot, quarantine=row.quarantine_snapshot, published=row.published_snapshot),
        inputs=row.inputs,
        files=tuple(map(_file, row.files)),
        columns=tuple(row.columns),
        unreadable_rows=row.unreadable,
        updated_at=row.updated_at,
        newest_event_at=row.newest_event_at,
    )


def _file_value(file: FileRecord) -> dict[str, Any]:
    return {**asdict(file), "landed_at": file.landed_at.isoformat() if file.landed_at else None}


def _file(stored: Mapping[str, Any]) -> FileRecord:
    landed_at = stored.get("landed_at")
    return FileRecord(**{**stored, "landed_at": datetime.fromisoformat(landed_at) if landed_at else None})


def _request(row: Any) -> ReplayRequest:
    return ReplayRequest(
        id=row.id,
        ref=_ref(row),
        at=row.at,
        who=row.who,
        why=row.why,
        state=RequestState(row.state),
        run_id=row.run_id,
        outcome=row.outcome,
    )


def _entry(row: Any) -> TrailEntry:
    return TrailEntry(
        id=row.id,
        ref=_ref(row),
        at=row.at,
        what=row.what,
        who=row.who,
        why=row.why,
        run_id=row.run_id,
        attempt=row.attempt,
        details=row.details,
    )
