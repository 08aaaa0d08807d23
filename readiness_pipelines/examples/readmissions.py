"""30-day readmission rate: the share of inpatient stays that were followed by another within 30 days."""

from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    Classification,
    Domain,
    FileDrop,
    Freshness,
    KAnonymity,
    Pseudonym,
    Ratio,
    Route,
    Sla,
    Source,
    StaticBatches,
    Steward,
    Tolerance,
    protect,
)

ICD9 = r"^(\d{3}(\.\d{1,2})?|[EV]\d{2,3}(\.\d{1,2})?)$"
RACES = ["AfricanAmerican", "Asian", "Caucasian", "Hispanic", "Other"]
AGES = [f"[{age}-{age + 10})" for age in range(0, 100, 10)]
DRUGS = (
    "^(metformin|repaglinide|nateglinide|chlorpropamide|glimepiride|acetohexamide|glipizide|glyburide|tolbutamide"
    "|pioglitazone|rosiglitazone|acarbose|miglitol|troglitazone|tolazamide|examide|citoglipton|insulin"
    "|(glyburide|glipizide|metformin)-(metformin|rosiglitazone|pioglitazone)|glimepiride-pioglitazone)$"
)
DIED_OR_IN_HOSPICE = (11, 13, 14, 19, 20, 21)


class Discharge(pa.DataFrameModel):
    """One inpatient stay that can be followed by a readmission."""

    encounter_id: arrow.int64() = pa.Field(unique=True)
    patient_nbr: arrow.int64()
    discharge_disposition_id: arrow.int8() = pa.Field(notin=list(DIED_OR_IN_HOSPICE))
    readmitted: arrow.string() = pa.Field(isin=["<30", ">30", "NO"])


class Encounter(pa.DataFrameModel):
    """One inpatient stay of a patient with diabetes, as the hospitals' records have it."""

    encounter_id: arrow.int64() = pa.Field(unique=True, metadata=protect("phi.id", Pseudonym(key="patients")))
    patient_nbr: arrow.int64() = pa.Field(metadata=protect("phi.id", Pseudonym(key="patients"), subject=True))
    race: arrow.string() = pa.Field(isin=RACES, nullable=True, metadata=protect("phi.quasi"))
    gender: arrow.string() = pa.Field(isin=["Female", "Male"], metadata=protect("phi.quasi"))
    age: arrow.string() = pa.Field(isin=AGES, metadata=protect("phi.quasi"))
    weight: arrow.string() = pa.Field(str_matches=r"^(\[\d+-\d+\)|>200)$", nullable=True, metadata=protect("phi.quasi"))
    admission_type_id: arrow.int8() = pa.Field(isin=list(range(1, 9)))
    discharge_disposition_id: arrow.int8() = pa.Field(isin=list(range(1, 31)))
    admission_source_id: arrow.int8() = pa.Field(isin=[*range(1, 16), *range(17, 27)])
    time_in_hospital: arrow.int8() = pa.Field(in_range={"min_value": 1, "max_value": 14})
    payer_code: arrow.string() = pa.Field(str_length={"exact_value": 2}, nullable=True)
    medical_specialty: arrow.string() = pa.Field(nullable=True)
    num_lab_procedures: arrow.int16() = pa.Field(ge=0)
    num_procedures: arrow.int8() = pa.Field(in_range={"min_value": 0, "max_value": 6})
    num_medications: arrow.int16() = pa.Field(ge=1)
    visits_before: arrow.int16() = pa.Field(alias="^number_(outpatient|emergency|inpatient)$", regex=True, ge=0)
    diag_1: arrow.string() = pa.Field(str_matches=ICD9, nullable=True, metadata=protect("phi.quasi"))
    diag_2: arrow.string() = pa.Field(str_matches=ICD9, nullable=True, metadata=protect("phi.quasi"))
    diag_3: arrow.string() = pa.Field(str_matches=ICD9, nullable=True, metadata=protect("phi.quasi"))
    number_diagnoses: arrow.int8() = pa.Field(in_range={"min_value": 1, "max_value": 16})
    max_glu_serum: arrow.string() = pa.Field(isin=["None", "Norm", ">200", ">300"])
    a1c_result: arrow.string() = pa.Field(alias="A1Cresult", isin=["None", "Norm", ">7", ">8"])
    drugs: arrow.string() = pa.Field(alias=DRUGS, regex=True, isin=["No", "Steady", "Up", "Down"])
    change: arrow.string() = pa.Field(isin=["No", "Ch"])
    diabetes_med: arrow.string() = pa.Field(alias="diabetesMed", isin=["No", "Yes"])
    readmitted: arrow.string() = pa.Field(isin=["<30", ">30", "NO"])

    @pa.dataframe_check(native=False)
    def has_a_diagnosis(cls, _frame: nw.LazyFrame[Any]) -> nw.Expr:
        """A stay without any diagnosis cannot be told apart from a record that was cut off."""
        return ~nw.all_horizontal(nw.col("diag_1", "diag_2", "diag_3").is_null())

    class Config:
        """A column that the schema does not name holds the batch."""

        strict = True


readmissions = Domain(
    "readmissions",
    owner="quality@hospital.example",
    on_call="clinical-data@hospital.example",
    answer_within="4h",
)

encounters = readmissions.gated(
    "encounters",
    source=Source(
        origin="EHR export of 130 US hospitals",
        steward=Steward("Clinical data office", "clinical-data@hospital.example"),
        reader=FileDrop("readmissions/encounters/{batch}/*.csv.gz", missing="?"),
        refresh="30d",
        classification=Classification.PHI,
        known_issues=(
            "ICD-9 codes lost their leading zeros: '8' stands for '008'",
            "payer_code is missing in all of the first extract, and in one row of seven of the last",
        ),
        schema_version="2014-05",
    ),
    schema=Encounter,
    batches=StaticBatches(keys=[f"extract_{number:02d}" for number in range(1, 11)]),
    tolerance=Tolerance(quarantined_ratio=0.06),
    rules=[KAnonymity(k=5, quasi=["race", "gender", "age"])],
    routes={"race_gender_age_k_anonymity": Route.WARN},
    freshness=Freshness(warn_after="31d", fail_after="35d"),
    latency="10m",
    tags=["inpatient", "diabetes"],
    synonyms=["stays", "admissions"],
    runbook="""\
# An extract is held

- Codes that lost their leading zeros: correct them, `diag_1 = lpad(diag_1, 3, '0')`, and replay.
- Anything else: ask the clinical data office for the extract again. They answer on weekdays.
""",
)


@readmissions.derived(schema=Discharge, latency="5m")
def discharges(encounters: Relation) -> Relation:
    """Stays that can be followed by a readmission: patients who died or went to a hospice do not come back."""
    return encounters.filter(f"discharge_disposition_id NOT IN {DIED_OR_IN_HOSPICE}")


@readmissions.kpi(
    question="How many patients come back within 30 days of leaving the hospital?",
    unit="ratio",
    target="<= 0.11",
    sla=Sla(published=0.9, repaired_within="7d"),
)
def readmission_rate_30d(discharges: Relation) -> Ratio:  # noqa: ARG001  # its only input is what is counted
    """Share of the discharges that were followed by another stay within 30 days."""
    return Ratio("count(*) FILTER (readmitted = '<30')", "count(*)")
