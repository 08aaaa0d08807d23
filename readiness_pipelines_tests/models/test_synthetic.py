"""Rows that nobody observed are flagged, never held out, and accepted only where they help on real ones."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from readiness_pipelines.errors import DeclarationError, LedgerError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ModelState
from readiness_pipelines.models import Smote, promote_model, train_model, try_synthetic, with_synthetic
from readiness_pipelines.products import SPLIT, SYNTHETIC, BuiltTrainingSet, TrainingSplit
from readiness_pipelines_tests.models.clinic import APPROVER, AUTHOR, a_training_set, clinic, model_of

ANN, CHIEF = Run(who=AUTHOR), Run(who=APPROVER)


@dataclass(frozen=True)
class Copies:
    """Rows with the labels as they are, or turned around."""

    turned: bool = False
    name: str = "copies"

    def make(self, rows: pa.Table, *, label: str, features: tuple[str, ...], seed: int) -> pa.Table:
        chosen = rows.take(np.random.default_rng(seed).integers(0, rows.num_rows, 4 * rows.num_rows))
        values = chosen.column(label)
        at = chosen.column_names.index(label)
        return chosen.set_column(at, label, pc.subtract(1, values) if self.turned else values)


@pytest.fixture
def installation(installation: Installation) -> Installation:
    return replace(installation, mlflow_uri="off")


def sparse(*, flipped: float = 0.0) -> BuiltTrainingSet:
    """A training set in which some labels to learn from are wrong."""
    built = a_training_set(f"set of {flipped}", rows=900)
    wrong = (np.random.default_rng(3).random(900) < flipped) & np.equal(
        built.rows.column(SPLIT).to_numpy(False), "train"
    )
    label = built.rows.column("readmitted").to_numpy()
    at = built.rows.column_names.index("readmitted")
    return replace(built, rows=built.rows.set_column(at, "readmitted", pa.array(np.where(wrong, 1 - label, label))))


def test_synthetic_rows_are_flagged_and_only_learned_from_and_the_same_ones_are_the_same_set() -> None:
    built = a_training_set()
    rare = replace(
        built, rows=built.rows.filter(pc.or_(pc.equal(built.rows["readmitted"], 0), pc.less(built.rows["stay"], 90)))
    )
    more = with_synthetic(rare, Smote(neighbours=3), seed=7)
    made = more.rows.filter(more.rows.column(SYNTHETIC))
    assert set(made.column(SPLIT).to_pylist()) == {TrainingSplit.TRAIN.value}
    assert more.rows.filter(pc.invert(more.rows.column(SYNTHETIC))).drop_columns([SYNTHETIC]).equals(rare.rows)
    train = more.rows.filter(pc.equal(more.rows.column(SPLIT), "train"))
    assert pc.mean(train.column("readmitted")).as_py() == 0.5
    assert made.column("stay").null_count == made.num_rows
    assert made.schema == more.rows.schema
    assert more.id == with_synthetic(rare, Smote(neighbours=3), seed=7).id
    assert len({more.id, rare.id, with_synthetic(rare, Smote(neighbours=3), seed=8).id}) == 3
    with pytest.raises(DeclarationError, match="has 1 rows"):
        with_synthetic(
            replace(
                rare, rows=rare.rows.filter(pc.or_(pc.equal(rare.rows["readmitted"], 0), pc.less(rare.rows["stay"], 3)))
            ),
            Smote(),
        )


def test_nothing_is_measured_on_rows_that_nobody_observed(installation: Installation) -> None:
    built = with_synthetic(a_training_set(), Copies())
    place = built.rows.column_names.index(SPLIT)
    mixed = replace(built, rows=built.rows.set_column(place, SPLIT, pa.repeat("holdout", built.rows.num_rows)))
    with pytest.raises(DeclarationError, match="synthetic rows in its holdout"):
        train_model(model_of(clinic()), mixed, installation=installation, run=ANN)


def test_a_model_with_synthetic_rows_serves_only_where_they_help_on_the_real_holdout(
    installation: Installation,
) -> None:
    model = model_of(clinic())
    untried = train_model(model, with_synthetic(sparse(), Copies(), seed=3), installation=installation, run=ANN)
    with pytest.raises(LedgerError, match="have not made it better on real ones"):
        promote_model(model, untried.version, why="more rows", installation=installation, run=CHIEF)

    worse = try_synthetic(model, sparse(), Copies(turned=True), installation=installation, run=ANN)
    assert (worse.accepted, worse.trial.state) == (False, ModelState.REJECTED)
    kept = installation.ledger.models.history(model.id, worse.trial.version)
    assert [
        entry.details["evidence"]["synthetic"]["passed"] for entry in kept if "synthetic" in entry.details["evidence"]
    ] == [False]
    assert "do not help" in (kept[-1].why or "")

    same = try_synthetic(model, sparse(), Copies(), installation=installation, run=ANN, seed=5)
    assert not same.accepted  # as good as without is not better

    better = try_synthetic(model, sparse(flipped=0.7), Copies(turned=True), installation=installation, run=ANN)
    assert (better.accepted, better.trial.state) == (True, ModelState.CANDIDATE)
    assert better.comparison["synthetic_rows"] == 4 * better.comparison["real_rows"]
    assert better.comparison["candidate"] > better.comparison["champion"]
    done = promote_model(model, better.trial.version, why="rows help", installation=installation, run=CHIEF)
    assert done.state.champion == better.trial.version
