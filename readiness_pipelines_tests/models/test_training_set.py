"""A model over a training set that the framework built: a replayed input changes its id, and is an incident."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Holdout, NotWorse
from readiness_pipelines.decisions import Correction
from readiness_pipelines.installation import Installation
from readiness_pipelines.models import built_for, model_card, promote_model, superseded_models, train_model
from readiness_pipelines.overview import Grade, scorecards, search_catalog, training_set_entry
from readiness_pipelines_tests.training.clinic import EXTRACTS, Clinic

ROWS = 150
"""Stays of an extract."""


class Score(pa.DataFrameModel):
    """How likely it is that a patient comes back."""

    encounter: arrow.int64()
    prediction: arrow.float64()
    model_version: arrow.int64()
    model_role: arrow.string()
    shadow_prediction: arrow.float64() = pa.Field(nullable=True)
    shadow_version: arrow.int64() = pa.Field(nullable=True)


def graded(clinic: Clinic) -> dict[str, Grade]:
    """What the scorecard says of features and models."""
    cards = scorecards([clinic.domain], installation=clinic.installation, identity_required=False, now=clinic.now)
    answers = {one.question.id: one.verdict for one in cards[""].answers}
    return {name: answers[name] for name in ("features", "models")}


@pytest.mark.slow
def test_a_replayed_input_changes_the_set_and_is_an_incident_until_the_model_is_trained_anew(
    installation: Installation,
) -> None:
    clinic = Clinic(replace(installation, mlflow_uri="off"), holdout=Holdout(share=0.4))
    domain, opened = clinic.domain, clinic.installation

    @domain.model(training=clinic.readmission, risk="minimal", promote=NotWorse("auc", by=0.05, samples=100))
    def readmitted(rows: Any, label: str) -> Any:
        """Longer stays come back more often."""
        days, came_back = (np.asarray(rows.column(name), dtype=float) for name in ("days", label))
        rates = {day: came_back[days == day].mean() for day in np.unique(days)}
        return lambda given: [rates.get(float(day), 0.5) for day in given.column("days").to_pylist()]

    arrived: dict[str, list[tuple[int, str | None, int, int | None]]] = {}
    draw = np.random.default_rng(5)
    for number, extract in enumerate(EXTRACTS[:3]):
        days = draw.integers(0, 6, ROWS)
        back = (draw.random(ROWS) < days / 6).astype(int)
        first = number * ROWS
        arrived[extract] = [(first + n, f"p{first + n}", int(days[n]), int(back[n])) for n in range(ROWS)]
        clinic.deliver(**{extract: arrived[extract]})
    run = clinic.run
    built = built_for(readmitted, installation=opened, run=run)
    assert built.counts.balanced
    version = train_model(readmitted, built, installation=opened, run=run)
    assert version.training_set == built.id
    assert version.measured["metrics"]["auc"] > 0.6
    promote_model(readmitted, 1, why="the first", installation=opened, run=run)
    tables = {table.id: table for table in domain.tables}
    assert list(superseded_models(tables, installation=opened)) == []
    assert graded(clinic) == {"features": Grade.NO_EVIDENCE, "models": Grade.PASSES}
    domain.scored("scores", model=readmitted, rows=clinic.stays, schema=Score, key="encounter")
    assert graded(clinic) == {"features": Grade.PASSES, "models": Grade.PASSES}

    clinic.decide(Correction(column="days", expression="'5'", where="encounter < 40"), "extract_01")
    (found,) = superseded_models(tables, installation=opened)
    assert "version 1, the champion, was trained on superseded data" in found.seen
    assert graded(clinic)["models"] is Grade.FAILS
    (hit, *_) = search_catalog("Readmission", [domain])
    assert (hit.table, hit.kind, hit.answers) == (clinic.readmission.id, "training set", "ward@clinic.example")
    anew = built_for(readmitted, installation=opened, run=clinic.run)
    assert anew.id != built.id
    entry = training_set_entry(clinic.readmission, [domain], installation=opened)
    assert entry.models == (readmitted.id,)
    assert [(one.id, bool(one.changed)) for one in entry.builds] == [(anew.id, False), (built.id, True)]
    assert "stays[extract_01] was replayed" in entry.builds[1].changed[0]
    second = train_model(readmitted, anew, installation=opened, run=clinic.run)
    promote_model(readmitted, second.version, why="corrected", installation=opened, run=clinic.run, despite=True)
    assert list(superseded_models(tables, installation=opened)) == []
    domain.scored("others", model=readmitted, rows=clinic.outcomes, schema=Score, key="encounter")
    assert graded(clinic) == {"features": Grade.FAILS, "models": Grade.PASSES}
    # The first is compared with the new champion on its own holdout, which was kept.
    promote_model(readmitted, 1, why="a look back", installation=opened, run=clinic.run, despite=True)
    again = opened.ledger.models.get(readmitted.id, 1)
    assert (again.validation["against"], again.validation["training_set"]) == (2, built.id)
    card = model_card(readmitted, 1, tables=tables, installation=opened, at=clinic.now)
    data = {row[0]: row[1] for table in card.tables if table.key == "data" for row in table.rows}
    assert data["labels"] == f"{built.counts.labels:,}"
    assert data["holdout"] == "40% of the entities"
