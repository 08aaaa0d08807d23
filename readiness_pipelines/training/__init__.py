"""Training sets, built: each label with the features as they were known before it, kept by what it follows from."""

from readiness_pipelines.training.building import build_training_set
from readiness_pipelines.training.exporting import ExportedTrainingSet, export_rows
from readiness_pipelines.training.kept import builds_of, training_set_of

__all__ = ["ExportedTrainingSet", "build_training_set", "builds_of", "export_rows", "training_set_of"]
