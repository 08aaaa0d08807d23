"""k-anonymity and l-diversity are counted over the rows to publish, and hold the batch, warn, or are waived."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness_pipelines import Gate, KAnonymity, LDiversity, Route, Tolerance
from readiness_pipelines.contracts.classification import protect
from readiness_pipelines.contracts.protections import Bucket
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.gates import Hold, Publish, RuleKind, Split
from readiness_pipelines.testing import judge

AGE, SEX = "age", "sex"
SCHEMA = {
    "patient": pa.Column(arrow.string(), nullable=True),
    AGE: pa.Column(arrow.int64(), pa.Check.ge(0), nullable=True),
    SEX: pa.Column(arrow.string(), nullable=True),
    "diagnosis": pa.Column(arrow.string(), nullable=True),
}
K = "age_sex_k_anonymity"


def gate(*rules: Any, schema: dict[str, Any] = SCHEMA, **options: Any) -> Gate:
    return Gate(pa.DataFrameSchema(schema), rules=rules, **options)


def row(age: int | None, sex: str | None = "F", patient: str = "p", diagnosis: str | None = "flu") -> dict[str, Any]:
    return {"patient": patient, AGE: age, SEX: sex, "diagnosis": diagnosis}


def detail(judged: Any, rule: str) -> tuple[int, str]:
    return next((one.broken_rows, one.detail) for one in judged.verdict.rules if one.rule.name == rule)


def test_a_batch_with_groups_too_small_is_held_and_says_how_many_rows_and_no_value() -> None:
    rows = [row(30), row(30), row(41), row(None), row(None)]
    held = judge(gate(KAnonymity(2, [AGE, SEX])), *rows)
    held.assert_held(f"{K}: 1 of 5 rows (20.00%) are among fewer than 2 rows with the same age, sex")
    assert "41" not in detail(held, K)[1]
    assert next(one.kind for one in gate(KAnonymity(2, [AGE])).rules if "k_anonymity" in one.name) is RuleKind.BATCH
    warned = judge(gate(KAnonymity(2, [AGE, SEX]), routes={K: Route.WARN}), *rows)
    assert isinstance(warned.outcome, Publish)
    assert detail(warned, K)[0] == 1
    allowed = Tolerance(rules={K: Tolerance(quarantined_ratio=0.1)})
    assert isinstance(
        judge(gate(KAnonymity(2, [AGE, SEX]), routes={K: Route.WARN}, tolerance=allowed), *rows).outcome, Hold
    )


def test_persons_are_counted_and_not_rows_where_a_column_tells_them_apart() -> None:
    rows = [row(30, patient="a"), row(30, patient="a"), row(30, patient="a")]
    assert isinstance(judge(gate(KAnonymity(2, [AGE, SEX])), *rows).outcome, Publish)
    judge(gate(KAnonymity(2, [AGE, SEX], persons="patient")), *rows).assert_held("fewer than 2 persons")


def test_what_is_quarantined_does_not_hide_anybody() -> None:
    rows = [row(30), row(30), row(-5), row(-5)]
    assert isinstance(judge(gate(KAnonymity(2, [AGE, SEX])), *rows).outcome, Split)
    mixed = [row(30, "F"), {**row(-30, "F")}, row(30, "F"), row(41, "M"), row(-41, "M")]
    judge(gate(KAnonymity(2, [SEX])), *mixed).assert_held("1 of 3 rows")


def test_it_is_counted_of_what_is_published_after_protection() -> None:
    rows = [row(31), row(34), row(38), row(39)]
    bucketed = {**SCHEMA, AGE: pa.Column(arrow.int64(), metadata=protect("phi.quasi", Bucket(10)))}
    judge(gate(KAnonymity(4, [AGE, SEX])), *rows).assert_held("k_anonymity")
    assert isinstance(judge(gate(KAnonymity(4, [AGE, SEX]), schema=bucketed), *rows).outcome, Publish)


def test_a_group_of_which_all_have_the_same_is_not_diverse() -> None:
    rule = LDiversity(2, [AGE, SEX], sensitive="diagnosis")
    name = "age_sex_diagnosis_l_diversity"
    assert isinstance(judge(gate(rule), row(30, diagnosis="flu"), row(30, diagnosis="asthma")).outcome, Publish)
    alike = judge(gate(rule), row(30, diagnosis="flu"), row(30, diagnosis="flu"), row(30, diagnosis=None))
    alike.assert_held("3 of 3 rows (100.00%) share age, sex with rows of fewer than 2 different values of diagnosis")
    assert "flu" not in detail(alike, name)[1]
    assert isinstance(judge(gate(rule), row(30, diagnosis=None)).outcome, Publish), "nothing is given away"


def test_an_empty_batch_gives_nobody_away() -> None:
    types = {"patient": arrow.string(), AGE: arrow.int64(), SEX: arrow.string(), "diagnosis": arrow.string()}
    assert detail(judge(gate(KAnonymity(2, [AGE, SEX]), allow_empty=True), types=types), K) == (0, "")


@pytest.mark.parametrize(
    "made", [lambda: KAnonymity(1, [AGE]), lambda: KAnonymity(2, [AGE], persons=AGE), lambda: LDiversity(2, [AGE], AGE)]
)
def test_a_condition_that_cannot_be_meant_is_refused(made: Any) -> None:
    with pytest.raises(DeclarationError):
        made()


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownNameError, match="zip"):
        gate(KAnonymity(2, ["zip"]))


@given(ages=st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=1, max_size=30), k=st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_it_is_what_counting_in_python_says(ages: list[int | None], k: int) -> None:
    judged = judge(gate(KAnonymity(k, [AGE, SEX]), routes={K: Route.WARN}), *(row(age) for age in ages))
    assert detail(judged, K)[0] == sum(ages.count(age) < k for age in ages)
