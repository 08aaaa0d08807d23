"""The table of Narwhals' operations: complete, and printed in the docs."""

import inspect
from itertools import groupby
from pathlib import Path

import narwhals.stable.v1 as nw

from readiness_pipelines.engines.expressions import nodes_of
from readiness_pipelines.engines.operations import OPERATIONS, Operation, operation_of

DOCS = Path(__file__).parents[2] / "docs" / "pandera-parity.md"
NAMESPACES = ("str", "dt", "cat", "list", "struct", "name")


def public_operations() -> set[str]:
    """Every public way of Narwhals to make an expression out of expressions."""
    names = {name for name in dir(nw.Expr) if not name.startswith("_")} - {*NAMESPACES}
    names |= _OPERATORS & set(dir(nw.Expr))
    column = nw.col("a")
    for space in NAMESPACES:
        names |= {f"{space}.{name}" for name in dir(getattr(column, space)) if not name.startswith("_")}
    for name, function in inspect.getmembers(nw, inspect.isfunction):
        if str(inspect.signature(function).return_annotation).split(".")[-1] in ("Expr", "When", "Expr'>", "When'>"):
            names.add(name)
    return names


_ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or")
_OPERATORS = {f"__{side}{name}__" for side in ("", "r") for name in _ARITHMETIC}
_OPERATORS |= {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__neg__", "__invert__"}


def test_every_public_operation_of_narwhals_has_a_row() -> None:
    found = public_operations()
    assert len(found) > 140
    assert found - OPERATIONS.keys() == set()


def test_operations_are_known_by_the_names_of_their_nodes() -> None:
    """What Narwhals makes of a public call is in the table, too; `nw.all()` is columns, `Expr.all` an aggregate."""
    a = nw.col("a")
    made = [a.clip(0, 1), a.clip(lower_bound=1), a.is_close(1), a.str.head(1), 1 - a, a.sum().over("b")]
    made += [nw.when(a > 1).then(2), nw.max_horizontal("a", "b")]
    for expression in made:
        assert all(operation_of(node) for node in nodes_of(expression)), expression
    assert operation_of(nodes_of(nw.all())[0]) is OPERATIONS["selectors"]
    assert operation_of(nodes_of(a.all())[1]) is OPERATIONS["all"]


def test_the_docs_print_the_table() -> None:
    assert table() in DOCS.read_text(), table()


def table() -> str:
    """The table as Markdown: a line for operations that are alike."""
    lines = ["| operations | depend on | decided by | |", "| --- | --- | --- | --- |"]
    for alike, names in groupby(OPERATIONS, key=OPERATIONS.__getitem__):
        lines.append(_line(alike, list(names)))
    return "\n".join(lines)


def _line(alike: Operation, names: list[str]) -> str:
    spelled = " ".join(f"`{name}`" for name in names)
    return f"| {spelled} | {alike.reach} | {alike.decider} | {alike.note} |"
