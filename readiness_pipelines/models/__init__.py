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
    from readiness_pipelines.models.drift import (
        ModelDrift,
        SeenQuality,
        act_on_drift,
        look_at_drift,
        waiting_reviews,
    )
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
    from readiness_pipelines.models.explaining import ExplainedPrediction, LearnedFrom, explain_prediction, learned_from
    from readiness_pipelines.models.labelling import label_tasks
    from readiness_pipelines.models.quality import BatchQuality, estimated_quality, measured_quality
    from readiness_pipelines.models.retraining import (
        allow_retraining,
        decline_retraining,
        end_retrainings,
        open_retrainings,
        request_retraining,
    )
    from readiness_pipelines.models.scored import Outcomes
    from readiness_pipelines.models.serving import serve_decided
    from readiness_pipelines.models.sets import built_for
    from readiness_pipelines.models.superseded import (
        SupersededBatch,
        affected_versions,
        changes_since,
        changes_under,
        superseded_models,
    )
    from readiness_pipelines.models.synthetic import RowMaker, Smote, SyntheticTrial, try_synthetic, with_synthetic
    from readiness_pipelines.models.training import train_model
else:
    import_on_demand(__name__)

__all__ = [
    "NO_EVIDENCE",
    "BatchQuality",
    "CardAnswer",
    "CardTable",
    "DriftDecision",
    "DriftSign",
    "DriftStep",
    "DriftSubject",
    "DriftTier",
    "DriftingBatch",
    "EarlierRetraining",
    "ExplainedPrediction",
    "LearnedFrom",
    "ModelCard",
    "ModelDrift",
    "Outcomes",
    "RowMaker",
    "SeenQuality",
    "ServingDecision",
    "Smote",
    "SupersededBatch",
    "SyntheticTrial",
    "act_on_drift",
    "affected_versions",
    "allow_retraining",
    "built_for",
    "canary_model",
    "changes_since",
    "changes_under",
    "decide_about_drift",
    "decline_retraining",
    "end_retrainings",
    "estimated_quality",
    "explain_prediction",
    "former_champions",
    "label_tasks",
    "learned_from",
    "look_at_drift",
    "measured_quality",
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
    "try_synthetic",
    "waiting_reviews",
    "with_synthetic",
    "withdraw_model",
]
