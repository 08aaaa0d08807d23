"""A gate's version, and what changed between two."""

from datetime import date
from functools import partial
from types import FunctionType
from typing import Any

import narwhals.stable.v1 as nw
import pandera.pandas as pp
import pandera.polars as pl_schema
import pandera.pyarrow as pa
import polars as pl
import pyarrow as arrow
import pytest

from readiness_pipelines import (
    Deduplicate,
    ExistsIn,
    Gate,
    Route,
    SchemaChange,
    Tolerance,
    Trim,
    ZeroPad,
    cleanse,
    row_count,
)
from readiness_pipelines.gates import ChangeKind, GateDeclaration, differences

C = pa.Check


def gate(*checks: Any, kind: Any = str, options: dict[str, Any] | None = None, **gating: Any) -> Gate:
    return Gate(pa.DataFrameSchema({"a": pa.Column(kind, list(checks), **(options or {}))}), **gating)


def changes(before: Gate, after: Gate) -> list[tuple[str, str]]:
    return [(change.kind.value, change.what) for change in differences(before.declaration, after.declaration)]


def test_a_model_and_a_schema_that_mean_the_same_have_the_same_version() -> None:
    class Model(pa.DataFrameModel):
        """Words do not count."""

        a: arrow.int64() = pa.Field(ge=0, description="nor here")

    assert Gate(Model).version == gate(C.ge(0), kind=arrow.int64()).version


def test_the_flavour_does_not_count() -> None:
    versions = {
        gate(C.isin(["x", "y"])).version,
        Gate(pl_schema.DataFrameSchema({"a": pl_schema.Column(pl.String, C.isin(["y", "x"]))})).version,
        Gate(pp.DataFrameSchema({"a": pp.Column(str, C.isin(["x", "y", "x"]))})).version,
    }
    assert len(versions) == 1


def test_a_check_is_what_it_does_with_the_constants_it_names_and_not_its_words() -> None:
    def model(error: str, limit: date) -> Gate:
        class Model(pa.DataFrameModel):
            a: arrow.date32()

            @pa.dataframe_check(native=False, name="late", error=error)
            def late(cls, _frame: Any) -> Any:
                return (nw.col("a") >= limit) & (nw.col("a").dt.year() > LEAST)

        return Gate(Model)

    def elsewhere() -> Gate:
        class Model(pa.DataFrameModel):
            a: arrow.date32()

            @pa.dataframe_check(error="other words", name="late", native=False)
            def written_again(cls, _frame: nw.LazyFrame[Any]) -> nw.Expr:
                """Words."""
                # and more of them
                return (nw.col("a") >= limit) & (nw.col("a").dt.year() > LEAST)

        limit = date(2026, 1, 1)
        return Gate(Model)

    given = model("words", date(2026, 1, 1))
    assert given.version == model("other words", date(2026, 1, 1)).version == elsewhere().version
    assert given.version != model("words", date(2026, 1, 2)).version

    def least(year: int) -> str:
        check = FunctionType(_later.__code__, {**_later.__globals__, "LEAST": year})
        return gate(C(check, native=False, name="later"), kind=arrow.date32()).version

    assert least(2000) == gate(C(_later, native=False, name="later"), kind=arrow.date32()).version != least(2001)


LEAST = 2000


def _later(_frame: Any) -> Any:
    return nw.col("a").dt.year() > LEAST


def test_checks_of_the_same_kind_may_be_written_in_any_order() -> None:
    assert gate(C.ne("x"), C.ne("y")).version == gate(C.ne("y"), C.ne("x")).version


@pytest.mark.parametrize(
    "changed",
    [
        gate(options={"metadata": cleanse(Trim())}),
        gate(options={"default": "x"}),
        gate(rules=[row_count(at_least=1)]),
        gate(rules=[ExistsIn("a", table="t")]),
        gate(schema_change=SchemaChange.FREEZE),
        gate(allow_empty=True),
        gate(tolerance=Tolerance(rules={"a_not_nullable": Tolerance(quarantined_rows=1)})),
        gate(default_route=Route.HOLD),
        Gate(pa.DataFrameSchema({"a": pa.Column(str)}, metadata=cleanse(Deduplicate("a")))),
        Gate(pa.DataFrameSchema({"a": pa.Column(str)}, add_missing_columns=True)),
        gate(options={"unique": True}),
    ],
)
def test_whatever_decides_over_rows_changes_the_version(changed: Gate) -> None:
    assert changed.version != gate().version
    assert differences(gate().declaration, changed.declaration)


def _by_ward(frame: Any) -> Any:
    return frame.groupby("ward")


def _by_region(frame: Any) -> Any:
    return frame.groupby("region")


def test_what_a_check_groups_by_counts_and_may_be_a_function() -> None:
    def gate(by: Any, *groups: str) -> Gate:
        check = pp.Check(lambda given: given["A"].sum() > 0, groupby=by, groups=list(groups), name="some")
        columns = {"a": pp.Column(int, check), "ward": pp.Column(str), "region": pp.Column(str)}
        return Gate(pp.DataFrameSchema(columns))

    gates = [gate("ward", "A"), gate("region", "A"), gate("ward", "A", "B"), gate(_by_ward, "A"), gate(_by_region, "A")]
    assert len({one.version for one in gates}) == len(gates)
    assert gate(_by_ward, "A").version == gates[3].version
    (change,) = differences(gates[0].declaration, gates[1].declaration)
    assert change.kind is ChangeKind.TIGHTENED


def test_the_arguments_of_a_batch_rule_count() -> None:
    assert gate(rules=[row_count(at_least=1)]).version != gate(rules=[row_count(at_least=2)]).version
    assert gate(rules=[row_count(at_least=1)]).version == gate(rules=[row_count(at_least=1)]).version


def test_gates_that_ask_the_same_do_not_differ() -> None:
    assert changes(gate(C.ne("x"), C.ne("y")), gate(C.ne("y"), C.ne("x"))) == []


@pytest.mark.parametrize(
    ("before", "after", "kind", "what"),
    [
        (gate(C.ge(0), kind=int), gate(C.ge(1), kind=int), "tightened", "rule greater_than_or_equal_to on a"),
        (gate(C.ge(1), kind=int), gate(C.ge(0), kind=int), "loosened", "rule greater_than_or_equal_to on a"),
        (gate(C.in_range(0, 9), kind=int), gate(C.in_range(0, 10), kind=int), "loosened", "rule in_range on a"),
        (gate(C.in_range(0, 9), kind=int), gate(C.in_range(1, 10), kind=int), "tightened", "rule in_range on a"),
        (gate(C.isin(["x"])), gate(C.isin(["x", "y"])), "loosened", "rule isin on a"),
        (gate(C.isin(["x", "y"])), gate(C.isin(["y"])), "tightened", "rule isin on a"),
        (gate(C.notin(["x"])), gate(C.notin(["x", "y"])), "tightened", "rule notin on a"),
        (gate(), gate(C.ne("x")), "tightened", "rule not_equal_to on a"),
        (gate(C.ne("x")), gate(), "loosened", "rule not_equal_to on a"),
        (gate(C.str_matches("^a")), gate(C.str_matches("^b")), "tightened", "rule str_matches on a"),
        (gate(kind=int), gate(kind=float), "breaking", "column a: type"),
        (gate(options={"required": False}), gate(), "tightened", "column a: required"),
        (gate(), gate(options={"metadata": cleanse(ZeroPad(3))}), "loosened", "column a: cleansing"),
        (gate(), gate(tolerance=Tolerance(quarantined_ratio=0.1)), "tightened", "tolerance: quarantined_ratio"),
        (
            gate(tolerance=Tolerance(quarantined_ratio=0.1)),
            gate(tolerance=Tolerance(quarantined_ratio=0.2)),
            "loosened",
            "tolerance: quarantined_ratio",
        ),
        (gate(schema_change=SchemaChange.EVOLVE), gate(), "breaking", "schema_change"),
        (gate(C.ne("x")), gate(C.ne("x", error="no x")), "cosmetic", "reason of rule a_not_equal_to"),
        (
            gate(C.ne("x")),
            gate(C.ne("x"), routes={"a_not_equal_to": Route.HOLD}),
            "tightened",
            "rule not_equal_to on a: route",
        ),
        (
            gate(C.ne("x")),
            gate(C.ne("x"), routes={"a_not_equal_to": Route.WARN}),
            "loosened",
            "rule not_equal_to on a: route",
        ),
    ],
)
def test_a_change_is_told_for_what_it_is(before: Gate, after: Gate, kind: str, what: str) -> None:
    assert (kind, what) in changes(before, after)


def test_columns_that_come_and_go_are_told() -> None:
    one = Gate(pa.DataFrameSchema({"a": pa.Column(str), "b": pa.Column(str)}))
    assert ("breaking", "column b") in changes(one, gate())
    assert ("tightened", "column b") in changes(gate(), one)


def test_a_declaration_survives_being_stored() -> None:
    asked = gate(C.isin(["x"]), rules=[row_count(at_least=1)], options={"metadata": cleanse(Trim())}).declaration
    import json  # noqa: PLC0415  # what a database does with it

    again = GateDeclaration.from_json(json.loads(json.dumps(asked.to_json())))
    assert again == asked
    assert differences(again, asked) == ()


def test_the_version_follows_the_code_of_a_registered_check_that_has_arguments() -> None:
    def version(body: Any) -> str:
        check = pa.Check(partial(body, least=1), statistics={"least": 1})
        return Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64(), check)})).version

    def enough(data: Any, least: int) -> bool:
        return bool(data.table.num_rows >= least)

    def more(data: Any, least: int) -> bool:
        return bool(data.table.num_rows > least)

    assert version(enough) != version(more)
