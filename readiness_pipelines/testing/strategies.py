"""Rows that a gate passes, and rows that break a named rule of it, made with Hypothesis.

Every row is checked with `Gate.check_record` before it is given: what a strategy promises, the gate has said.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.gates import Gate, Rule, RuleKind, Runner
from readiness_pipelines.gates.schema.columns import ColumnSpec
from readiness_pipelines.gates.schema.tests import Checked, GateTest, NotNull, Typed

Row = Mapping[str, Any]
Values = st.SearchStrategy[Any]

_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
_TEXT = st.text(_LETTERS, max_size=20)


def passing_rows(gate: Gate) -> st.SearchStrategy[dict[str, Any]]:
    """Rows that break no rule of a gate, as Python values by column; patterns of columns are left out.

    Args:
        gate: The gate.

    Raises:
        DeclarationError: A column of a type that no strategy is known for.
    """
    columns = _columns(gate)
    values = {column.name: _passing(gate, column) for column in columns}
    return st.fixed_dictionaries(values).filter(lambda row: not gate.check_record(row).broken)


def breaking_rows(gate: Gate, rule: str) -> st.SearchStrategy[dict[str, Any]]:
    """Rows that break a named row rule of a gate, and perhaps others.

    Args:
        gate: The gate.
        rule: The rule's name, as ``gate.explain()`` has it.

    Raises:
        UnknownNameError: The gate has no such rule.
        DeclarationError: The rule needs the whole batch, may need it (a native check), or speaks of columns by pattern.
    """
    found = _rule(gate, rule)
    columns = [column for column in _columns(gate) if not found.columns or column.name in found.columns]
    if found.kind is not RuleKind.ROW or found.runs_on is Runner.PANDERA or not columns or rule == "readable":
        raise DeclarationError(
            f"no row alone breaks the {found.kind} rule {rule!r}",
            way_out="breaking_batches makes rows that together break a uniqueness rule",
        )
    test = next(test for test in gate.tests if test.rule.name == rule)

    def breaks(row: Row) -> bool:
        return any(broken.rule == rule for broken in gate.check_record(row).broken)

    nothing: dict[str, Any] = {column.name: None for column in _columns(gate)}

    def breaks_alone(column: str) -> Callable[[Any], bool] | None:
        return (lambda value: breaks({**nothing, column: value})) if len(columns) == 1 else None

    replaced = {column.name: _breaking(column, test, breaks_alone(column.name)) for column in columns}
    whole = st.builds(operator.or_, passing_rows(gate), st.fixed_dictionaries(replaced))
    return whole.filter(breaks)


def passing_batches(gate: Gate, *, min_rows: int = 1, max_rows: int = 10) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows that a gate passes one by one, and whose unique columns differ.

    Conditions on the whole batch (row counts, aggregates) and references are not looked at.

    Args:
        gate: The gate.
        min_rows: How many rows at least.
        max_rows: How many rows at most.
    """
    keys = [*gate.spec.unique, *((column.name,) for column in gate.spec.columns if column.unique)]
    unique = tuple(lambda row, key=key: tuple(map(row.get, key)) for key in keys)
    rows = passing_rows(gate)
    if not unique:
        return st.lists(rows, min_size=min_rows, max_size=max_rows)
    return st.lists(rows, min_size=min_rows, max_size=max_rows, unique_by=unique)


def breaking_batches(gate: Gate, rule: str, *, max_rows: int = 10) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Batches in which some row breaks a named rule: a row rule, or uniqueness.

    Args:
        gate: The gate.
        rule: The rule's name, as ``gate.explain()`` has it.
        max_rows: How many rows at most.

    Raises:
        UnknownNameError: The gate has no such rule.
        DeclarationError: Another rule over the batch, or over other tables.
    """
    found = _rule(gate, rule)
    passing = passing_batches(gate, max_rows=max_rows)
    key = next((key for key in gate.spec.unique if key == found.columns), None) or found.columns
    if found.kind is RuleKind.BATCH and (key in gate.spec.unique or rule.endswith("_unique")):

        def repeated(rows: list[dict[str, Any]], row: dict[str, Any]) -> list[dict[str, Any]]:
            return [*rows, row | {name: rows[0][name] for name in key}]

        return st.builds(repeated, passing, passing_rows(gate))
    return st.builds(lambda rows, row: [*rows, row], passing, breaking_rows(gate, rule))


def _rule(gate: Gate, name: str) -> Rule:
    rules = {rule.name: rule for rule in gate.rules}
    if name not in rules:
        raise UnknownNameError("rule", name, rules)
    return rules[name]


def _columns(gate: Gate) -> list[ColumnSpec]:
    return [column for column in gate.spec.columns if not column.pattern]


def _passing(gate: Gate, column: ColumnSpec) -> Values:
    """Values of a column that break none of its own rules, whatever the others hold."""
    others: dict[str, Any] = {other.name: None for other in _columns(gate)}

    def passes(value: Any) -> bool:
        verdict = gate.check_record({**others, column.name: value})
        return all(broken.column != column.name for broken in verdict.broken)

    values = _wanted(column).filter(passes)
    return values | st.none() if column.nullable else values


def _wanted(column: ColumnSpec) -> Values:
    """Values that look like what the column's checks ask for; the narrowest check decides."""
    asked: dict[str, Any] = {}
    for check in column.checks:
        asked |= {f"{check._check_fn.__name__}.{name}": value for name, value in (check.statistics or {}).items()}
    if "equal_to.value" in asked:
        return st.just(asked["equal_to.value"])
    if "isin.allowed_values" in asked:
        return st.sampled_from(sorted(asked["isin.allowed_values"], key=repr))
    if pa.types.is_string(column.type or pa.string()):
        return _wanted_text(asked)
    lows = [v for n, v in asked.items() if n.endswith(".min_value") and v is not None]
    highs = [v for n, v in asked.items() if n.endswith(".max_value") and v is not None]
    return _of_type(column, max(lows, default=None), min(highs, default=None))


def _wanted_text(asked: Mapping[str, Any]) -> Values:
    if "str_matches.pattern" in asked:
        pattern = _pattern(asked["str_matches.pattern"])
        return _matching(pattern if pattern.startswith("^") else f"^{pattern}")
    exact = asked.get("str_length.exact_value")
    low = exact if exact is not None else asked.get("str_length.min_value") or 0
    high = exact if exact is not None else asked.get("str_length.max_value")
    texts = st.text(_LETTERS, min_size=low, max_size=low + 20 if high is None else high)
    if "str_contains.pattern" in asked:
        texts = _matching(_pattern(asked["str_contains.pattern"]))
    prefix, suffix = asked.get("str_startswith.string", ""), asked.get("str_endswith.string", "")
    return texts.map(lambda text: f"{prefix}{text}{suffix}") if prefix or suffix else texts


def _pattern(given: Any) -> str:
    return str(getattr(given, "pattern", given))


def _matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(re.compile(pattern, re.ASCII), alphabet=_LETTERS)


def _of_type(column: ColumnSpec, low: Any, high: Any) -> Values:
    kind = column.type or pa.string()
    if pa.types.is_string(kind):
        return _TEXT
    if pa.types.is_boolean(kind):
        return st.booleans()
    if pa.types.is_integer(kind):
        signed = pa.types.is_signed_integer(kind)
        least, most = (-(1 << kind.bit_width - 1) if signed else 0), (1 << kind.bit_width - signed) - 1
        least = least if low is None else max(least, int(low))
        return st.integers(least, most if high is None else min(most, int(high)))
    if pa.types.is_floating(kind):
        bounded = st.floats(low, high, allow_nan=False, allow_infinity=False)
        return bounded.map(lambda value: pa.scalar(value, kind).as_py())
    if pa.types.is_date(kind):
        return st.dates(low or date(1900, 1, 1), high or date(2200, 1, 1))
    if pa.types.is_timestamp(kind):
        return _times(kind, low, high)
    if pa.types.is_decimal(kind):
        largest = Decimal(10) ** (kind.precision - kind.scale) - Decimal(1)
        return st.decimals(-largest if low is None else low, largest if high is None else high, places=kind.scale)
    raise DeclarationError(f"no strategy is known for the type {kind} of column {column.name!r}")


def _times(kind: pa.DataType, low: Any, high: Any) -> Values:
    start, end = datetime(1900, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001  # st.datetimes takes naive bounds
    naive = [bound.astimezone(UTC).replace(tzinfo=None) if bound and bound.tzinfo else bound for bound in (low, high)]
    return st.datetimes(naive[0] or start, naive[1] or end, timezones=_zone(kind))


def _zone(kind: pa.DataType) -> Any:
    return st.just(UTC) if kind.tz else st.none()


def _breaking(column: ColumnSpec, test: GateTest, breaks: Callable[[Any], bool] | None) -> Values:
    """Values of a column that are likely to break a test; surely, where `breaks` tells by that value alone."""
    match test:
        case Typed():
            return st.just("no such value")
        case NotNull():
            return st.none()
        case Checked(check=check):
            values = _of_type(column, None, None) | st.none()
            edges = _edges(check, column)
            if breaks is None:
                return values | st.sampled_from(edges) if edges else values
            broken = [edge for edge in edges if breaks(edge)]
            return st.sampled_from(broken) if broken else values.filter(breaks)
        case _:
            return _of_type(column, None, None)


def _edges(check: Any, column: ColumnSpec) -> list[Any]:
    """Values at, and just beside, what a check's arguments name."""
    edges: list[Any] = ["", " ", "no such value", "?", "0"] if pa.types.is_string(column.type or pa.string()) else []
    for name, value in (check.statistics or {}).items():
        if name == "forbidden_values":
            edges += list(value)
        elif check._check_fn.__name__ == "str_length" and isinstance(value, int):
            edges += ["x" * length for length in (value - 1, value + 1) if length >= 0]
        elif not isinstance(value, list | bool | re.Pattern | NoneType):
            edges += [value, *_beside(value)]
    return edges


def _beside(value: Any) -> list[Any]:
    match value:
        case bool() | str():
            return []
        case int() | float() | Decimal():
            return [value - 1, value + 1]
        case date():
            return [value - timedelta(days=1), value + timedelta(days=1)]
        case _:
            return []
