"""A retraining is wanted, with the evidence kept, where the world changed; not for one bad or held batch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import FindingKind, RetrainingState, Severity
from readiness_pipelines.models import (
    allow_retraining,
    open_retrainings,
    promote_model,
    request_retraining,
    train_model,
    waiting_reviews,
)
from readiness_pipelines.models.drift import ModelDrift, act_on_drift, look_at_drift
from readiness_pipelines.models.drift_actions import DriftStep, DriftSubject, DriftTier
from readiness_pipelines.models.scored import Outcomes
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.models.clinic import AUTHOR, a_training_set, clinic, model_of

ANN = Run(who=AUTHOR)
BATCHES = tuple(f"b{number:02}" for number in range(1, 16))


class Outcome(pa.DataFrameModel):
    """What happened."""

    stay: arrow.int64() = pa.Field(unique=True)
    readmitted: arrow.int64() = pa.Field(isin=[0, 1])


@pytest.fixture
def installation(installation: Installation) -> Installation:
    return replace(installation, mlflow_uri="off")


@pytest.fixture
def domain() -> Domain:
    domain = clinic(batches=BATCHES)
    domain.gated(
        "outcomes",
        schema=Outcome,
        source=Source(origin="EHR", steward=Steward("Clinic", "a@b.example"), reader=FileDrop("outcomes/{batch}.csv")),
        batches=StaticBatches(keys=BATCHES),
    )
    return domain


def land(folder: Path, batch: str, *, older: int = 0, bad: bool = False, known: bool = False) -> None:
    """Stays, of older patients where it is said; and what happened, where it is known."""
    first = BATCHES.index(batch) * 10_000
    draw = np.random.default_rng(first)
    age = np.full(1_200, 500) if bad else draw.integers(older, min(100 + older, 120), 1_200)
    visits = draw.integers(0, 5, 1_200)
    lines = [f"{first + n},{age[n]},{visits[n]},{'AB'[n % 2]}" for n in range(1_200)]
    (folder / "stays").mkdir(exist_ok=True, parents=True)
    (folder / "stays" / f"{batch}.csv").write_text("\n".join(["stay,age,visits,ward", *lines]) + "\n")
    if known:
        label = (age - 50) / 25 + (visits - 2) / 2 + draw.normal(0, 1, 1_200) > 0
        rows = [f"{first + n},{int(label[n])}" for n in range(1_200)]
        (folder / "outcomes").mkdir(exist_ok=True, parents=True)
        (folder / "outcomes" / f"{batch}.csv").write_text("\n".join(["stay,readmitted", *rows]) + "\n")


def test_one_bad_batch_is_told_a_held_one_is_nothing_and_a_changed_world_is_learned_once(
    installation: Installation, domain: Domain
) -> None:
    model, folder = model_of(domain), Path(str(installation.landing.path))
    built = a_training_set()

    def delivered(batch: str, *, given: Any = None, **how: Any) -> ModelDrift:
        land(folder, batch, **how)
        run_domains(domain, installation=installation)
        found = look_at_drift(model, installation=installation, run=ANN, **(given or {}))
        assert found is not None
        return found

    outcomes = Outcomes(table=domain.table("outcomes"), label="readmitted", on=("stay",))
    assert look_at_drift(model, installation=installation, run=ANN) is None  # nothing serves
    train_model(model, built, installation=installation, run=ANN)
    promote_model(model, 1, why="the first", installation=installation, run=ANN)
    for batch in BATCHES[:8]:
        land(folder, batch)
    quiet = delivered(BATCHES[8], known=True, given={"outcomes": outcomes, "built": built})
    assert quiet.decision.step is DriftStep.NOTHING
    qualities = [one.quality for one in quiet.qualities]
    assert [one.estimated for one in qualities] == [*[True] * 8, False]
    assert all(one.low < one.value < one.high for one in qualities)  # type: ignore[operator]

    one = delivered(BATCHES[9], older=50)
    assert (one.decision.tier, one.decision.step) == (DriftTier.MILD, DriftStep.TELL)
    assert {sign.subject for sign in one.decision.signs} >= {DriftSubject.INPUT, DriftSubject.PREDICTION}
    delivered(BATCHES[10], bad=True)
    ref = BatchRef(domain.table("stays").id, BATCHES[10])
    assert installation.ledger.get(ref).state is BatchState.HELD  # type: ignore[union-attr]
    two = delivered(BATCHES[11], older=50)
    assert (two.decision.step, [one.batch for one in two.batches[-2:]]) == (DriftStep.TELL, [BATCHES[9], BATCHES[11]])
    delivered(BATCHES[12], older=50)

    found = act_on_drift(model, installation=installation, run=ANN, built=built)
    assert found is not None
    assert (found.decision.tier, found.decision.step) == (DriftTier.MODERATE, DriftStep.RETRAIN)
    assert found.decision.batches == (BATCHES[9], BATCHES[11], BATCHES[12])
    assert found.request is not None
    assert (found.request.state, found.request.evidence["tier"]) == (RetrainingState.OPEN, "moderate")
    assert found.request.evidence["batches"] == list(found.decision.batches)
    again = act_on_drift(model, installation=installation, run=ANN, built=built)
    assert again is not None
    assert (again.decision.step, again.request) == (DriftStep.WAIT, None)
    said = installation.ledger.trail(ref=BatchRef(model.id, f"retraining-{found.request.id}"))
    assert [(entry.what, entry.who, entry.why) for entry in said] == [
        ("retraining requested", AUTHOR, found.decision.why)
    ]

    for table in ("stays", "scores"):
        for batch in (BATCHES[9], BATCHES[11], BATCHES[12]):
            ref = BatchRef(domain.table(table).id, batch)
            kinds = [FindingKind.DISTRIBUTION, FindingKind.QUALITY]
            installation.ledger.findings.accept(ref, kinds, who=AUTHOR, why="older people come", at=ANN.clock())
    calm = look_at_drift(model, installation=installation, run=ANN, built=built)
    assert calm is not None
    assert calm.decision.step is DriftStep.NOTHING


def test_a_review_is_an_incident_until_a_person_allows_it(installation: Installation, domain: Domain) -> None:
    model = model_of(domain)
    asked = request_retraining(
        model,
        key="k",
        why="auc drifts",
        evidence={"tier": "severe", "signs": [{"seen": "auc 0.52"}]},
        installation=installation,
        run=Run(who="drift"),
        review=True,
    )
    tables = {table.id: table for table in domain.tables}
    (finding,) = waiting_reviews(tables, installation=installation)
    assert (finding.table, finding.severity, finding.details) == (model.id, Severity.ERROR, ("auc 0.52",))
    assert finding.way_out == f'readiness model allow {asked.id} --reason "…"'
    assert "clinic.scores" in finding.at_risk
    assert open_retrainings(model, installation=installation) == ()
    allow_retraining(asked.id, why="seen, train it", installation=installation, run=ANN)
    assert list(waiting_reviews(tables, installation=installation)) == []
    assert len(open_retrainings(model, installation=installation)) == 1
