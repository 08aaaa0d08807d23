"""What a column means that is new, missing or of another type than in the batch accepted last."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Gate, SchemaChange
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import Publish
from readiness_pipelines.testing import judge

SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(arrow.int32(), pa.Check.ge(0)),
        "note": pa.Column(arrow.string(), nullable=True, required=False),
    }
)
ACCEPTED = {"id": "string", "note": "string"}


@pytest.mark.parametrize("change", list(SchemaChange))
def test_the_first_batch_changes_nothing(change: SchemaChange) -> None:
    judged = judge(Gate(SCHEMA, schema_change=change), {"id": 1, "extra": "y"})
    assert judged.verdict.findings == ()
    assert judged.verdict.arrived == {"id": "int64", "extra": "string"}
    assert isinstance(judged.outcome, Publish)


def test_a_new_column_that_differs_from_one_of_the_table_in_case_alone_is_not_published_and_said() -> None:
    gate = Gate(SCHEMA, schema_change=SchemaChange.EVOLVE)
    judged = judge(gate, {"id": 1, "Note": "y", "extra": "z"}, accepted=ACCEPTED)
    judged.assert_publishes({"id": 1, "note": None, "extra": "z"})
    (count,) = judged.verdict.broken
    assert "not published: Note" in count.detail


@pytest.mark.parametrize("change", list(SchemaChange))
def test_what_was_accepted_before_is_not_a_finding_whatever_the_schema_says(change: SchemaChange) -> None:
    gate = Gate(SCHEMA, schema_change=change)
    first = judge(gate, {"id": 1, "extra": "y"})
    again = judge(gate, {"id": 2, "extra": "z"}, accepted=first.verdict.arrived)
    assert again.verdict.findings == ()
    assert isinstance(again.outcome, Publish)


def test_a_rule_that_decides_comes_before_a_changed_schema() -> None:
    for change in SchemaChange:
        judged = judge(Gate(SCHEMA, schema_change=change), {"note": "x", "extra": "y"}, accepted=ACCEPTED)
        judged.assert_held("columns_present: missing: id")
        assert "schema_unchanged" not in judged.outcome.reason  # type: ignore[union-attr]  # held
        assert len(judged.verdict.findings) == 2
    rows: list[dict[str, Any]] = [{"id": "1", "extra": "y"}, {"id": "-1", "extra": "y"}]
    verdict = judge(Gate(SCHEMA), *rows, accepted=ACCEPTED).verdict
    assert [count.rule.name for count in verdict.deciding] == ["id_greater_than_or_equal_to"]
    assert [count.rule.name for count in verdict.broken][-1] == "schema_unchanged"


@pytest.mark.parametrize("change", list(SchemaChange))
def test_a_batch_of_the_schemas_shape_has_no_findings(change: SchemaChange) -> None:
    judged = judge(Gate(SCHEMA, schema_change=change), {"id": "1", "note": "x"}, accepted=ACCEPTED)
    assert judged.verdict.findings == ()
    assert isinstance(judged.outcome, Publish)


def test_a_new_column_is_a_finding_and_is_not_published() -> None:
    judged = judge(Gate(SCHEMA), {"id": "1", "note": "x", "extra": "y"}, accepted=ACCEPTED)
    (finding,) = judged.verdict.findings
    assert (finding.change, finding.column, finding.before, finding.after) == ("new column", "extra", "", "string")
    judged.assert_publishes({"id": 1, "note": "x"})
    assert "extra" not in judged.published[0]
    (count,) = judged.verdict.broken
    assert (count.rule.name, count.detail) == ("schema_unchanged", "extra (string) is new")


def test_a_new_column_may_be_published() -> None:
    judged = judge(
        Gate(SCHEMA, schema_change=SchemaChange.EVOLVE), {"id": "1", "note": "x", "extra": "y"}, accepted=ACCEPTED
    )
    judged.assert_publishes({"id": 1, "note": "x", "extra": "y"})
    assert judged.verdict.schema.field("extra").type == arrow.string()
    assert judged.verdict.findings[0].effect == "published, the table evolves"


def test_a_new_column_may_hold_the_batch() -> None:
    gate = Gate(SCHEMA, schema_change=SchemaChange.FREEZE)
    judge(gate, {"id": "1", "note": "x", "extra": "y"}, accepted=ACCEPTED).assert_held(
        "schema_unchanged: extra (string) is new"
    )


def test_a_missing_optional_column_is_a_finding() -> None:
    judged = judge(Gate(SCHEMA), {"id": "1"}, accepted=ACCEPTED)
    judged.assert_publishes({"id": 1, "note": None})
    assert [str(finding) for finding in judged.verdict.findings] == ["note (string) is missing"]
    frozen = Gate(SCHEMA, schema_change=SchemaChange.FREEZE)
    judge(frozen, {"id": "1"}, accepted=ACCEPTED).assert_held("note (string) is missing")


def test_a_wider_type_is_read_as_the_schemas_where_it_fits() -> None:
    judged = judge(
        Gate(SCHEMA), {"id": 1, "note": None}, {"id": 2**40, "note": None}, accepted=ACCEPTED | {"id": "int32"}
    )
    judged.assert_breaks({1: "id_dtype"})
    assert [str(finding) for finding in judged.verdict.findings] == ["id is int64, before int32"]


def test_a_wider_type_may_be_published_and_its_rules_hold() -> None:
    gate = Gate(SCHEMA, schema_change=SchemaChange.EVOLVE)
    judged = judge(gate, {"id": 1, "note": "x"}, {"id": 2**40, "note": "x"}, {"id": -(2**40), "note": "x"})
    judged.assert_breaks({2: "id_greater_than_or_equal_to"})
    judged.assert_publishes({"id": 1}, {"id": 2**40})
    assert judged.verdict.schema.field("id").type == arrow.int64()


def test_a_wider_type_may_hold_the_batch() -> None:
    gate = Gate(SCHEMA, schema_change=SchemaChange.FREEZE)
    judge(gate, {"id": 1, "note": "x"}, accepted=ACCEPTED | {"id": "int32"}).assert_held("id is int64, before int32")


def test_a_strict_schema_holds_a_batch_with_another_column_whatever_the_change_means() -> None:
    strict = pa.DataFrameSchema({"id": pa.Column(str)}, strict=True)
    judge(Gate(strict), {"id": "1", "extra": "y"}).assert_held("columns_expected: not in the schema: extra")
    with pytest.raises(GateBuildError, match="strict"):
        Gate(strict, schema_change=SchemaChange.EVOLVE)


def test_a_schema_that_filters_publishes_its_own_columns() -> None:
    schema = pa.DataFrameSchema({"id": pa.Column(str)}, strict="filter")
    judged = judge(Gate(schema), {"id": "1", "extra": "y"})
    assert list(judged.published[0]) == ["id"]


def test_missing_columns_may_be_added_by_the_schema() -> None:
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(str),
            "count": pa.Column(arrow.int64(), default=5),
            "note": pa.Column(str, nullable=True),
        },
        add_missing_columns=True,
    )
    judged = judge(Gate(schema), {"id": "1"}, accepted={"id": "string", "count": "int64", "note": "string"})
    judged.assert_publishes({"id": "1", "count": 5, "note": None})
    assert [str(finding) for finding in judged.verdict.findings] == [
        "count (int64) is missing",
        "note (string) is missing",
    ]


def test_a_missing_column_with_neither_default_nor_null_cannot_be_added() -> None:
    schema = pa.DataFrameSchema({"id": pa.Column(str), "count": pa.Column(arrow.int64())}, add_missing_columns=True)
    judge(Gate(schema), {"id": "1"}).assert_held("columns_present: missing: count")
