"""The training set of a model: built as the tables are now, or as it was when a version was trained on it."""

from readiness_pipelines.contracts import Model, TrainingSet
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ModelVersion
from readiness_pipelines.products import BuiltTrainingSet
from readiness_pipelines.training import build_training_set, training_set_of


def built_for(model: Model, *, installation: Installation, run: Run) -> BuiltTrainingSet:
    """Build a model's training set, as the tables are now.

    Raises:
        DeclarationError: The model names nothing that can be built.
        UpstreamNotPublishedError: The table of labels has nothing published.
        LakehouseError: A table cannot be read or written.
    """
    match model.training:
        case TrainingSet():
            return build_training_set(installation, model.training, run=run)
        case BuiltTrainingSet():
            return model.training
        case made if callable(made) and isinstance(found := made(installation), BuiltTrainingSet):
            return found
        case _:
            raise DeclarationError(
                f"the training set of {model.id} is a {type(model.training).__name__}",
                way_out="give what domain.training_set(…) gave",
            )


def built_as_of(model: Model, version: ModelVersion, *, installation: Installation, run: Run) -> BuiltTrainingSet:
    """The training set that a version was trained on, as it was kept; where it was not, as the tables are now.

    Raises:
        DeclarationError: The model names nothing that can be built.
        LakehouseError: A table cannot be read or written.
    """
    try:
        return training_set_of(installation, version.training_set)
    except UnknownNameError:
        return built_for(model, installation=installation, run=run)
