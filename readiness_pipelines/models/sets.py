"""The training set of a model, built as its declaration says."""

from readiness_pipelines.contracts.models import Model
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.products import BuiltTrainingSet


def built_for(model: Model, *, installation: Installation) -> BuiltTrainingSet:
    """Build a model's training set, as the tables are now.

    Raises:
        DeclarationError: The model names nothing that can be built.
    """
    if isinstance(model.training, BuiltTrainingSet):
        return model.training
    made = model.training(installation) if callable(model.training) else None
    if not isinstance(made, BuiltTrainingSet):
        raise DeclarationError(
            f"the training set of {model.id} is a {type(model.training).__name__}",
            way_out="give what domain.training_set(…) gave",
        )
    return made
