"""Columns that a pattern or a rule names: what is none is refused, and what did not arrive is said."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Deduplicate, ExistsIn, Gate, KAnonymity, NotInOtherBatches, cleanse
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import KnownKeys
from readiness_pipelines.testing import judge


def test_a_pattern_of_columns_that_is_none_is_refused() -> None:
    with pytest.raises(GateBuildError, match="is no regular expression"):
        Gate(pa.DataFrameSchema({r"^s(\d+$": pa.Column(arrow.int64(), regex=True)}))


@pytest.mark.parametrize(
    "given",
    [
        {"metadata": cleanse(Deduplicate("id_1"))},
        {"unique": ["id_1", "b"]},
        {"rules": [ExistsIn("id_1", table="o")]},
        {"rules": [NotInOtherBatches("id_1")]},
        {"rules": [KAnonymity(2, ["id_1"])]},
    ],
)
def test_a_column_that_only_a_pattern_matches_and_a_rule_names_may_be_missing(given: dict[str, Any]) -> None:
    rules = given.pop("rules", [])
    columns = {r"^id_\d$": pa.Column(arrow.int64(), regex=True), "b": pa.Column(str)}
    gate = Gate(pa.DataFrameSchema(columns, **given), rules=rules)
    other = arrow.table({"id_1": [7]})
    tables = {"o": other} if isinstance(rules and rules[0], ExistsIn) else {}
    judge(gate, {"id_2": 1, "b": "x"}, tables=tables, other_batches=other).assert_held("missing: id_1")
    known = {"o": KnownKeys.of(["id_1"], [(1,)])}
    assert {b.rule for b in gate.check_record({"id_2": 1, "b": "x"}, known=known).broken} == {"columns_present"}


def test_no_other_batch_publishes_a_value_of_a_column_that_is_new() -> None:
    gate = Gate(pa.DataFrameSchema({"n": pa.Column(arrow.int64())}), rules=[NotInOtherBatches("n")])
    judge(gate, {"n": 1}, other_batches=arrow.table({"a": [7]})).assert_publishes({"n": 1})
