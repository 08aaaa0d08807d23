"""A clinic in miniature: extracts without any event time, and outcomes that come one extract late."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, Function, Holdout, Source, StaticBatches, Steward
from readiness_pipelines.contracts import DerivedTable, FeatureView, GatedTable, TrainingSet
from readiness_pipelines.contracts.classification import protect
from readiness_pipelines.decisions import What
from readiness_pipelines.delivery import decide, do_work, due_work, replay_batch
from readiness_pipelines.installation import Installation, Run

EXTRACTS = ("extract_01", "extract_02", "extract_03", "extract_04")
START = datetime(2026, 11, 2, 6, tzinfo=UTC)


Rows = Sequence[tuple[int, str | None, int, int | None]]
"""Encounter, patient, days, readmitted."""


class Encounter(pa.DataFrameModel):
    """A stay in the clinic."""

    encounter: arrow.int64()
    patient: arrow.string() = pa.Field(metadata=protect("pii.id", subject=True))
    days: arrow.int64() = pa.Field(ge=0)
    readmitted: arrow.int64() = pa.Field(nullable=True)


class Stay(pa.DataFrameModel):
    """What is known of a stay when it comes."""

    encounter: arrow.int64()
    patient: arrow.string()
    days: arrow.int64()


class Outcome(pa.DataFrameModel):
    """What became of a stay."""

    encounter: arrow.int64()
    readmitted: arrow.int64() = pa.Field(nullable=True)


@dataclass
class Clinic:
    """A clinic whose clock moves by an hour with each look at it.

    Attributes:
        installation: Where its tables are.
        rows: What arrives, by extract: encounter, patient, days, readmitted.
        holdout: Of its training set.
    """

    installation: Installation
    rows: dict[str, Rows] = field(default_factory=dict)
    holdout: Holdout | None = None
    now: datetime = START

    def __post_init__(self) -> None:
        """Declare it."""
        self.domain = Domain("clinic", owner="ward@clinic.example")
        self.encounters = self.domain.gated(
            "encounters",
            schema=Encounter,
            source=Source(
                origin="Extracts",
                steward=Steward("Ward", "ward@clinic.example"),
                reader=Function(self._read, arrivals=lambda: [(k, str(hash(tuple(v)))) for k, v in self.rows.items()]),
            ),
            batches=StaticBatches(keys=EXTRACTS),
        )

        @self.domain.features(entity="encounter", schema=Stay, synonyms="admissions")
        def stays(encounters: Any) -> Any:
            """One row a stay."""
            return encounters.project("encounter, patient, days")

        before = self.encounters.before()

        @self.domain.derived(schema=Outcome, reads={"before": before}, key="encounter", allow_empty=True)
        def outcomes(before: Any, encounters: Any) -> Any:
            """Whether the patient of the extract before came back."""
            return before.project("encounter, readmitted")

        self.stays: FeatureView = stays
        self.outcomes: DerivedTable = outcomes
        self.readmission: TrainingSet = self.domain.training_set(
            "readmission", labels=outcomes, label="readmitted", features=[stays], at=stays, holdout=self.holdout
        )

    def _read(self, batch: str) -> list[dict[str, Any]]:
        names = ("encounter", "patient", "days", "readmitted")
        return [dict(zip(names, row, strict=True)) for row in self.rows[batch]]

    @property
    def run(self) -> Run:
        """A run on the clinic's clock."""
        return Run(run_id="r1", who="me", clock=lambda: self.now)

    def deliver(self, **rows: Rows) -> None:
        """Let extracts arrive, an hour after what came before, and deliver all that is due."""
        self.now += timedelta(hours=1)
        self.rows |= rows
        while works := due_work([self.domain], installation=self.installation, now=self.now):
            for work in works:
                do_work(work, installation=self.installation, run=self.run)

    def decide(self, what: What, batch: str) -> None:
        """Decide about encounters an hour later, replay the batch, and all that is made of it."""
        self.now += timedelta(hours=1)
        table: GatedTable = self.encounters
        decide(table, what, batch=batch, why="because", installation=self.installation, run=self.run)
        replay_batch(table, batch=batch, installation=self.installation, run=self.run)
        self.deliver()
