"""Who may take values out of rows, and who may repeat what others say of them: held by looking at the code itself."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "readiness_pipelines"

TAKES_VALUES = {
    # A draft is made of a file that nobody declared yet; a test's rows are its own.
    # Of rows over a stream's rolling tolerance, numbers alone are taken.
    "judge": {
        "delivery/judging.py",
        "delivery/rolling.py",
        "drafting/judging.py",
        "drafting/row_tests.py",
        "streaming/finishing.py",
    }
    | {"delivery/online/computing.py", "testing/verdicts.py"},
    "profile_of": {"delivery/profiling.py"},
    "profile_of_staged": {"delivery/profiling.py"},
    "values_of": {"delivery/kpis.py"},
    "quarantine_rows": {"cli/decisions.py", "reports/batch_facts.py", "reports/facts.py", "web/api.py"},
}
"""What gives values of rows to Python, and the only files that call it: each redacts what it passes on."""

SHOWING = ("alerts", "cli", "orchestration", "reports")
"""Rooms that show, store or send: they are given values that may be shown, and read no rows themselves."""

READS_ROWS = {"fetchall", "fetchone", "fetchmany", "to_pylist", "to_pandas", "plain_rows"}

HANDLE_ROWS = (
    "contracts",
    "decisions",
    "delivery",
    "engines",
    "gates/judge",
    "models",
    "overview",
    "products",
    "sources",
    "streaming",
    "training",
)
"""Rooms in which rows are handled: what others raise there may quote them, and is repeated by `quoted` alone."""

OF_NO_ROWS = {
    "contracts/on_call.py",  # a calendar's address
    "contracts/predictors.py",  # what pickle says of types; held by security/test_canary_of_models.py
    "contracts/serving_models.py",  # files with versions of models
    "models/artefacts.py",  # files
    "models/registry.py",  # MLflow, which is given no rows
    "models/serving.py",  # files
    "streaming/micro_batches.py",  # errors of ours
    "streaming/reading.py",  # errors of ours
    "training/exporting.py",  # files
    "overview/plan_file.py",  # a plan's file
    "overview/on_call.py",  # a calendar
    "sources/landing.py",  # paths
    "sources/csv_rows.py",  # csv.Error, which quotes nothing
    "sources/prelude.py",  # as above
    "sources/json_rows.py",  # our own parser's errors, which name places and keys
    "sources/json_stream.py",  # as above
    "sources/messages.py",  # as above
    "sources/message_values.py",  # as above, and Avro's decoder, which names counts and kinds
    "sources/changes/debezium.py",  # as above
    "sources/registry.py",  # schemas
    "sources/function.py",  # a batch's key that is none
    "engines/spark/session.py",  # a cluster that cannot be reached
}
"""Files there whose errors quote no rows, and why."""


@cache
def tree_of(file: Path) -> ast.AST:
    return ast.parse(file.read_text())


@cache
def called_in(file: Path) -> frozenset[str]:
    return frozenset(calls(tree_of(file)))


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            yield called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def repeated(tree: ast.AST) -> Iterator[str]:
    """What handlers repeat of what they caught, in texts, other than by ``quoted(error)``."""
    for handler in ast.walk(tree):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None:
            continue
        compared = {
            id(node.func.value)
            for node in ast.walk(handler)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith"
        }
        for node in ast.walk(handler):
            inner: list[ast.expr] = []
            if isinstance(node, ast.FormattedValue):
                inner = [node.value]
            elif (
                isinstance(node, ast.Call)
                and id(node) not in compared
                and getattr(node.func, "id", "") in ("str", "repr", "first_line", "format")
            ):
                inner = list(node.args)
            yield from (f"line {one.lineno}" for one in inner if isinstance(one, ast.Name) and one.id == handler.name)


@pytest.mark.parametrize("name", TAKES_VALUES)
def test_values_of_rows_are_taken_only_where_they_are_redacted(name: str) -> None:
    home = {"judge": "gates", "profile_of": "observability", "values_of": "products", "quarantine_rows": "overview"}
    found = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if name in called_in(file) and file.relative_to(PACKAGE).parts[0] != home.get(name)
    }
    assert found == TAKES_VALUES[name], f"whoever calls {name} passes values on: redact them by masking"


def test_what_shows_stores_or_sends_reads_no_rows() -> None:
    found = {
        f"{file.relative_to(PACKAGE)}: {name}"
        for room in SHOWING
        for file in (PACKAGE / room).rglob("*.py")
        for name in called_in(file)
        if name in READS_ROWS
    }
    assert found == set()


def test_what_others_raise_over_rows_is_repeated_only_by_quoted() -> None:
    found = {}
    for room in HANDLE_ROWS:
        for file in (PACKAGE / room).rglob("*.py"):
            name = str(file.relative_to(PACKAGE))
            if lines := list(repeated(tree_of(file))):
                found[name] = lines
    assert {name: lines for name, lines in found.items() if name not in OF_NO_ROWS} == {}


def test_the_search_sees_each_way_of_repeating_an_error() -> None:
    ways = ('f"{error}"', "str(error)", "first_line(error)", 'f"{str(error)}"', 'f"{error!r}"')
    for way in ways:
        assert list(repeated(ast.parse(f"try:\n    x\nexcept ValueError as error:\n    raise Other({way}) from error")))
    assert not list(
        repeated(ast.parse('try:\n    x\nexcept ValueError as error:\n    raise Other(f"{quoted(error)}")'))
    )
