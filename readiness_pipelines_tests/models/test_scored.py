"""What a model predicted, beside what happened: what somebody observed, and where that is one thing."""

import math
from dataclasses import replace
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Function, Source, StaticBatches, Steward
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.models import promote_model, train_model
from readiness_pipelines.models.scored import Outcomes, scored_batch
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.models.clinic import AUTHOR, a_training_set, clinic, land, model_of


class Outcome(pa.DataFrameModel):
    """What happened, or was made up."""

    stay: arrow.int64()
    readmitted: arrow.float64() = pa.Field(nullable=True)
    made: arrow.bool_() = pa.Field(alias="_synthetic")


def test_what_nobody_observed_or_knows_is_not_what_happened(installation: Installation) -> None:
    installation, run, domain = replace(installation, mlflow_uri="off"), Run(who=AUTHOR), clinic(batches=["b1"])
    told = [(0, 1.0, False), (0, 0.0, True), (1, 0.0, True), (2, 1.0, False), (3, 0.0, False), (3, 1.0, False)]
    told += [(2, math.nan, False), (4, math.nan, False)]
    rows = [{"stay": stay, "readmitted": label, "_synthetic": made} for stay, label, made in told]
    source = Source(origin="EHR", steward=Steward("Clinic", "a@b.example"), reader=Function(lambda _batch: rows))
    outcomes = domain.gated("outcomes", schema=Outcome, source=source, batches=StaticBatches(keys=["all"]))
    train_model(model_of(domain), a_training_set(), installation=installation, run=run)
    promote_model(model_of(domain), 1, why="the first", installation=installation, run=run)
    land(installation.landing.path, "b1", rows=6)
    run_domains(domain, installation=installation)
    scores: Any = domain.table("scores")
    known = Outcomes(table=outcomes, label="readmitted", on=("stay",))
    found = scored_batch(scores, "b1", version=1, outcomes=known, installation=installation)
    assert (len(found.predicted), sorted(found.actual.tolist())) == (6, [1.0, 1.0])
