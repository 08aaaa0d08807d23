"""Rows that nobody observed, for labels that are sparse: flagged, learned from, and accepted only where they help.

A model that learned from them is held against one that did not, on the holdout, which is real; both are kept in the
ledger, and so is how they compared. Where the synthetic rows do not make it better, beyond chance, the model is
rejected.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from readiness_pipelines.contracts.models import Model
from readiness_pipelines.contracts.predictors import feature_matrix
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ModelVersion
from readiness_pipelines.models.artefacts import predictor_of
from readiness_pipelines.models.comparing import compare
from readiness_pipelines.models.deciding import reject_model
from readiness_pipelines.models.fitting import holdout_of, rows_for, synthetic_rows
from readiness_pipelines.models.training import train_model
from readiness_pipelines.products import SPLIT, SYNTHETIC, BuiltTrainingSet, TrainingSplit


class RowMaker(Protocol):
    """Makes rows like those that it is given: SMOTE (`Smote`), a synthesizer of SDV, or a function of one's own.

    Attributes:
        name: What it is, with its parameters; part of the training set's id.
    """

    @property
    def name(self) -> str:
        """What it is, with its parameters."""
        ...

    def make(self, rows: pa.Table, *, label: str, features: tuple[str, ...], seed: int) -> pa.Table:
        """New rows only, with the label and the features; other columns are dropped."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Smote:
    """New rows between neighbours of the rarer class (Chawla et al., JAIR 2002), by imbalanced-learn.

    Attributes:
        neighbours: Of so many neighbours one is chosen.
        ratio: So many rows of the rarer class there are afterwards, for each of the other.
    """

    neighbours: int = 5
    ratio: float = 1.0

    @property
    def name(self) -> str:
        """What it is, with its parameters."""
        return f"SMOTE, {self.neighbours} neighbours, ratio {self.ratio:g}"

    def make(self, rows: pa.Table, *, label: str, features: tuple[str, ...], seed: int) -> pa.Table:
        """New rows of the rarer class; whole numbers are rounded.

        Raises:
            DeclarationError: imbalanced-learn is not installed, a feature is no number or missing, or the rarer class
                has too few rows.
        """
        try:
            from imblearn.over_sampling import SMOTE  # noqa: PLC0415  # only who makes rows loads it
        except ImportError as error:
            raise DeclarationError(
                "SMOTE needs imbalanced-learn", way_out="pip install 'readiness-pipelines[synthetic]'"
            ) from error
        x = feature_matrix(rows, features, what="SMOTE")
        y = np.asarray(rows.column(label).cast(pa.float64(), safe=False).to_numpy())
        if np.isnan(x).any():
            raise DeclarationError(
                "SMOTE cannot work with missing features", way_out="fill them in the features, or take another way"
            )
        try:
            maker = SMOTE(k_neighbors=self.neighbours, sampling_strategy=self.ratio, random_state=seed)
            new_x, new_y = (found[len(x) :] for found in maker.fit_resample(x, y))
        except ValueError as error:
            raise DeclarationError(
                f"SMOTE cannot make rows of these: the rarer class has {int(min(y.sum(), len(y) - y.sum())):,} rows",
                way_out=f"take fewer neighbours than {self.neighbours}, and a ratio over the one that is there",
            ) from error
        columns = {name: _as(new_x[:, place], rows.schema.field(name).type) for place, name in enumerate(features)}
        return pa.table({**columns, label: _as(new_y, rows.schema.field(label).type)})


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticTrial:
    """A model with synthetic rows, held against the same without.

    Attributes:
        without: The version that learned from real rows alone.
        trial: The version that learned from the synthetic ones, too; rejected, where they do not help.
        accepted: Whether they help: on the real holdout, at the promotion rule's confidence.
        comparison: How both compared, as the ledger keeps it.
    """

    without: ModelVersion
    trial: ModelVersion
    accepted: bool
    comparison: Mapping[str, Any]


def with_synthetic(built: BuiltTrainingSet, maker: RowMaker, *, seed: int = 0) -> BuiltTrainingSet:
    """A training set with synthetic rows to learn from, flagged in ``_synthetic``. Its holdout stays as it is.

    Args:
        built: The training set, without synthetic rows.
        maker: Makes the rows, from those to learn from; it is not shown the holdout.
        seed: What random numbers begin with.

    Returns:
        A training set with an id of its own: the same rows and maker, the same id. Its counts are of labels, which are
        real.

    Raises:
        DeclarationError: Rows that lack a column, have another type, or cannot be made.
    """
    real = rows_for(built, TrainingSplit.TRAIN)
    made = maker.make(real, label=built.label, features=built.features, seed=seed)
    wanted = (*built.features, built.label)
    try:
        made = made.select(list(wanted)).cast(pa.schema([built.rows.schema.field(name) for name in wanted]))
    except (KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:  # no column, value or cast
        raise DeclarationError(
            f"{maker.name} made rows that are not like those of {built.name}: {type(error).__name__}",
            way_out=f"give the columns {', '.join(wanted)}, of the types of the training set",
        ) from error
    flagged = built.rows.append_column(SYNTHETIC, pa.repeat(pa.scalar(value=False), built.rows.num_rows))
    columns = {
        field.name: made.column(field.name) if field.name in wanted else pa.nulls(made.num_rows, field.type)
        for field in built.rows.schema
    }
    columns[SPLIT] = pa.repeat(pa.scalar(TrainingSplit.TRAIN.value, built.rows.schema.field(SPLIT).type), made.num_rows)
    columns[SYNTHETIC] = pa.repeat(pa.scalar(value=True), made.num_rows)
    told = json.dumps([built.id, maker.name, seed, _digest(made)])
    return replace(
        built,
        id=hashlib.sha256(told.encode()).hexdigest(),
        rows=pa.concat_tables([flagged, pa.table(columns, schema=flagged.schema)]),
    )


def try_synthetic(
    model: Model,
    built: BuiltTrainingSet,
    maker: RowMaker,
    *,
    installation: Installation,
    run: Run,
    seed: int = 0,
) -> SyntheticTrial:
    """Train a model with synthetic rows and without, and reject it where they do not make it better on real rows.

    Better means: at the confidence of the model's promotion rule, the metric with them is over the one without, by
    bootstrap of the same real rows.

    Args:
        model: The model.
        built: The training set, of real rows.
        maker: Makes the synthetic rows.
        installation: Where the ledger is.
        run: Who trains, and when.
        seed: What the maker's random numbers begin with.

    Raises:
        DeclarationError: As `train_model` and `with_synthetic`.
        LakehouseError: As `train_model`.
    """
    more = with_synthetic(built, maker, seed=seed)
    without = train_model(model, built, installation=installation, run=run)
    trial = train_model(model, more, installation=installation, run=run)
    holdout = holdout_of(model, built)
    own, theirs = (
        predictor_of(one, installation=installation).predict(holdout.rows, what=str(one.ref))
        for one in (trial, without)
    )
    found = compare(replace(model.promote, by=0.0), holdout.actual, own, theirs)
    worst = found.get("worst")
    accepted = worst is not None and worst > 0
    comparison = {
        **found,
        "passed": accepted,
        "made": maker.name,
        "synthetic_rows": synthetic_rows(more),
        "real_rows": rows_for(built, TrainingSplit.TRAIN).num_rows,
        "without": without.version,
    }
    trial = installation.ledger.models.note_validated(
        trial, validation={**trial.validation, "synthetic": comparison}, who=run.who, at=run.clock()
    )
    if not accepted:
        why = f"{synthetic_rows(more):,} synthetic rows ({maker.name}) do not help: {found['why']}"
        trial = reject_model(model, trial.version, why=why, installation=installation, run=run)
    return SyntheticTrial(without=without, trial=trial, accepted=accepted, comparison=comparison)


def _as(values: Any, kind: pa.DataType) -> pa.Array:
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pa.array(np.rint(values).astype(np.int64)).cast(kind)
    return pa.array(values).cast(kind)


def _digest(rows: pa.Table) -> str:
    """What the rows are, by their values."""
    return hashlib.sha256(json.dumps(rows.to_pylist(), default=repr).encode()).hexdigest()
