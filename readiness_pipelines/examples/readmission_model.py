"""A model of readmission: which patient comes back within 30 days, learned from what the gates let through.

It reads the tables of the readmission rate, and adds to their domain what a model needs.
"""

from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import DriftResponse, Holdout, NotWorse
from readiness_pipelines.examples.readmissions import DIED_OR_IN_HOSPICE, encounters, readmissions

CODES = ", ".join(str(code) for code in DIED_OR_IN_HOSPICE)
GLUCOSE = ["None", "Norm", ">200", ">300"]
A1C = ["None", "Norm", ">7", ">8"]
SPECIALTIES = ["InternalMedicine", "Emergency/Trauma", "Family/GeneralPractice", "Cardiology", "Nephrology"]
"""Where it was not noted, or is another one, it is 0."""


def diagnosis(column: str) -> str:
    """A diagnosis as a number: ICD-9 codes that stand beside each other are of one kind; -1 for a cause or a visit."""
    return f"CASE WHEN {column} SIMILAR TO '[EV].*' THEN -1 ELSE TRY_CAST({column} AS DOUBLE) END AS {column}"


class Stay(pa.DataFrameModel):
    """What is known of a stay when the patient leaves. Codes are numbers: a tree splits them where it likes."""

    encounter_id: arrow.int64()
    gender: arrow.string()
    age: arrow.int64() = pa.Field(in_range={"min_value": 0, "max_value": 100})
    discharge_to: arrow.int64()
    admission_source: arrow.int64()
    admission_type: arrow.int64()
    days: arrow.int64() = pa.Field(ge=1)
    lab_procedures: arrow.int64()
    procedures: arrow.int64()
    medications: arrow.int64()
    outpatient_visits: arrow.int64() = pa.Field(ge=0)
    emergency_visits: arrow.int64() = pa.Field(ge=0)
    inpatient_visits: arrow.int64() = pa.Field(ge=0)
    diagnoses: arrow.int64()
    diag_1: arrow.float64() = pa.Field(nullable=True)
    diag_2: arrow.float64() = pa.Field(nullable=True)
    diag_3: arrow.float64() = pa.Field(nullable=True)
    medicare: arrow.int64()
    insulin: arrow.int64()
    glucose: arrow.int64()
    a1c: arrow.int64()
    specialty: arrow.int64()
    drugs_changed: arrow.int64()
    stays_before: arrow.int64() = pa.Field(ge=0)

    @pa.dataframe_check(native=False, error="some patients were in hospital in the year before")
    def some_were_here_before(cls, _frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Whether the visits of the year before came along: in a third of the stays there is one."""
        return nw.col("inpatient_visits").max() > 0


class Outcome(pa.DataFrameModel):
    """What became of a stay, as the next extract knows it."""

    encounter_id: arrow.int64()
    readmitted: arrow.int64() = pa.Field(isin=[0, 1])

    @pa.dataframe_check(native=False, error="fewer than a quarter of the patients come back")
    def few_come_back(cls, _frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Whether the labels are plausible as a whole: nine of ten coming back are labels the wrong way round."""
        return nw.col("readmitted").mean() < 0.25  # noqa: PLR2004  # the rate is 0.11


class Risk(pa.DataFrameModel):
    """How likely a patient comes back, and by which version of the model."""

    encounter_id: arrow.int64() = pa.Field(unique=True)
    prediction: arrow.float64() = pa.Field(in_range={"min_value": 0, "max_value": 1})
    model_version: arrow.int64()
    model_role: arrow.string() = pa.Field(isin=["champion", "canary"])
    shadow_prediction: arrow.float64() = pa.Field(nullable=True)
    shadow_version: arrow.int64() = pa.Field(nullable=True)


@readmissions.features(
    entity="encounter_id",
    schema=Stay,
    language="sql",
    reads={"encounters": encounters, "so_far": encounters.last(10)},
    synonyms=["inpatient stay"],
)
def stays(encounters: Any, so_far: Any) -> str:  # noqa: ARG001  # the query names them
    """What is known of each stay that can be followed by another, with the patient's stays in extracts before."""
    return f"""
        WITH all_stays AS (SELECT patient_nbr, count(*) AS stays FROM so_far GROUP BY ALL),
            new_stays AS (SELECT patient_nbr, count(*) AS stays FROM encounters GROUP BY ALL)
        SELECT encounter_id, gender,
            CAST(regexp_extract(age, '\\d+') AS BIGINT) AS age,
            CAST(discharge_disposition_id AS BIGINT) AS discharge_to,
            CAST(admission_source_id AS BIGINT) AS admission_source,
            CAST(admission_type_id AS BIGINT) AS admission_type,
            CAST(time_in_hospital AS BIGINT) AS days,
            CAST(num_lab_procedures AS BIGINT) AS lab_procedures,
            CAST(num_procedures AS BIGINT) AS procedures,
            CAST(num_medications AS BIGINT) AS medications,
            CAST(number_outpatient AS BIGINT) AS outpatient_visits,
            CAST(number_emergency AS BIGINT) AS emergency_visits,
            CAST(number_inpatient AS BIGINT) AS inpatient_visits,
            CAST(number_diagnoses AS BIGINT) AS diagnoses,
            {diagnosis("diag_1")}, {diagnosis("diag_2")}, {diagnosis("diag_3")},
            CAST(payer_code IS NOT DISTINCT FROM 'MC' AS BIGINT) AS medicare,
            CAST(list_position(['No', 'Down', 'Steady', 'Up'], insulin) AS BIGINT) AS insulin,
            CAST(list_position({GLUCOSE}, max_glu_serum) AS BIGINT) AS glucose,
            CAST(list_position({A1C}, A1Cresult) AS BIGINT) AS a1c,
            CAST(coalesce(list_position({SPECIALTIES}, medical_specialty), 0) AS BIGINT) AS specialty,
            CAST(change = 'Ch' AS BIGINT) AS drugs_changed,
            all_stays.stays - new_stays.stays AS stays_before
        FROM encounters JOIN all_stays USING (patient_nbr) JOIN new_stays USING (patient_nbr)
        WHERE discharge_disposition_id NOT IN ({CODES})
    """


@readmissions.derived(
    schema=Outcome,
    reads={"before": encounters.before(), "encounters": encounters},
    key="encounter_id",
    allow_empty=True,
)
def outcomes(before: Any, encounters: Any) -> Any:  # noqa: ARG001  # an extract brings the outcomes of the one before
    """Who came back within 30 days: known one extract later, once the 30 days are over."""
    return before.filter(f"discharge_disposition_id NOT IN ({CODES})").project(
        "encounter_id, CAST(readmitted = '<30' AS BIGINT) AS readmitted"
    )


known_outcomes = readmissions.training_set(
    "known_outcomes",
    labels=outcomes,
    label="readmitted",
    features=[stays],
    at=stays,
    holdout=Holdout(last_batches=1),
)


@readmissions.model(
    training=known_outcomes,
    risk="high",
    approver="chief.physician@hospital.example",
    promote=NotWorse("auc", by=0.005, bootstrap=0.95),
    drift=DriftResponse(moderate="retrain", severe="review"),
    metrics=["log_loss", "brier"],
    slices=["gender"],
    purpose="Whom the ward calls in the first week after a stay.",
    limits="Not a reason to keep somebody in hospital. It has not seen children's wards.",
)
def readmission(rows: arrow.Table, features: tuple[str, ...], label: str, seed: int) -> Any:
    """Who comes back within 30 days."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  # needed where a model is trained

    trees = HistGradientBoostingClassifier(
        max_iter=300, learning_rate=0.03, max_leaf_nodes=10, min_samples_leaf=150, l2_regularization=10,
        max_features=0.5, random_state=seed,
    )  # fmt: skip
    numbers = [name for name in features if name != "gender"]  # which it is measured by, and does not learn from

    def matrix(table: arrow.Table) -> Any:
        return table.select(numbers).to_pandas().to_numpy(dtype=float)

    trees.fit(matrix(rows), rows[label].to_numpy())
    return lambda table: trees.predict_proba(matrix(table))[:, -1]


risks = readmissions.scored("risks", model=readmission, rows=stays, schema=Risk, key="encounter_id")
