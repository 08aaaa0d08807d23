"""A model watched: signs of drift from its tables' findings and its quality, and what is done about them.

What is found about the rows that a model scores, and about its predictions, are the findings of those tables: a batch
that somebody called normal is no sign, and neither is what the version that serves learned from already. A batch that
is held is not scored, and nothing is held against the world by it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.contracts import DerivedTable, Table, TrainingSet, answers_for, downstream
from readiness_pipelines.contracts.models import Model
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import (
    BatchFinding,
    Finding,
    FindingKind,
    FoundFinding,
    ModelVersion,
    RetrainingRequest,
    RetrainingState,
    Severity,
)
from readiness_pipelines.models.artefacts import predictor_of
from readiness_pipelines.models.calibrating import Calibrator, calibrated
from readiness_pipelines.models.drift_actions import (
    DriftDecision,
    DriftingBatch,
    DriftSign,
    DriftStep,
    DriftSubject,
    DriftTier,
    EarlierRetraining,
    decide_about_drift,
)
from readiness_pipelines.models.fitting import holdout_of
from readiness_pipelines.models.quality import (
    ESTIMATED,
    BatchQuality,
    estimated_quality,
    measured_quality,
    quality_sign,
)
from readiness_pipelines.models.retraining import request_retraining
from readiness_pipelines.models.scored import PREDICTION, Outcomes, scored_batch, scored_tables
from readiness_pipelines.names import TableId
from readiness_pipelines.products import BuiltTrainingSet
from readiness_pipelines.recent import Recent
from readiness_pipelines.training import training_set_of

MOST_BATCHES = 12
"""So many of the newest batches are looked at: drift is about now."""

MOSTLY = 0.5
"""With labels of so many of its rows, a batch's quality is measured, and not estimated any more."""


_CALIBRATORS: Recent[str, Calibrator] = Recent(most=64)
"""By the artefact's checksum: each look needs them, and they never change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenQuality:
    """How good a batch's predictions are, and whether that is a sign of drift.

    Attributes:
        ref: The batch, of the table of predictions.
        quality: How good they are.
        sign: What of that is drift; ``None`` where nothing is.
        normal: Whether somebody called that normal.
    """

    ref: BatchRef
    quality: BatchQuality
    sign: DriftSign | None
    normal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDrift:
    """How a model stands that serves.

    Attributes:
        version: The version that serves.
        batches: Its batches, oldest first, with what is not as it knows it.
        qualities: How good it was, or is estimated to be, in each batch of each table of its predictions.
        decision: What is to be done.
        request: The retraining, or review, that was wanted for it; ``None`` where none was, or nobody acted yet.
    """

    version: ModelVersion
    batches: tuple[DriftingBatch, ...]
    qualities: tuple[SeenQuality, ...]
    decision: DriftDecision
    request: RetrainingRequest | None = None


def look_at_drift(
    model: Model,
    *,
    installation: Installation,
    run: Run,
    outcomes: Outcomes | None = None,
    built: BuiltTrainingSet | None = None,
) -> ModelDrift | None:
    """See whether a model drifts. Nothing is written.

    Args:
        model: The model.
        installation: Where the ledger and the tables are.
        run: The time.
        outcomes: Where it is written what happened; the labels of the model's training set, unless given.
        built: The training set of the version that serves, by whose holdout scores become probabilities; the one that
            is kept, unless given. Where there is none, nothing is estimated.

    Returns:
        ``None`` where no version serves.

    Raises:
        LedgerError: The ledger cannot be reached.
        LakehouseError: A table or artefact cannot be read.
    """
    state = installation.ledger.models.serving(model.id)
    if state.champion is None:
        return None
    version = installation.ledger.models.get(model.id, state.champion)
    calibrator = _calibrator(model, version, built, installation)
    watched = _Watched(model, version, outcomes or _outcomes(model), calibrator, installation)
    places: dict[str, tuple[float, str]] = {}
    signs: dict[str, set[DriftSign]] = {}
    qualities: list[SeenQuality] = []
    for scored, rows in scored_tables(model):
        for batch in watched.batches(scored):
            places[batch] = scored.batches.order(batch)
            for seen in watched.qualities(scored, batch):
                qualities.append(seen)
                signs.setdefault(batch, set()).update([seen.sign] if seen.sign and not seen.normal else ())
        for batch, sign in watched.found_signs(scored, rows):
            signs.setdefault(batch, set()).add(sign)
    batches = tuple(
        DriftingBatch(batch=batch, signs=tuple(sorted(signs.get(batch, ()))))
        for batch in sorted(places, key=places.__getitem__)
    )
    decision = decide_about_drift(
        batches,
        inputs=len(watched.features),
        response=model.drift,
        earlier=tuple(_earlier(model, installation)),
        now=run.clock(),
    )
    return ModelDrift(version=version, batches=batches, qualities=tuple(qualities), decision=decision)


def act_on_drift(
    model: Model,
    *,
    installation: Installation,
    run: Run,
    outcomes: Outcomes | None = None,
    built: BuiltTrainingSet | None = None,
) -> ModelDrift | None:
    """See whether a model drifts, and want it trained anew, or reviewed by a person, as its page says.

    It trains nothing by itself: the request is kept, with the evidence, in the ledger and its trail. Looking twice at
    the same batches wants the same once. A batch whose predictions are worse has a finding that says so.

    Args:
        model: The model.
        installation: Where the ledger and the tables are.
        run: Who looks, and when.
        outcomes: As for `look_at_drift`.
        built: As for `look_at_drift`.

    Raises:
        LedgerError: The ledger cannot be reached.
        LakehouseError: A table or artefact cannot be read.
    """
    found = look_at_drift(model, installation=installation, run=run, outcomes=outcomes, built=built)
    for seen in found.qualities if found is not None else ():
        _tell(seen, installation=installation, run=run)
    if found is None or found.decision.step not in (DriftStep.RETRAIN, DriftStep.REVIEW):
        return found
    decision = found.decision
    request = request_retraining(
        model,
        key=f"drift of version {found.version.version} until {decision.batches[-1]}",
        why=decision.why,
        evidence={
            "tier": decision.tier.value,
            "version": found.version.version,
            "batches": list(decision.batches),
            "signs": [asdict(sign) for sign in decision.signs],
        },
        installation=installation,
        run=run,
        review=decision.step is DriftStep.REVIEW,
    )
    return replace(found, request=request)


@dataclass(frozen=True, slots=True)
class _Watched:
    """The version that serves, and by what it is watched."""

    model: Model
    version: ModelVersion
    outcomes: Outcomes | None
    calibrator: Calibrator | None
    installation: Installation

    @property
    def features(self) -> frozenset[str]:
        return frozenset(self.version.facts.get("training_set", {}).get("features", ()))

    @property
    def holdout_metric(self) -> float | None:
        found: Any = self.version.measured.get("metrics", {}).get(self.model.promote.metric)
        return None if found is None else float(found)

    def batches(self, scored: DerivedTable) -> Sequence[str]:
        """The newest batches that were first published since the version was trained: it did not learn from them."""
        shown = self.installation.ledger.publications(tables=[scored.id]).get(scored.id, ())
        since = self.version.trained_at or self.version.began_at
        return in_order(scored.batches, {one.batch for one in shown if one.first_at >= since})[-MOST_BATCHES:]

    def found_signs(self, scored: DerivedTable, rows: Table) -> Iterator[tuple[str, DriftSign]]:
        """What was found about the model's inputs and predictions, without what it learned from already."""
        found = [
            one
            for one in self.installation.ledger.findings.of(tables={scored.id, rows.id})
            if one.finding.kind is FindingKind.DISTRIBUTION and one.normal_at is None
        ]
        learned = self._learned(found)
        for one in found:
            column, seen = one.finding.column or "", one.finding.seen
            if learned.get((one.ref.table, column), 0) >= self.model.drift.after:
                continue
            if one.ref.table == scored.id and column == PREDICTION:
                yield one.ref.batch, DriftSign(subject=DriftSubject.PREDICTION, column=column, seen=seen)
            if one.ref.table == rows.id and column in self.features:
                yield one.ref.batch, DriftSign(subject=DriftSubject.INPUT, column=column, seen=seen)

    def qualities(self, scored: DerivedTable, batch: str) -> Iterator[SeenQuality]:
        """How good a batch's predictions were; or, as long as most labels are not there, are estimated to be."""
        metric, ref = self.model.promote.metric, BatchRef(scored.id, batch)
        if self.calibrator is None and self.outcomes is None:
            return
        one = scored_batch(
            scored,
            batch,
            version=self.version.version,
            outcomes=self.outcomes,
            installation=self.installation,
        )
        if len(one.actual) >= MOSTLY * len(one.predicted) > 0:
            quality = measured_quality(batch, metric, one.actual, one.labelled)
        elif self.calibrator is not None:
            quality = estimated_quality(batch, metric, one.predicted, self.calibrator)
        else:
            return
        sign = quality_sign(quality, holdout=self.holdout_metric, margin=self.model.promote.by)
        known = _told(ref, self.installation)
        normal = any(found.normal_at is not None and found.finding.measured == _measured(sign) for found in known)
        yield SeenQuality(ref=ref, quality=quality, sign=sign, normal=normal)

    def _learned(self, found: Iterable[FoundFinding]) -> Mapping[tuple[TableId, str], int]:
        """In how many of the batches that the version learned from something was found about a column."""
        used = {(TableId.parse(one["table"]), one["batch"]) for one in self.version.used}
        batches: dict[tuple[TableId, str], set[str]] = {}
        for one in found:
            if (one.ref.table, one.ref.batch) in used:
                batches.setdefault((one.ref.table, one.finding.column or ""), set()).add(one.ref.batch)
        return {about: len(names) for about, names in batches.items()}


def _outcomes(model: Model) -> Outcomes | None:
    """Where the labels of a model's training set come from, if it has one of ours."""
    training = model.training
    if not isinstance(training, TrainingSet):
        return None
    return Outcomes(table=training.labels, label=training.label, on=training.entity)


def _calibrator(
    model: Model, version: ModelVersion, built: BuiltTrainingSet | None, installation: Installation
) -> Calibrator | None:
    """How the version's scores become probabilities, by its own holdout."""
    if model.promote.metric not in ESTIMATED:
        return None
    if built is not None and built.id == version.training_set:
        return _calibrated(model, version, built, installation)
    if installation.ledger.training_sets.get(version.training_set) is None:
        return None  # it was made by hand
    if (known := _CALIBRATORS.find(version.checksum)) is not None:
        return known
    kept = training_set_of(installation, version.training_set)
    return _CALIBRATORS.keep(version.checksum, _calibrated(model, version, kept, installation))


def _calibrated(model: Model, version: ModelVersion, built: BuiltTrainingSet, installation: Installation) -> Calibrator:
    holdout = holdout_of(model, built)
    scores = predictor_of(version, installation=installation).predict(holdout.rows, what=str(version.ref))
    return calibrated(scores, holdout.actual)


def _tell(seen: SeenQuality, *, installation: Installation, run: Run) -> None:
    """Keep that a batch's predictions are worse as a finding about it; nothing is written twice."""
    finding = None
    if seen.sign is not None:
        finding = BatchFinding(
            kind=FindingKind.QUALITY,
            measured=_measured(seen.sign),
            column=None,
            promised=f"{seen.quality.metric} as on the holdout",
            seen=seen.sign.seen,
        )
    known = [one.finding for one in _told(seen.ref, installation)]
    if known != ([finding] if finding else []):
        found = {FindingKind.QUALITY: [finding] if finding else []}
        installation.ledger.findings.replace(seen.ref, found, at=run.clock())


def _told(ref: BatchRef, installation: Installation) -> list[FoundFinding]:
    return [one for one in installation.ledger.findings.of(batch=ref) if one.finding.kind is FindingKind.QUALITY]


def _measured(sign: DriftSign | None) -> str:
    return f"{sign.subject}: {sign.column}" if sign is not None else ""


def waiting_reviews(tables: Mapping[TableId, Table], *, installation: Installation) -> Iterator[Finding]:
    """One finding for each model of which a person has to say whether it is trained anew: it waits for that.

    Args:
        tables: The tables that are looked at, with those of what serves among them.
        installation: Where the ledger is.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    waiting = installation.ledger.models.retrainings(state=RetrainingState.WAITING)
    for model in dict.fromkeys(one.model for one in waiting if one.model in tables):
        first, *others = [one for one in waiting if one.model == model]
        severe = first.evidence.get("tier") == DriftTier.SEVERE
        yield Finding(
            kind=FindingKind.DRIFT,
            severity=Severity.ERROR if severe else Severity.WARN,
            table=model,
            batch=None,
            promised="the model still knows the world that it scores",
            seen=first.why + (f", and {len(others)} more" if others else ""),
            since=first.at,
            details=tuple(_text(sign) for sign in first.evidence.get("signs", ()) if sign.get("seen")),
            way_out=f'readiness model allow {first.id} --reason "…"',
            answers=answers_for(tables[model]),
            at_risk=(str(model), *(str(one.id) for one in downstream(tables[model]))),
        )


def _text(sign: Mapping[str, Any]) -> str:
    """A sign of a request's evidence, for people."""
    if "subject" not in sign or "column" not in sign:
        return str(sign["seen"])
    return DriftSign(subject=DriftSubject(sign["subject"]), column=sign["column"], seen=sign["seen"]).text


def _earlier(model: Model, installation: Installation) -> Iterator[EarlierRetraining]:
    """The retrainings that were wanted; those that a person declined cool down, too."""
    for one in installation.ledger.models.retrainings(model.id):
        running = one.state in (RetrainingState.OPEN, RetrainingState.WAITING)
        yield EarlierRetraining(at=one.at, running=running)
