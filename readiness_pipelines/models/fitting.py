"""A model trained and measured, as values: what a training run does, without a ledger."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.contracts.classification import Classified
from readiness_pipelines.contracts.models import Model
from readiness_pipelines.contracts.predictors import Predictor, feature_matrix
from readiness_pipelines.errors import DeclarationError, ReadinessError, UnknownNameError
from readiness_pipelines.masking import quoted
from readiness_pipelines.models.metrics import BINARY, Values, check_labels, measure
from readiness_pipelines.models.slices import measure_slices
from readiness_pipelines.products import SPLIT, SYNTHETIC, BuiltTrainingSet, TrainingSplit


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutRows:
    """The rows that models are compared on.

    Attributes:
        rows: The rows.
        actual: Their labels.
    """

    rows: pa.Table
    actual: Values


def fit(model: Model, built: BuiltTrainingSet, *, seed: int, params: Mapping[str, Any]) -> Predictor:
    """Call a model's training function with the rows to learn from.

    Raises:
        DeclarationError: There is no row to learn from, or labels of one class for a metric of classifiers; the
            function breaks, or returns nothing that predicts.
    """
    rows = rows_for(built, TrainingSplit.TRAIN)
    what = str(model.id)
    if not rows.num_rows:
        raise DeclarationError(
            f"training set {built.id} of {built.name} has no row to learn from", way_out=f"readiness status {what}"
        )
    if BINARY & {*model.metrics} and len(rows.column(built.label).unique()) == 1:
        raise DeclarationError(
            f"the {rows.num_rows:,} labels of {what} to learn from are of one class: nothing is learned from them",
            way_out="wait for labels of the other class, or hold out fewer batches",
        )
    given: dict[str, Any] = {
        "rows": rows,
        "features": built.features,
        "label": built.label,
        "seed": seed,
        "params": dict(params),
    }
    if model.given == "matrix":
        given |= {"x": feature_matrix(rows, built.features, what=what), "y": labels_of(rows, built, what=what)}
    wanted = inspect.signature(model.train).parameters
    try:
        made = model.train(**{name: given[name] for name in wanted})
    except (ReadinessError, MemoryError):
        raise
    except Exception as error:
        raise DeclarationError(
            f"the training of {what} breaks: {type(error).__name__}: {quoted(error)}",
            way_out=f"fix {getattr(model.train, '__name__', 'it')} in {model.domain.module}, then train it again",
        ) from error
    if not (callable(made) or any(callable(getattr(made, name, None)) for name in ("predict_proba", "predict"))):
        raise DeclarationError(
            f"the training of {what} returned a {type(made).__name__}, which does not predict",
            way_out="return an object with predict_proba or predict, or a function",
        )
    return Predictor(made=made, features=built.features, given=model.given)


def measured(
    model: Model, built: BuiltTrainingSet, predictor: Predictor, *, classes: Mapping[str, Classified]
) -> Mapping[str, Any]:
    """The metrics of the holdout, in total and by slice, as JSON.

    Raises:
        DeclarationError: There is no holdout, labels that a metric cannot be measured on, or the predictor breaks.
        UnknownNameError: A slice that is not a column of the training set.
    """
    what = str(model.id)
    for name in model.slices:
        if name not in built.rows.column_names:
            raise UnknownNameError(f"column in slices of {what}", name, built.rows.column_names)
    holdout = holdout_of(model, built)
    predicted = predictor.predict(holdout.rows, what=what)
    return {
        "rows": holdout.rows.num_rows,
        "trained_rows": rows_for(built, TrainingSplit.TRAIN).num_rows,
        "positive": float(holdout.actual.mean()),
        "metrics": {name: measure(name, holdout.actual, predicted) for name in model.metrics},
        "slices": measure_slices(
            holdout.rows,
            holdout.actual,
            predicted,
            columns=model.slices,
            metrics=model.metrics,
            classes=classes,
        ),
    }


def holdout_of(model: Model, built: BuiltTrainingSet) -> HeldOutRows:
    """The rows that models are compared on, with their labels.

    Raises:
        DeclarationError: There are none, nobody observed one of them, or labels that a metric cannot be measured on.
    """
    synthetic_rows(built)
    rows = rows_for(built, TrainingSplit.HOLDOUT)
    what = str(model.id)
    if not rows.num_rows:
        raise DeclarationError(
            f"training set {built.id} of {built.name} holds no row out: no model can be compared on it",
            way_out="declare a holdout in the training set",
        )
    actual = labels_of(rows, built, what=what)
    check_labels(actual, model.metrics, what=what)
    return HeldOutRows(rows=rows, actual=actual)


def synthetic_rows(built: BuiltTrainingSet) -> int:
    """How many rows of a training set nobody observed.

    Raises:
        DeclarationError: One of them is not there to learn from: nothing is measured on what nobody observed.
    """
    if SYNTHETIC not in built.rows.column_names:
        return 0
    flagged = built.rows.filter(pc.fill_null(built.rows.column(SYNTHETIC), fill_value=True))
    if flagged.num_rows and pc.any(pc.not_equal(flagged.column(SPLIT), TrainingSplit.TRAIN.value)).as_py():
        raise DeclarationError(
            f"training set {built.id} of {built.name} has synthetic rows in its holdout",
            way_out="leave them to learn from: with_synthetic(…) does",
        )
    return int(flagged.num_rows)


def rows_for(built: BuiltTrainingSet, split: TrainingSplit) -> pa.Table:
    """The rows of a training set that are for one thing, without the column that says so."""
    chosen = built.rows.filter(pc.equal(built.rows.column(SPLIT), split.value))
    return chosen.drop_columns([SPLIT])


def labels_of(rows: pa.Table, built: BuiltTrainingSet, *, what: str) -> Values:
    """The labels as numbers.

    Raises:
        DeclarationError: Labels that are not finite numbers, or are missing.
    """
    column = rows.column(built.label)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise DeclarationError(
            f"the label {built.label!r} of {what} is {kind}, not a number",
            way_out="make it a number, or true and false, in the labels' table",
        )
    if column.null_count:
        raise DeclarationError(
            f"the label {built.label!r} of {what} is missing in {column.null_count:,} rows",
            way_out="a label that is not known yet is waiting, and not in the training set",
        )
    whole = column.cast(pa.int8()) if pa.types.is_boolean(kind) else column
    labels = np.asarray(whole.cast(pa.float64(), safe=False).to_numpy())
    if infinite := int((~np.isfinite(labels)).sum()):
        rows_infinite = f"{infinite:,} {'row' if infinite == 1 else 'rows'}"
        raise DeclarationError(
            f"the label {built.label!r} of {what} is NaN or infinite in {rows_infinite}",
            way_out="let the schema of the labels quarantine such rows, or publish null where it is not known",
        )
    return labels
