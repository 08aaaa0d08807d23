"""A lab with a stream and a model, in whose rows every classified column holds values that are found again.

`LEAST` stands in the environment for another version of the code.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    Classification,
    Domain,
    DriftResponse,
    FileDrop,
    Holdout,
    HourlyBatches,
    NotWorse,
    Pseudonym,
    Source,
    StaticBatches,
    Steward,
    Tolerance,
    Topic,
    protect,
)
from readiness_pipelines.contracts.classification import classified
from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines_tests.security.ward import canary

DAYS = ("day_1", "day_2")
VISITS = 80
LONG = 1_000
"""So many nights only visits of the second day have: a model that knows the first raises over them."""
TOPIC = "samples"
START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)

COUNT = classified("internal", reviewed="a count; a test")


class Visit(pa.DataFrameModel):
    """A visit, and whether its patient came back."""

    visit: arrow.int64() = pa.Field(unique=True, metadata=protect("internal"))
    patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="ward"), subject=True))
    name: arrow.string() = pa.Field(metadata=protect("pii.direct"))
    phone: arrow.int64() = pa.Field(metadata=protect("pii.direct"))
    town: arrow.string() = pa.Field(metadata=protect("pii.quasi"))
    nights: arrow.int64() = pa.Field(ge=int(os.environ.get("LEAST", "0")), metadata=protect("internal"))
    back: arrow.int64() = pa.Field(metadata=protect("internal"))


class Stay(pa.DataFrameModel):
    """What is known of a visit."""

    visit: arrow.int64()
    name: arrow.string()
    town: arrow.string()
    phone: arrow.int64()
    nights: arrow.int64()


class Outcome(pa.DataFrameModel):
    """What came of a visit."""

    visit: arrow.int64()
    back: arrow.int64()


class Score(pa.DataFrameModel):
    """How likely it is that a patient comes back."""

    visit: arrow.int64()
    name: arrow.string()
    prediction: arrow.float64()
    model_version: arrow.int64()
    model_role: arrow.string()
    shadow_prediction: arrow.float64() = pa.Field(nullable=True)
    shadow_version: arrow.int64() = pa.Field(nullable=True)


class Sample(pa.DataFrameModel):
    """A sample, as the analyser sends it."""

    number: arrow.int64() = pa.Field(ge=0, metadata=protect("internal"))
    patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="ward"), subject=True))
    note: arrow.string() = pa.Field(nullable=True, metadata=protect("phi.free_text", reviewed="a test"))


class Guess:
    """Guesses by the nights; of more than it was told to, it raises with a row's values in its message."""

    def __init__(self, *, most: int) -> None:
        self.most = most

    def predict(self, rows: arrow.Table) -> Any:
        """A number a row."""
        nights = rows["nights"].to_numpy()
        if nights.max() > self.most:
            raise ValueError(f"could not convert string to float: {rows['name'][0].as_py()!r}")
        return np.clip(nights / VISITS, 0, 1)


def _source(reader: Any) -> Source:
    steward = Steward("Desk", "desk@lab.example")
    return Source(origin="Lab export", steward=steward, reader=reader, classification=Classification.PHI)


lab = Domain("lab", owner="lab@lab.example", on_call="oncall@lab.example")
visits = lab.gated(
    "visits",
    schema=Visit,
    source=_source(FileDrop("{batch}/visits.csv", missing="?")),
    batches=StaticBatches(keys=DAYS),
    tolerance=Tolerance(quarantined_ratio=0.5),
)
samples = lab.gated(
    "samples",
    schema=Sample,
    source=_source(Topic(TOPIC, brokers="env:LAB_BROKERS", slice_every="0.3s")),
    batches=HourlyBatches(start="2026-11-02"),
    tolerance=Tolerance(quarantined_ratio=0.5),
)


@lab.features(entity="visit", schema=Stay, online=True, classified={"visit": COUNT, "nights": COUNT})
def stays(visits: Relation) -> Relation:
    """What is known of each visit."""
    return visits.project("visit, name, town, phone, nights")


@lab.derived(schema=Outcome, key="visit", classified={"visit": COUNT, "back": COUNT})
def outcomes(visits: Relation) -> Relation:
    """Who came back."""
    return visits.project("visit, back")


returns = lab.training_set(
    "returns", labels=outcomes, label="back", features=[stays], at=stays, holdout=Holdout(share=0.5)
)


@lab.model(
    training=returns,
    risk="limited",
    approver="chief@lab.example",
    promote=NotWorse("auc", by=0.5, samples=100),
    drift=DriftResponse(moderate="retrain"),
    slices=["town", "phone"],
    params={"breaks": False, "most": LONG},
    purpose="Whom to call.",
)
def comes_back(rows: arrow.Table, params: Any) -> Any:
    """Who comes back; where it is told to break, with a value in its message."""
    if params["breaks"]:
        raise KeyError(f"{rows['name'][0].as_py()} of {rows['town'][0].as_py()}")
    return Guess(most=int(params["most"]))


lab.scored("scores", model=comes_back, rows=stays, schema=Score, key="visit", keep="name", classified={"visit": COUNT})


def land_visits(landing: Path, day: str) -> None:
    """Write the file of a day; some rows are bad, and one line cannot be parsed."""
    place = DAYS.index(day)
    columns = ("patient", "name", "phone", "town")
    lines = [",".join(("visit", *columns, "nights", "back"))]
    for number in range(VISITS):
        values = [str(canary(number, column)) for column in columns]
        nights = -1 if number % 10 == 3 else number + LONG * place
        lines.append(",".join([str(number + VISITS * place), *values, str(nights), str(number % 3 % 2)]))
    lines.append(",".join(str(canary(39, name)) for name in columns) + ",too,many,fields,are,in,it,and,more")
    (landing / day).mkdir(parents=True)
    (landing / day / "visits.csv").write_text("\n".join(lines) + "\n")


def messages() -> list[bytes]:
    """What the analyser sends: good, bad and unreadable messages."""
    found = []
    for number in range(40):
        value = {"number": number - 2, "patient": canary(number, "patient"), "note": canary(number, "note")}
        found.append(json.dumps(value).encode()[: -3 if number % 9 == 4 else None])
    found.append(f'{{"number": "many", "patient": "{canary(5, "patient")}"}}'.encode())
    found.append(f'{{"patient": "{canary(6, "patient")}", "patient": {canary(6, "note")}}}'.encode())
    found.append(canary(7, "note").encode() + b"\xff")
    return found


WINDOW_OVER = START + timedelta(hours=1, minutes=1)


defs = build_definitions(lab)
