"""A small domain with a model, and training sets for it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, DriftResponse, FileDrop, NotWorse, Source, StaticBatches, Steward
from readiness_pipelines.contracts import Model
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.products import BuiltTrainingSet, LabelCounts, UsedBatch

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
AUTHOR, APPROVER = "ann@clinic.example", "chief@clinic.example"
FEATURES = ("age", "visits")


class Stay(pa.DataFrameModel):
    """A stay."""

    stay: arrow.int64() = pa.Field(unique=True)
    age: arrow.int64() = pa.Field(ge=0, le=120)
    visits: arrow.int64() = pa.Field(ge=0)
    ward: arrow.string()


class Score(pa.DataFrameModel):
    """A stay's risk."""

    stay: arrow.int64() = pa.Field(unique=True)
    prediction: arrow.float64() = pa.Field(ge=0, le=1)
    model_version: arrow.int64()
    model_role: arrow.string() = pa.Field(isin=["champion", "canary"])
    shadow_prediction: arrow.float64() = pa.Field(nullable=True)
    shadow_version: arrow.int64() = pa.Field(nullable=True)


class Logistic:
    """A logistic regression by gradient descent, as small as can be."""

    def __init__(self, x: Any, y: Any, *, steps: int, flip: bool = False) -> None:
        self.mean, self.scale = x.mean(axis=0), x.std(axis=0) + 1e-9
        z = np.column_stack([(x - self.mean) / self.scale, np.ones(len(x))])
        self.weights = np.zeros(z.shape[1])
        for _ in range(steps):
            self.weights -= 0.5 * z.T @ (1 / (1 + np.exp(-z @ self.weights)) - y) / len(y)
        self.weights = -self.weights if flip else self.weights

    def predict_proba(self, x: Any) -> Any:
        z = np.column_stack([(x - self.mean) / self.scale, np.ones(len(x))])
        positive = 1 / (1 + np.exp(-z @ self.weights))
        return np.column_stack([1 - positive, positive])


def clinic(
    *,
    risk: str = "limited",
    training: Any = None,
    batches: Sequence[str] = ("b1", "b2"),
    classified: Mapping[str, str] | None = None,
    cool_down: str = "7d",
) -> Domain:
    """Stays, a model of readmission, and its scores."""
    domain = Domain("clinic", owner="clinic@clinic.example")
    team = Steward("Clinic", "clinic@clinic.example")
    stays = domain.gated(
        "stays",
        schema=Stay,
        source=Source(origin="EHR", steward=team, reader=FileDrop("stays/{batch}.csv")),
        batches=StaticBatches(keys=tuple(batches)),
        classified=classified,
    )

    @domain.model(
        training=training,
        risk=risk,
        approver=APPROVER,
        promote=NotWorse("auc", by=0.01, samples=200),
        drift=DriftResponse(moderate="retrain", cool_down=cool_down),
        metrics=["log_loss"],
        slices=["ward"],
        params={"steps": 60, "flip": False},
        purpose="Whom to call after a stay.",
        limits="Not for children.",
        answers={"human_oversight": "A nurse calls; docs/oversight.md"},
    )
    def readmission(x: Any, y: Any, params: Any) -> Any:
        """Who comes back within 30 days."""
        return Logistic(x, y, **params)

    domain.scored("scores", model=readmission, rows=stays, schema=Score, key="stay")
    return domain


def model_of(domain: Domain) -> Model:
    (model,) = domain.models
    return model


def land(folder: Path, batch: str, *, age: int = 50, rows: int = 40) -> None:
    """Stays land."""
    lines = [f"{number},{(age + number) % 100},{number % 5},{'AB'[number % 2]}" for number in range(rows)]
    (folder / "stays").mkdir(exist_ok=True, parents=True)
    (folder / "stays" / f"{batch}.csv").write_text("\n".join(["stay,age,visits,ward", *lines]) + "\n")


def deliver_stays(domain: Domain, installation: Installation, batch: str) -> UsedBatch:
    """A batch of stays, delivered: as a training set has used it."""
    stays: Any = domain.table("stays")
    ingest(stays, batch=batch, installation=installation, run=Run(who="test"))
    done = deliver(stays, batch=batch, installation=installation, run=Run(who="test"))
    assert done.snapshots.published is not None
    return UsedBatch(table=stays.id, batch=batch, snapshot=done.snapshots.published, gate=done.gate_version)


def a_training_set(
    name: str = "set_1", *, seed: int = 1, rows: int = 600, noise: float = 1.0, used: Sequence[UsedBatch] = ()
) -> BuiltTrainingSet:
    """Stays with a label that follows from age and visits, a third of them held out."""
    draw = np.random.default_rng(seed)
    age, visits = draw.integers(0, 100, rows), draw.integers(0, 5, rows)
    score = (age - 50) / 25 + (visits - 2) / 2 + draw.normal(0, noise, rows)
    label = (score > 0).astype(np.int64)
    split = np.where(np.arange(rows) % 3 == 0, "holdout", "train")
    table = arrow.table(
        {
            "stay": np.arange(rows),
            "readmitted": label,
            "age": age,
            "visits": visits,
            "ward": [("A", "B", "small")[2 if number < 9 else number % 2] for number in range(rows)],
            "_split": split,
        }
    )
    held = int((split == "holdout").sum())
    return BuiltTrainingSet(
        id=name,
        name=TableId("clinic", "readmissions"),
        rows=table,
        entity=("stay",),
        label="readmitted",
        features=FEATURES,
        counts=LabelCounts(labels=rows, trained=rows - held, held_out=held),
        used=tuple(used),
        built_at=NOW,
    )


def set_of_stays(installation: Installation) -> BuiltTrainingSet:
    """A training set that follows from what is published of the stays, as the tables are now."""
    stays = TableId("clinic", "stays")
    used = [
        UsedBatch(
            table=stays,
            batch=record.ref.batch,
            snapshot=record.snapshots.published or 0,
            gate=record.gate_version or "",
        )
        for record in installation.ledger.batches(tables=[stays])
        if record.state.visible
    ]
    told = repr([(one.batch, one.snapshot) for one in used])
    return a_training_set(f"set_{sha256(told.encode()).hexdigest()[:8]}", used=used)
