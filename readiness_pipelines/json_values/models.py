"""Models, as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.ledger import ModelVersion, RetrainingRequest, ServingState, TrailEntry
from readiness_pipelines.models import ExplainedPrediction, ModelCard, ModelDrift, SupersededBatch


def version_value(version: ModelVersion, state: ServingState, changed: Sequence[SupersededBatch]) -> dict[str, Any]:
    """One version: what it is made of, how good it is, what it does, and what changed since."""
    return {
        "model": str(version.model),
        "version": version.version,
        "state": version.state.value,
        "role": state.role(version.version) or None,
        "training_set": version.training_set,
        "author": version.who,
        "began_at": version.began_at.isoformat(),
        "trained_at": version.trained_at.isoformat() if version.trained_at else None,
        "facts": dict(version.facts),
        "measured": dict(version.measured),
        "validation": dict(version.validation),
        "registry": dict(version.registry),
        "checksum": version.checksum or None,
        "used": [{**one, "snapshot": str(one["snapshot"])} for one in version.used],
        "superseded": list(map(superseded_value, changed)),
    }


def serving_value(state: ServingState) -> dict[str, Any]:
    """Which versions of a model serve."""
    return {
        "model": str(state.model),
        "champion": state.champion,
        "canary": state.canary,
        "canary_share": state.canary_share,
        "shadow": state.shadow,
        "decided_at": state.decided_at.isoformat() if state.decided_at else None,
        "delivered": state.revision == state.served_revision,
    }


def drift_value(found: ModelDrift) -> dict[str, Any]:
    """How a model stands, and what is to be done about it."""
    decision = found.decision
    return {
        "model": str(found.version.model),
        "version": found.version.version,
        "tier": decision.tier.value,
        "step": decision.step.value,
        "why": decision.why,
        "since": list(decision.batches),
        "batches": [{"batch": one.batch, "signs": [asdict(sign) for sign in one.signs]} for one in found.batches],
        "qualities": [{**_batch(seen.ref), **asdict(seen.quality)} for seen in found.qualities],
        "retraining": None if found.request is None else retraining_value(found.request),
    }


def superseded_value(one: SupersededBatch) -> dict[str, Any]:
    """A batch that changed under a model."""
    return {
        **_batch(one.ref),
        "what": one.what,
        "since": one.since.isoformat() if one.since else None,
        "who": one.who or None,
    }


def entry_value(entry: TrailEntry) -> dict[str, Any]:
    """Something that happened to a version."""
    return {
        "at": entry.at.isoformat(),
        "version": int(entry.ref.batch.removeprefix("v")),
        "what": entry.what,
        "who": entry.who,
        "why": entry.why,
        "evidence": entry.details.get("evidence", {}),
    }


def retraining_value(request: RetrainingRequest) -> dict[str, Any]:
    """A request to train a model anew."""
    return {
        "id": request.id,
        "model": str(request.model),
        "key": request.key,
        "at": request.at.isoformat(),
        "who": request.who,
        "why": request.why,
        "evidence": dict(request.evidence),
        "state": request.state.value,
        "version": request.version,
        "outcome": request.outcome or None,
        "ended_at": request.ended_at.isoformat() if request.ended_at else None,
    }


def explained_value(found: ExplainedPrediction) -> dict[str, Any]:
    """Where a prediction comes from; the row itself is as ``readiness lineage row`` has it."""
    version, file = found.version, found.custody.file
    return {
        "prediction": found.id,
        "model": str(version.model),
        "version": version.version,
        "role": found.role,
        "checksum": version.checksum,
        "training_set": version.training_set,
        "row": {
            **_batch(found.custody.ref),
            "row": found.custody.row,
            "file": file.origin.name if file else None,
            "made_of": [{**_batch(one.ref), "snapshot": str(one.snapshot)} for one in found.custody.made_of],
        },
        "learned_from": [
            {
                **_batch(one.ref),
                "snapshot": str(one.snapshot),
                "gate": one.gate,
                "decisions": list(one.decisions),
                "files": [{"name": origin.name, "checksum": origin.fingerprint} for origin in one.origins],
                "stewards": list(one.stewards),
            }
            for one in found.learned_from
        ],
        "superseded": list(map(superseded_value, found.changed)),
    }


def card_value(card: ModelCard) -> dict[str, Any]:
    """A model's card."""
    return {
        "model": str(card.model),
        "version": card.version,
        "role": card.role,
        "risk": card.risk.value,
        "at": card.at.isoformat(),
        "tables": {one.key: [dict(zip(one.head, row, strict=True)) for row in one.rows] for one in card.tables},
        "form": [
            {
                "key": one.key,
                "place": one.place,
                "question": one.question,
                "answer": one.answer,
                "evidence": list(one.evidence),
            }
            for one in card.form
        ],
    }


def _batch(ref: BatchRef) -> Mapping[str, Any]:
    return {"table": str(ref.table), "batch": ref.batch}
