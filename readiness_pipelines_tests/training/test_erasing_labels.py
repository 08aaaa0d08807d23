"""A person whom labels of a source are about, and who was published before anybody learned from them."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, Function, Source, StaticBatches, Steward
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.contracts.classification import protect
from readiness_pipelines.delivery.erasure.requests import erase
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.testing import run_domains
from readiness_pipelines.training import build_training_set, training_set_of

ANNA = "P-CANARY-00017"


class Outcome(pa.DataFrameModel):
    """Whether a patient came back."""

    patient: arrow.string() = pa.Field(metadata=protect("pii.id", subject=True))
    back: arrow.int64()


class Stay(pa.DataFrameModel):
    """How long a patient stayed."""

    patient: arrow.string() = pa.Field(metadata=protect("pii.id", subject=True))
    days: arrow.int64()


class Known(pa.DataFrameModel):
    """What is known of a patient."""

    patient: arrow.string()
    days: arrow.int64()


def table(domain: Domain, name: str, schema: Any, rows: list[dict[str, Any]]) -> GatedTable:
    source = Source(origin="EHR", steward=Steward("Ward", "ward@clinic.example"), reader=Function(lambda _batch: rows))
    return domain.gated(name, schema=schema, batches=StaticBatches(keys=["all"]), source=source)


def test_an_erased_person_leaves_a_training_set_whose_labels_kept_no_history_before(
    installation: Installation,
) -> None:
    domain = Domain("clinic", owner="ward@clinic.example")
    outcomes = table(domain, "outcomes", Outcome, [{"patient": ANNA, "back": 1}, {"patient": "P-2", "back": 0}])
    table(domain, "stays", Stay, [{"patient": "P-2", "days": 3}])

    @domain.features(entity="patient", schema=Known)
    def known(stays: Any) -> Any:
        """How long a patient stayed."""
        return stays.project("patient, days")

    run_domains(domain, installation=installation)  # nobody learns from the outcomes yet
    came_back = domain.training_set("came_back", labels=outcomes, label="back", features=[known])
    made = build_training_set(installation, came_back)
    assert set(made.rows["patient"].to_pylist()) == {ANNA, "P-2"}
    certificate = erase([domain], [ANNA], why="asked", ground="gdpr-17", installation=installation, run=Run(who="dpo"))
    assert training_set_of(installation, made.id).rows["patient"].to_pylist() == ["P-2"]
    assert certificate.open_ends == ()
