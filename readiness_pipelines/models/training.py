"""One training: intended in the ledger, trained, kept, registered, compared. Killed anywhere, it goes on from there.

The ledger comes first at every step: it knows a version before its artefact is written, and its key before MLflow does.
The next training of the same code, training set, seed and parameters finds the version by that key, and takes the steps
that are left.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Model, TrainingSet
from readiness_pipelines.durations import format_duration
from readiness_pipelines.gates.versions.fingerprint import fingerprint
from readiness_pipelines.gates.versions.functions import function_code
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ModelState, ModelVersion, NewModelVersion
from readiness_pipelines.models.artefacts import artefact_address, keep_artefact
from readiness_pipelines.models.classes import slice_classes
from readiness_pipelines.models.environment import code_commit, libraries
from readiness_pipelines.models.fitting import fit, measured, synthetic_rows
from readiness_pipelines.models.registry import check_registry, register
from readiness_pipelines.models.validating import compared_with_champion
from readiness_pipelines.products import BuiltTrainingSet, UsedBatch

TRAINING = "training"
"""The turn that a training holds: one process at a time trains a model."""


def train_model(
    model: Model,
    built: BuiltTrainingSet,
    *,
    installation: Installation,
    run: Run,
    seed: int | None = None,
    params: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Train a candidate, register it, and compare it with the champion. It serves nobody before it is promoted.

    The same code, training set, seed and parameters give the version that is there: training twice equals training
    once, also after a crash.

    Args:
        model: The model.
        built: The training set's rows.
        installation: Where the ledger and the warehouse are.
        run: Who trains, which makes them its author, and when.
        seed: What random numbers begin with; the model's own where none is given.
        params: Parameters in place of the model's own of the same names.

    Returns:
        The version, a candidate (or rejected, where somebody rejected it before).

    Raises:
        DeclarationError: The function breaks or returns nothing that predicts, there is no holdout, or MLflow is not
            installed.
        UnknownNameError: A slice or parameter that there is none of.
        LakehouseError: The artefact cannot be kept, or MLflow cannot be reached: what was trained is kept.
        LakehouseBusyError: Another process trains the model.
        LedgerError: Somebody rejected the version while it was trained.
    """
    check_registry(installation.mlflow_uri)
    chosen = model.seed if seed is None else seed
    given = {**model.params, **(params or {})}
    with installation.lakehouse.turn(str(model.id), TRAINING, run_id=run.run_id):
        new = _intended(model, built, seed=chosen, params=given, installation=installation, who=run.who)
        version = installation.ledger.models.begin(new, at=run.clock())
        if version.state is ModelState.TRAINING:
            version = _trained(version, model, built, seed=chosen, params=given, installation=installation, run=run)
        if version.state is ModelState.TRAINED:
            where = artefact_address(version, installation=installation)
            registry = register(version, uri=installation.mlflow_uri, address=where)
            version = installation.ledger.models.note_registered(
                version, registry=registry, who=run.who, at=run.clock()
            )
        if version.state is ModelState.CANDIDATE:
            version = compared_with_champion(model, version, built, installation=installation, run=run)
    return version


def _trained(
    version: ModelVersion,
    model: Model,
    built: BuiltTrainingSet,
    *,
    seed: int,
    params: Mapping[str, Any],
    installation: Installation,
    run: Run,
) -> ModelVersion:
    """The version, trained, measured and kept."""
    predictor = fit(model, built, seed=seed, params=params)
    found = measured(model, built, predictor, classes=slice_classes(model, built))
    found = {**found, "libraries": libraries(predictor.made)}
    checksum, artefact = keep_artefact(
        predictor.to_bytes(), model=model.id, version=version.version, installation=installation
    )
    return installation.ledger.models.note_trained(
        version, checksum=checksum, artefact=artefact, measured=found, who=run.who, at=run.clock()
    )


def _intended(
    model: Model,
    built: BuiltTrainingSet,
    *,
    seed: int,
    params: Mapping[str, Any],
    installation: Installation,
    who: str,
) -> NewModelVersion:
    """What is known of a version before it is trained."""
    code = fingerprint(function_code(model.train))
    told = json.dumps([str(model.id), built.id, code, seed, params, model.slices, model.metrics], default=repr)
    counts = built.counts
    contents = installation.ledger.contents({one.table for one in built.used})

    def digest(one: UsedBatch) -> str:
        kept = contents.get(BatchRef(one.table, one.batch))
        return kept.digest if kept is not None and kept.snapshot == one.snapshot else ""

    return NewModelVersion(
        model=model.id,
        key=sha256(told.encode()).hexdigest(),
        training_set=built.id,
        facts={
            "commit": code_commit(model.domain.folder),
            "code": code,
            "seed": seed,
            "params": {name: _plain(value) for name, value in params.items()},
            "given": model.given,
            "risk": model.risk.value,
            "training_set": {
                "name": str(built.name),
                "entity": list(built.entity),
                "label": built.label,
                "features": list(built.features),
                "built_at": built.built_at.isoformat(),
                "labels": counts.labels,
                "trained": counts.trained,
                "held_out": counts.held_out,
                "waiting": dict(counts.waiting),
                "excluded": dict(counts.excluded),
                "synthetic": synthetic_rows(built),
                "declared": _declared(model.training),
            },
        },
        used=[
            {
                "table": str(one.table),
                "batch": one.batch,
                "snapshot": one.snapshot,
                "digest": digest(one),
                "gate": one.gate,
                "decisions": list(one.decisions),
            }
            for one in built.used
        ],
        who=who,
    )


def _declared(training: Any) -> Mapping[str, str]:
    """What the declaration of a training set says of it, for its datasheet."""
    if not isinstance(training, TrainingSet):
        return {}
    said = {
        "what for": training.description,
        "owner": training.owner,
        "version": training.version,
        "labels of": str(training.labels.id),
        "features of": ", ".join(map(str, training.features)),
        "a label is known after": format_duration(training.label_delay) if training.label_delay else "",
        "holdout": str(training.holdout or "none"),
        "gold sets, which nothing learns from": ", ".join(str(table.id) for table in training.gold),
    }
    return {name: text for name, text in said.items() if text}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | type(None)) else repr(value)
