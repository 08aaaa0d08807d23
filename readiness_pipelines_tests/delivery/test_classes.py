"""What columns are to persons: what is declared holds, and what nobody declared is inherited."""

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import (
    Classification,
    Domain,
    FileDrop,
    GateBuildError,
    NotWorse,
    Pseudonym,
    Ratio,
    Source,
    StaticBatches,
    Steward,
    UnknownNameError,
    Withhold,
    classified,
    protect,
)
from readiness_pipelines.contracts import DerivedTable, GatedTable, Kpi
from readiness_pipelines.delivery.classes import class_of, refuse_unreviewed
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.models.clinic import Score, a_training_set
from readiness_pipelines_tests.training.clinic import Clinic


class Visit(pa.DataFrameModel):
    """A visit."""

    patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="patients"), subject=True))
    note: arrow.string() = pa.Field(metadata=protect("phi.free_text"), nullable=True)
    ward: arrow.string()


class Stay(pa.DataFrameModel):
    """A stay, with a column that the inputs do not have."""

    patient: arrow.string()
    nights: arrow.int64()


def _domain(**classes: object) -> tuple[Domain, GatedTable]:
    domain = Domain("ward", owner="o@ward.example")
    source = Source(
        origin="Export",
        steward=Steward("Desk", "desk@ward.example"),
        reader=FileDrop("visits/{batch}.csv"),
        classification=Classification.CONFIDENTIAL,
    )
    batches = StaticBatches(keys=["a"])
    return domain, domain.gated("visits", source=source, schema=Visit, batches=batches, classified=classes or None)  # type: ignore[arg-type]  # wrong ones are tried, too


def _derived(domain: Domain, **classes: object) -> DerivedTable:
    @domain.derived(schema=Stay, classified=classes or None)  # type: ignore[arg-type]  # wrong ones are tried, too
    def stays(visits):  # type: ignore[no-untyped-def]  # a transform of a user
        return visits

    return stays


def test_a_class_is_of_the_schema_or_the_table_and_the_source_s_where_neither_says() -> None:
    _, visits = _domain(ward="internal")
    assert str(class_of(visits, "patient")) == "pii.id"
    assert class_of(visits, "patient").subject
    assert class_of(visits, "note").protection == Withhold(), "free text is withheld where nothing else is declared"
    assert str(class_of(visits, "ward")) == "internal"
    _, plain = _domain()
    assert (class_of(plain, "ward").level, class_of(plain, "ward").inherited) == (Classification.CONFIDENTIAL, True)


def test_a_derived_column_inherits_by_name_else_the_strongest_of_all_inputs() -> None:
    domain, _ = _domain()
    stays = _derived(domain)
    assert str(class_of(stays, "patient")) == "pii.id"
    assert str(class_of(stays, "nights")) == "phi.free_text"
    assert class_of(stays, "nights").inherited

    @domain.kpi(question="How many?", unit="ratio", by="ward", reads={"visits": domain.table("visits")})
    def full(visits):  # type: ignore[no-untyped-def]  # a transform of a user
        return Ratio("1", "count(*)")

    assert isinstance(full, Kpi)
    assert class_of(full, "value").level is Classification.INTERNAL
    assert class_of(full, "ward").level is Classification.CONFIDENTIAL


def test_a_derived_column_is_lowered_only_where_that_was_reviewed() -> None:
    domain, _ = _domain()
    lowered = _derived(domain, nights=classified("internal", reviewed="a count of days; M. Weber, 2026-11"))
    assert class_of(lowered, "nights").level is Classification.INTERNAL
    other, _ = _domain()
    with pytest.raises(GateBuildError, match=r"nights of ward\.stays is internal, and what it is made of is phi"):
        refuse_unreviewed(_derived(other, nights="internal"))
    refuse_unreviewed(lowered)


def test_a_kpi_is_not_computed_by_a_column_that_names_a_person() -> None:
    domain, _ = _domain()

    @domain.kpi(question="How many?", unit="ratio", by="patient", reads={"visits": domain.table("visits")})
    def share(visits):  # type: ignore[no-untyped-def]  # a transform of a user
        return Ratio("1", "count(*)")

    with pytest.raises(GateBuildError, match="each of its rows would be a person"):
        refuse_unreviewed(share)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"wards": "internal"}, UnknownNameError),
        ({"ward": "secret"}, UnknownNameError),
        ({"ward": "pii.name"}, UnknownNameError),
        ({"ward": "internal.id"}, DeclarationError),
        ({"ward": 3}, DeclarationError),
        ({"patient": "pii.direct"}, GateBuildError),
    ],
)
def test_a_class_that_says_nothing_is_refused(given: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        class_of(_domain(**given)[1], "ward")


def test_a_prediction_is_as_the_features_and_the_label_it_was_learned_from(installation: Installation) -> None:
    known = Clinic(installation)
    domain = known.domain
    by_days = domain.training_set(
        "by_days", labels=known.outcomes, label="readmitted", features={known.stays: ["days"]}, at=known.stays
    )
    found = {}
    for name, training in (("days_only", by_days), ("whole", known.readmission), ("by_hand", a_training_set())):
        model = domain.model(training=training, risk="minimal", promote=NotWorse("auc"), name=name)(lambda rows: len)
        scores = domain.scored(f"{name}_scores", model=model, rows=known.stays, schema=Score, key="encounter")
        classes = {column: class_of(scores, column) for column in ("prediction", "shadow_prediction", "model_version")}
        assert classes["prediction"] == classes["shadow_prediction"]
        assert str(classes["model_version"]) == "internal"
        found[name] = classes["prediction"]
    assert {name: str(one) for name, one in found.items()} == {
        "days_only": "internal",  # and not confidential, as the artefact's bytes are
        "whole": "pii.id",  # the patient is a feature
        "by_hand": "pii.id",  # nobody knows what it read: as the rows, and confidential at least
    }
    assert not any(one.subject or one.protection for one in found.values())
