"""Rules that look at other published rows."""

from decimal import Decimal

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import ExistsIn, Gate, NotInOtherBatches, Route
from readiness_pipelines.errors import DeclarationError, GateBuildError, UnknownNameError
from readiness_pipelines.gates import RuleKind
from readiness_pipelines.testing import judge

STAY = pa.DataFrameSchema({"stay": pa.Column(arrow.int64()), "ward": pa.Column(str, nullable=True)})
WARDS = arrow.table({"code": ["A", "B", None], "site": ["x", "x", "y"]})


def test_a_value_must_exist_in_the_other_table_and_null_asks_nothing() -> None:
    gate = Gate(STAY, rules=[ExistsIn("ward", table="wards", keys="code")])
    rule = next(rule for rule in gate.rules if rule.name == "ward_exists_in_wards")
    assert (rule.kind, rule.route, rule.reason) == (RuleKind.REFERENCE, Route.QUARANTINE, "ward exists in wards (code)")
    rows = ({"stay": 1, "ward": "A"}, {"stay": 2, "ward": "Z"}, {"stay": 3, "ward": None}, {"stay": 4, "ward": "B"})
    judge(gate, *rows, tables={"wards": WARDS}).assert_breaks({1: "ward_exists_in_wards"})


def test_several_columns_must_exist_together() -> None:
    schema = pa.DataFrameSchema({"code": pa.Column(str), "site": pa.Column(str)})
    gate = Gate(schema, rules=[ExistsIn(("code", "site"), table="wards")])
    rows = ({"code": "A", "site": "x"}, {"code": "A", "site": "y"})
    judge(gate, *rows, tables={"wards": WARDS}).assert_breaks({1: "code_site_exists_in_wards"})


def test_a_key_must_not_be_published_by_another_batch() -> None:
    gate = Gate(STAY, rules=[NotInOtherBatches("stay")])
    rows = ({"stay": 1, "ward": "A"}, {"stay": 2, "ward": "A"})
    others = arrow.table({"stay": [2, 7]})
    judge(gate, *rows, other_batches=others).assert_breaks({1: "stay_not_in_other_batches"})
    judge(gate, *rows).assert_breaks({})


def test_a_value_that_does_not_convert_breaks_its_type_alone() -> None:
    gate = Gate(STAY, rules=[NotInOtherBatches("stay")])
    judge(
        gate, {"stay": "x", "ward": "A"}, {"stay": "1", "ward": "A"}, other_batches=arrow.table({"stay": [1]})
    ).assert_breaks({0: "stay_dtype", 1: "stay_not_in_other_batches"})


def test_a_gate_says_what_it_compares_with() -> None:
    gate = Gate(STAY, rules=[ExistsIn("ward", table="wards", keys="code"), NotInOtherBatches("stay")])
    assert gate.referenced_tables == ("wards",)
    assert gate.compares_batches
    assert not Gate(STAY).compares_batches


def test_a_table_that_is_not_given_is_named() -> None:
    gate = Gate(STAY, rules=[ExistsIn("ward", table="wards", keys="code")])
    with pytest.raises(UnknownNameError, match="unknown table given to rule ward_exists_in_wards 'wards'"):
        judge(gate, {"stay": 1, "ward": "A"})


def test_a_column_that_the_other_table_lacks_is_named() -> None:
    gate = Gate(STAY, rules=[ExistsIn("ward", table="wards", keys="coed")])
    with pytest.raises(UnknownNameError, match="did you mean 'code'"):
        judge(gate, {"stay": 1, "ward": "A"}, tables={"wards": WARDS})


def test_a_column_that_the_schema_lacks_is_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ward'"):
        Gate(STAY, rules=[ExistsIn("wrad", table="wards")])


def test_types_that_do_not_compare_are_named() -> None:
    gate = Gate(STAY, rules=[ExistsIn("stay", table="wards", keys="since")])
    since = arrow.table({"since": arrow.array([0], arrow.timestamp("us"))})
    with pytest.raises(GateBuildError, match="'stay_exists_in_wards' cannot compare its columns"):
        judge(gate, {"stay": 1, "ward": "A"}, tables={"wards": since})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (arrow.int64(), arrow.float64()),  # 2**53 + 1 and 2**53 would be the same
        (arrow.string(), arrow.int64()),  # "01" and 1 would
        (arrow.bool_(), arrow.int64()),
        (arrow.date32(), arrow.timestamp("us")),
        (arrow.timestamp("us"), arrow.timestamp("us", tz="UTC")),
    ],
)
def test_types_that_would_be_changed_to_be_compared_are_refused(one: arrow.DataType, other: arrow.DataType) -> None:
    for mine, there in ((one, other), (other, one)):
        schema = pa.DataFrameSchema({"k": pa.Column(mine, nullable=True)})
        with pytest.raises(GateBuildError, match="'k_exists_in_o' cannot compare its columns: k is"):
            judge(
                Gate(schema, rules=[ExistsIn("k", table="o")]),
                {"k": None},
                types={"k": mine},
                tables={"o": arrow.table({"k": arrow.nulls(1, there)})},
            )


@pytest.mark.parametrize("there", [arrow.int32(), arrow.uint64(), arrow.decimal128(20, 0), arrow.decimal128(12, 2)])
def test_whole_numbers_and_decimals_are_compared_exactly(there: arrow.DataType) -> None:
    schema = pa.DataFrameSchema({"k": pa.Column(arrow.int64())})
    table = arrow.table(
        {"k": arrow.array([1, 7] if arrow.types.is_integer(there) else [Decimal(1), Decimal(7)], there)}
    )
    rule = ExistsIn("k", table="o")
    judge(Gate(schema, rules=[rule]), {"k": 7}, {"k": 2**53 + 1}, tables={"o": table}).assert_breaks(
        {1: "k_exists_in_o"}
    )


def test_keys_pair_up_with_columns() -> None:
    with pytest.raises(DeclarationError, match="compares 2 columns with 1 keys of wards"):
        ExistsIn(("code", "site"), table="wards", keys="code")
