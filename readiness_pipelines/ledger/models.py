"""Models: their versions, which of them serve, and requests to train anew.

The ledger is the truth, a registry such as MLflow the view: a version is known here before anything of it is written
there. Who serves is one row a model, moved by compare-and-set: of two who move it at once, one wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import model_command
from readiness_pipelines.errors import LedgerError, UnknownNameError
from readiness_pipelines.ledger import trail
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.keys import is_table, new_number, table_of
from readiness_pipelines.ledger.records import TrailEntry
from readiness_pipelines.ledger.tables import MODEL_VERSIONS, MODELS, RETRAININGS, TRAIL
from readiness_pipelines.names import TableId


class ModelState(StrEnum):
    """How far a version is.

    ``TRAINING``: it is about to be trained, or a crash cut that off. ``TRAINED``: its artefact is kept and measured.
    ``CANDIDATE``: it is registered, and may be promoted. ``REJECTED``: somebody said that it may not serve.
    """

    TRAINING = "training"
    TRAINED = "trained"
    CANDIDATE = "candidate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModelVersion:
    """What is known of a version before it is trained.

    Attributes:
        model: The model.
        key: The same for the same code, training set, seed and parameters: by it a version is found again.
        training_set: The id of the training set.
        facts: Code commit, code, seed, parameters, environment, and how the training set was made, as JSON.
        used: The batches that the training set was made of, as JSON.
        who: Who trains it.
    """

    model: TableId
    key: str
    training_set: str
    facts: Mapping[str, Any]
    used: Sequence[Mapping[str, Any]]
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One version of a model.

    Attributes:
        model: The model.
        version: Its number, from 1.
        key: The same for the same code, training set, seed and parameters.
        state: How far it is.
        training_set: The id of the training set.
        facts: Code commit, code, seed, parameters, environment, and how the training set was made.
        used: The batches that the training set was made of.
        who: Who trained it: its author.
        began_at: When its training began, in UTC.
        checksum: The artefact's SHA-256; "" before it is trained.
        artefact: Where the artefact is, below the warehouse; "" before it is trained.
        measured: Metrics of the holdout, in total and by slice; empty before it is trained.
        validation: How it compared with the champion of then; empty where it was not compared.
        registry: Where it is registered: address, run, number; empty where it is not.
        trained_at: When it was trained; ``None`` before.
    """

    model: TableId
    version: int
    key: str
    state: ModelState
    training_set: str
    facts: Mapping[str, Any]
    used: Sequence[Mapping[str, Any]] = field(repr=False)
    who: str
    began_at: datetime
    checksum: str = ""
    artefact: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    registry: Mapping[str, Any] = field(default_factory=dict)
    trained_at: datetime | None = None

    @property
    def ref(self) -> BatchRef:
        """How the trail names it."""
        return version_ref(self.model, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingState:
    """Which versions of a model serve.

    Attributes:
        model: The model.
        revision: Grows with every decision about who serves; 0 before the first.
        champion: The version that scores; ``None`` before the first promotion.
        shadow: The version that scores beside it, unseen; ``None`` where none does.
        canary: The version that scores a share of the rows; ``None`` where none does.
        canary_share: That share.
        decided_at: From when on the last decision is in force, in UTC: when it was made, and never before the one
            that it replaces, whatever the clocks of their authors say; ``None`` before.
        served_revision: The decision that has been delivered to the table of what serves.
    """

    model: TableId
    revision: int = 0
    champion: int | None = None
    shadow: int | None = None
    canary: int | None = None
    canary_share: float | None = None
    decided_at: datetime | None = None
    served_revision: int = 0

    def role(self, version: int) -> str:
        """``champion``, ``shadow``, ``canary``, or "" for a version that does not serve."""
        roles = {"champion": self.champion, "canary": self.canary, "shadow": self.shadow}
        return next((role for role, serving in roles.items() if serving == version), "")

    @property
    def serving(self) -> Mapping[str, int]:
        """The versions that serve, by role."""
        roles = {"champion": self.champion, "canary": self.canary, "shadow": self.shadow}
        return {role: version for role, version in roles.items() if version is not None}


class RetrainingState(StrEnum):
    """``OPEN``: nobody trains yet. ``WAITING``: a person has to say so first. ``DONE``. ``DECLINED``."""

    OPEN = "open"
    WAITING = "waiting"
    DONE = "done"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingRequest:
    """Somebody, or what watches drift, wants a model to be trained anew.

    Attributes:
        id: Grows with time.
        model: The model.
        key: Tells it from any other: the same drift wants the same retraining.
        at: When, in UTC.
        who: Who.
        why: The reason.
        evidence: What was seen, as JSON.
        state: How far it is.
        version: The version that came of it; ``None`` before.
        outcome: What became of it, for people; "" before.
        ended_at: When it ended; ``None`` before.
    """

    id: int
    model: TableId
    key: str
    at: datetime
    who: str
    why: str
    evidence: Mapping[str, Any]
    state: RetrainingState
    version: int | None = None
    outcome: str = ""
    ended_at: datetime | None = None


RETRAINING = "retraining-"
"""Begins the name of a request to train a model anew in the trail, as no version's does."""


class Models:
    """Models, over the ledger's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, new: NewModelVersion, *, at: datetime) -> ModelVersion:
        """Note that a version is about to be trained, before anything is written anywhere; once for each key."""
        with self._database.writing() as connection:
            known = connection.execute(
                select(MODEL_VERSIONS).where(is_table(MODEL_VERSIONS, new.model), MODEL_VERSIONS.c.key == new.key)
            ).one_or_none()
            if known is not None:
                return _version(known)
            newest = select(func.max(MODEL_VERSIONS.c.version)).where(is_table(MODEL_VERSIONS, new.model))
            number = int(connection.execute(newest).scalar() or 0) + 1
            values = {
                "table_name": str(new.model),
                "version": number,
                "key": new.key,
                "state": ModelState.TRAINING.value,
                "training_set": new.training_set,
                "facts": dict(new.facts),
                "used": [dict(one) for one in new.used],
                "who": new.who,
                "began_at": at,
            }
            connection.execute(insert(MODEL_VERSIONS).values(**values))
            made = _get(connection, new.model, number)
            _note(connection, made.ref, "training", who=new.who, why=None, at=at, evidence={"key": new.key})
        return made

    def note_trained(
        self,
        version: ModelVersion,
        *,
        checksum: str,
        artefact: str,
        measured: Mapping[str, Any],
        who: str,
        at: datetime,
    ) -> ModelVersion:
        """Note that a version's artefact is kept, and what was measured.

        Raises:
            LedgerError: Somebody rejected it meanwhile, or another process trained it.
        """
        values = {"checksum": checksum, "artefact": artefact, "measured": dict(measured), "trained_at": at}
        evidence = {"checksum": checksum, "training_set": version.training_set, "metrics": measured.get("metrics", {})}
        return self._advance(version, ModelState.TRAINED, values, "trained", who=who, at=at, evidence=evidence)

    def note_registered(
        self, version: ModelVersion, *, registry: Mapping[str, Any], who: str, at: datetime
    ) -> ModelVersion:
        """Note where a version is registered: it is a candidate from now on.

        Raises:
            LedgerError: Somebody rejected it meanwhile, or another process registered it.
        """
        values = {"registry": dict(registry)}
        return self._advance(
            version, ModelState.CANDIDATE, values, "registered", who=who, at=at, evidence=dict(registry)
        )

    def note_validated(
        self, version: ModelVersion, *, validation: Mapping[str, Any], who: str, at: datetime
    ) -> ModelVersion:
        """Keep how a version compared with the champion.

        Raises:
            LedgerError: Somebody rejected it meanwhile.
        """
        values = {"validation": dict(validation)}
        return self._advance(version, version.state, values, "validated", who=who, at=at, evidence=dict(validation))

    def reject(self, version: ModelVersion, *, who: str, why: str, at: datetime) -> ModelVersion:
        """Say that a version may not serve.

        Raises:
            LedgerError: No reason, or it serves.
        """
        check_reason(why, f"rejecting {version.ref}")
        with self._database.writing() as connection:
            if role := _serving(connection, version.model).role(version.version):
                instead = (
                    model_command("rollback", version.model)
                    if role == "champion"
                    else model_command("withdraw", version.model, version.version)
                )
                raise LedgerError(
                    f"version {version.version} of {version.model} serves as {role}", way_out=f'{instead} --reason "…"'
                )
            connection.execute(
                update(MODEL_VERSIONS).where(_is_version(version)).values(state=ModelState.REJECTED.value)
            )
            _note(connection, version.ref, "rejected", who=who, why=why, at=at, evidence={})
            return _get(connection, version.model, version.version)

    def _advance(
        self,
        version: ModelVersion,
        state: ModelState,
        values: Mapping[str, Any],
        what: str,
        *,
        who: str,
        at: datetime,
        evidence: Mapping[str, Any],
    ) -> ModelVersion:
        with self._database.writing() as connection:
            as_read = _is_version(version) & (MODEL_VERSIONS.c.state == version.state.value)
            moved = connection.execute(update(MODEL_VERSIONS).where(as_read).values(state=state.value, **values))
            if not moved.rowcount:
                raise _moved_meanwhile(_get(connection, version.model, version.version))
            _note(connection, version.ref, what, who=who, why=None, at=at, evidence=evidence)
            return _get(connection, version.model, version.version)

    def serve(
        self,
        before: ServingState,
        after: Mapping[str, Any],
        *,
        version: int,
        what: str,
        who: str,
        why: str,
        at: datetime,
        evidence: Mapping[str, Any],
    ) -> ServingState:
        """Decide who serves, if nobody decided otherwise since.

        Args:
            before: Who served when it was decided.
            after: What changes: ``champion``, ``shadow``, ``canary``, ``canary_share``.
            version: The version that it is about.
            what: The verb of the trail's entry.
            who: The person.
            why: The reason.
            at: When, in UTC.
            evidence: What it was decided by, as JSON.

        Raises:
            LedgerError: No reason, the version that is to serve is no candidate (any more), or somebody decided
                otherwise meanwhile: one of two wins.
        """
        check_reason(why, f"{what} of version {version} of {before.model}")
        with self._database.writing() as connection:
            now = _serving(connection, before.model)
            if now.revision != before.revision:
                raise LedgerError(
                    f"somebody else decided who serves {before.model} meanwhile: version {now.champion} does",
                    way_out=f"look at it, and decide again: readiness model show {before.model}",
                )
            if version in after.values():
                found = _get(connection, before.model, version)
                if found.state is not ModelState.CANDIDATE:
                    raise _moved_meanwhile(found)
            in_force = at if now.decided_at is None else max(at, now.decided_at)
            values = {**after, "revision": before.revision + 1, "decided_at": in_force}
            if before.revision == 0:
                connection.execute(insert(MODELS).values(table_name=str(before.model), served_revision=0, **values))
            else:
                mine = is_table(MODELS, before.model) & (MODELS.c.revision == before.revision)
                connection.execute(update(MODELS).where(mine).values(**values))
            noted = {**evidence, "revision": before.revision + 1, "before": dict(before.serving)}
            _note(connection, version_ref(before.model, version), what, who=who, why=why, at=at, evidence=noted)
            return _serving(connection, before.model)

    def note_served(self, state: ServingState) -> None:
        """Note that a decision has been delivered to the table of what serves."""
        mine = is_table(MODELS, state.model) & (MODELS.c.served_revision < state.revision)
        with self._database.writing() as connection:
            connection.execute(update(MODELS).where(mine).values(served_revision=state.revision))

    def serving(self, model: TableId) -> ServingState:
        """Which versions of a model serve; revision 0 where none ever did."""
        with self._database.reading() as connection:
            return _serving(connection, model)

    def all_serving(self) -> tuple[ServingState, ...]:
        """Which versions serve, of each model of which any ever did."""
        with self._database.reading() as connection:
            names = connection.execute(select(MODELS.c.table_name).order_by(MODELS.c.table_name)).scalars().all()
            return tuple(_serving(connection, TableId.parse(name)) for name in names)

    def get(self, model: TableId, version: int) -> ModelVersion:
        """One version.

        Raises:
            UnknownNameError: The model has no such version; names those it has.
        """
        with self._database.reading() as connection:
            return _get(connection, model, version)

    def versions(self, model: TableId | None = None) -> tuple[ModelVersion, ...]:
        """The versions of a model (of all where none is given), oldest first."""
        query = select(MODEL_VERSIONS).order_by(MODEL_VERSIONS.c.table_name, MODEL_VERSIONS.c.version)
        if model is not None:
            query = query.where(is_table(MODEL_VERSIONS, model))
        with self._database.reading() as connection:
            return tuple(map(_version, connection.execute(query)))

    def history(self, model: TableId, version: int | None = None) -> tuple[TrailEntry, ...]:
        """What happened to a model: to its versions and retrainings (or to one version), oldest first."""
        query = select(TRAIL.c.id, TRAIL.c.batch).where(is_table(TRAIL, model)).order_by(TRAIL.c.id)
        numbers = {one.version for one in self.versions(model)}
        wanted = {f"v{number}" for number in numbers if version in (None, number)}
        with self._database.reading() as connection:
            known = {row.batch for row in connection.execute(query)}
            refs = sorted(one for one in known if one in wanted or (version is None and one.startswith(RETRAINING)))
            entries = [one for batch in refs for one in trail.entries(connection, BatchRef(model, batch), None)]
        return tuple(sorted(entries, key=lambda entry: entry.id))

    def request_retraining(
        self,
        model: TableId,
        *,
        key: str,
        who: str,
        why: str,
        evidence: Mapping[str, Any],
        at: datetime,
        review: bool = False,
    ) -> RetrainingRequest:
        """Keep a request to train a model anew; the same key gives the request that is there.

        Raises:
            LedgerError: No reason.
        """
        check_reason(why, f"the request to train {model} anew")
        state = RetrainingState.WAITING if review else RetrainingState.OPEN
        with self._database.writing() as connection:
            same = select(RETRAININGS).where(is_table(RETRAININGS, model), RETRAININGS.c.key == key)
            if (known := connection.execute(same).one_or_none()) is not None:
                return _retraining(known)
            values = {"key": key, "at": at, "who": who, "why": why, "evidence": dict(evidence), "state": state.value}
            made = connection.execute(insert(RETRAININGS).values(table_name=str(model), **values))
            ref = retraining_ref(model, new_number(made))
            _note(connection, ref, "retraining requested", who=who, why=why, at=at, evidence=evidence)
            return _retraining(connection.execute(same).one())

    def end_retraining(
        self,
        request: int,
        *,
        state: RetrainingState,
        who: str,
        outcome: str,
        at: datetime,
        version: int | None = None,
    ) -> RetrainingRequest:
        """Say what became of a request: allowed (``OPEN``), done, or declined.

        Raises:
            UnknownNameError: No such request.
            LedgerError: No reason, or it has ended.
        """
        check_reason(outcome, f"what became of retraining {request}")
        with self._database.writing() as connection:
            mine = select(RETRAININGS).where(RETRAININGS.c.id == request)
            row = connection.execute(mine).one_or_none()
            if row is None:
                known = connection.execute(select(RETRAININGS.c.id).order_by(RETRAININGS.c.id.desc())).scalars()
                raise UnknownNameError("retraining", str(request), map(str, known))
            if RetrainingState(row.state) in (RetrainingState.DONE, RetrainingState.DECLINED):
                raise LedgerError(
                    f"retraining {request} of {row.table_name} is {row.state}: {row.outcome}",
                    way_out="request another one",
                )
            ended = None if state in (RetrainingState.OPEN, RetrainingState.WAITING) else at
            values = {"state": state.value, "outcome": outcome, "ended_at": ended, "version": version}
            connection.execute(update(RETRAININGS).where(RETRAININGS.c.id == request).values(**values))
            ref = retraining_ref(table_of(row), request)
            what = "retraining allowed" if state is RetrainingState.OPEN else f"retraining {state}"
            _note(connection, ref, what, who=who, why=outcome, at=at, evidence={"version": version})
            return _retraining(connection.execute(mine).one())

    def retrainings(
        self, model: TableId | None = None, *, state: RetrainingState | None = None
    ) -> tuple[RetrainingRequest, ...]:
        """The requests about a model (about all where none is given), oldest first."""
        query = select(RETRAININGS).order_by(RETRAININGS.c.id)
        if model is not None:
            query = query.where(is_table(RETRAININGS, model))
        if state is not None:
            query = query.where(RETRAININGS.c.state == state.value)
        with self._database.reading() as connection:
            return tuple(map(_retraining, connection.execute(query)))


def version_ref(model: TableId, version: int) -> BatchRef:
    """How the trail names a version."""
    return BatchRef(model, f"v{version}")


def retraining_ref(model: TableId, request: int) -> BatchRef:
    """How the trail names a request to train a model anew."""
    return BatchRef(model, f"{RETRAINING}{request}")


def check_reason(why: str, what: str) -> None:
    """Refuse what has no reason.

    Raises:
        LedgerError: There is none.
    """
    if not why.strip():
        raise LedgerError(f"{what} has no reason", way_out='give one: --reason "…"')


def _moved_meanwhile(now: ModelVersion) -> LedgerError:
    return LedgerError(
        f"version {now.version} of {now.model} is {now.state} by now",
        way_out=f"look at it: {model_command('show', now.model, now.version)}",
    )


def _note(
    connection: Connection,
    ref: BatchRef,
    what: str,
    *,
    who: str,
    why: str | None,
    at: datetime,
    evidence: Mapping[str, Any],
) -> None:
    trail.append_entry(connection, ref, at=at, what=what, who=who, why=why, details={"evidence": dict(evidence)})


def _is_version(version: ModelVersion) -> ColumnElement[bool]:
    return is_table(MODEL_VERSIONS, version.model) & (MODEL_VERSIONS.c.version == version.version)


def _get(connection: Connection, model: TableId, version: int) -> ModelVersion:
    query = select(MODEL_VERSIONS).where(is_table(MODEL_VERSIONS, model))
    row = connection.execute(query.where(MODEL_VERSIONS.c.version == version)).one_or_none()
    if row is None:
        known = [str(one.version) for one in connection.execute(query)]
        raise UnknownNameError(f"version of {model}", str(version), known)
    return _version(row)


def _version(row: Any) -> ModelVersion:
    return ModelVersion(
        model=table_of(row),
        version=row.version,
        key=row.key,
        state=ModelState(row.state),
        training_set=row.training_set,
        facts=row.facts,
        used=row.used,
        who=row.who,
        began_at=row.began_at,
        checksum=row.checksum or "",
        artefact=row.artefact or "",
        measured=row.measured or {},
        validation=row.validation or {},
        registry=row.registry or {},
        trained_at=row.trained_at,
    )


def _serving(connection: Connection, model: TableId) -> ServingState:
    row = connection.execute(select(MODELS).where(is_table(MODELS, model))).one_or_none()
    nobody = ServingState(model=model)
    if row is None:
        return nobody
    return replace(
        nobody,
        revision=row.revision,
        champion=row.champion,
        shadow=row.shadow,
        canary=row.canary,
        canary_share=row.canary_share,
        decided_at=row.decided_at,
        served_revision=row.served_revision,
    )


def _retraining(row: Any) -> RetrainingRequest:
    return RetrainingRequest(
        id=row.id,
        model=table_of(row),
        key=row.key,
        at=row.at,
        who=row.who,
        why=row.why,
        evidence=row.evidence,
        state=RetrainingState(row.state),
        version=row.version,
        outcome=row.outcome or "",
        ended_at=row.ended_at,
    )
