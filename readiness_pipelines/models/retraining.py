"""Requests to train a model anew: kept in the ledger, with who, why and what was seen; the same one once."""

from collections.abc import Mapping
from typing import Any

from readiness_pipelines.contracts.models import Model
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ModelVersion, RetrainingRequest, RetrainingState


def request_retraining(
    model: Model,
    *,
    key: str,
    why: str,
    evidence: Mapping[str, Any],
    installation: Installation,
    run: Run,
    review: bool = False,
) -> RetrainingRequest:
    """Keep a request to train a model anew. It trains nothing by itself.

    Args:
        model: The model.
        key: What tells this request from others: the same key gives the request that is there, also one that has ended.
        why: The reason.
        evidence: What was seen, as JSON: findings, batches, numbers. No value of a classified column.
        installation: Where the ledger is.
        run: Who wants it, and when.
        review: Whether a person has to allow it first.

    Raises:
        LedgerError: No reason.
    """
    return installation.ledger.models.request_retraining(
        model.id, key=key, who=run.who, why=why, evidence=evidence, at=run.clock(), review=review
    )


def allow_retraining(request: int, *, why: str, installation: Installation, run: Run) -> RetrainingRequest:
    """Let a request that waited for a person be carried out.

    Raises:
        UnknownNameError: No such request.
        LedgerError: No reason, or it has ended.
    """
    return installation.ledger.models.end_retraining(
        request, state=RetrainingState.OPEN, who=run.who, outcome=why, at=run.clock()
    )


def decline_retraining(request: int, *, why: str, installation: Installation, run: Run) -> RetrainingRequest:
    """Say that a model is not trained anew for a request.

    Raises:
        UnknownNameError: No such request.
        LedgerError: No reason, or it has ended.
    """
    return installation.ledger.models.end_retraining(
        request, state=RetrainingState.DECLINED, who=run.who, outcome=why, at=run.clock()
    )


def open_retrainings(model: Model, *, installation: Installation) -> tuple[RetrainingRequest, ...]:
    """The requests about a model that may be carried out now, oldest first."""
    return installation.ledger.models.retrainings(model.id, state=RetrainingState.OPEN)


def end_retrainings(
    model: Model, version: ModelVersion, *, installation: Installation, run: Run
) -> tuple[RetrainingRequest, ...]:
    """Note that a training answered all open requests about a model; those that it answered."""
    outcome = f"version {version.version} was trained on {version.training_set}"
    return tuple(
        installation.ledger.models.end_retraining(
            one.id,
            state=RetrainingState.DONE,
            who=run.who,
            outcome=outcome,
            at=run.clock(),
            version=version.version,
        )
        for one in open_retrainings(model, installation=installation)
        if version.began_at >= one.at or version.trained_at is None or version.trained_at >= one.at
    )
