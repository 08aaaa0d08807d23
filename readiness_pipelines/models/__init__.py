"""Models: trained, registered, compared, promoted, served; told when the data under them changes."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.models.cards import NO_EVIDENCE, CardAnswer, CardTable, ModelCard, model_card
    from readiness_pipelines.models.deciding import (
        ServingDecision,
        canary_model,
        former_champions,
        promote_model,
        reject_model,
        rollback_model,
        shadow_model,
        withdraw_model,
    )
    from readiness_pipelines.models.explaining import ExplainedPrediction, LearnedFrom, explain_prediction, learned_from
    from readiness_pipelines.models.retraining import (
        allow_retraining,
        decline_retraining,
        end_retrainings,
        open_retrainings,
        request_retraining,
    )
    from readiness_pipelines.models.serving import serve_decided
    from readiness_pipelines.models.sets import built_for
    from readiness_pipelines.models.superseded import (
        SupersededBatch,
        affected_versions,
        changes_under,
        superseded_models,
    )
    from readiness_pipelines.models.training import train_model
else:
    import_on_demand(__name__)

__all__ = [
    "NO_EVIDENCE",
    "CardAnswer",
    "CardTable",
    "ExplainedPrediction",
    "LearnedFrom",
    "ModelCard",
    "ServingDecision",
    "SupersededBatch",
    "affected_versions",
    "allow_retraining",
    "built_for",
    "canary_model",
    "changes_under",
    "decline_retraining",
    "end_retrainings",
    "explain_prediction",
    "former_champions",
    "learned_from",
    "model_card",
    "open_retrainings",
    "promote_model",
    "reject_model",
    "request_retraining",
    "rollback_model",
    "serve_decided",
    "shadow_model",
    "superseded_models",
    "train_model",
    "withdraw_model",
]
