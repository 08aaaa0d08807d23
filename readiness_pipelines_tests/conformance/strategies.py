"""Random schemas and data that fit them: small domains, so that every rule is both kept and broken."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
from hypothesis import strategies as st

INTEGERS = [arrow.int64(), arrow.int32(), arrow.int8(), arrow.uint8()]
FLOATS = [arrow.float64(), arrow.float32()]
TIMES = [arrow.timestamp("us"), arrow.timestamp("us", tz="UTC")]
KINDS = [*INTEGERS, *FLOATS, arrow.string(), arrow.bool_(), arrow.date32(), *TIMES]

TEXTS = ["", " ", "a", "ab", "abc", "b", "A", "é", "a\nb", "a.b", "10", "x'y", '"', "日本", "ab ", "%", "_"]
PATTERNS = [r"a", r"^a", r"a$", r"^\w+$", r"[ab]+", r"^.{2}$", r"\d", r"^(?:a|b)", r"(?i)A", r"\.", r"^$", r"é", r"a?b"]


def values_of(kind: arrow.DataType) -> list[Any]:
    """The few values that a column of a type, and the arguments of its checks, are drawn from."""
    if arrow.types.is_unsigned_integer(kind):
        return [0, 1, 2, 3, 255]
    if arrow.types.is_integer(kind):
        return [-128, -1, 0, 1, 2, 3, 127]
    if arrow.types.is_floating(kind):
        return [-1.5, 0.0, 0.5, 1.0, 2.0, float("inf"), float("-inf")]
    if arrow.types.is_boolean(kind):
        return [True, False]
    if arrow.types.is_date(kind):
        return [date(2024, 2, 28) + timedelta(days=days) for days in range(4)]
    if arrow.types.is_timestamp(kind):
        zone = UTC if kind.tz else None
        return [datetime(2024, 2, 28, 23, 59, 58, tzinfo=zone) + timedelta(seconds=s) for s in range(4)]
    return TEXTS


def data_of(kind: arrow.DataType) -> st.SearchStrategy[Any]:
    """A value, null now and then, NaN among floats."""
    values = st.sampled_from(values_of(kind))
    if arrow.types.is_floating(kind):
        values = values | st.just(float("nan"))
    return values | st.none()


@st.composite
def checks_of(draw: st.DrawFn, kind: arrow.DataType) -> Any:
    """A built-in check that applies to a type, with arguments of the type."""
    value = st.sampled_from(values_of(kind))
    names = ["equal_to", "not_equal_to", "isin", "notin"]
    if not arrow.types.is_boolean(kind):
        names += ["greater_than", "greater_than_or_equal_to", "less_than", "less_than_or_equal_to"]
    if not arrow.types.is_boolean(kind) and not arrow.types.is_string(kind):
        names += ["in_range"]
    if arrow.types.is_string(kind):
        names += ["str_matches", "str_contains", "str_startswith", "str_endswith", "str_length"]
    options: dict[str, Any] = {"ignore_na": draw(st.booleans())}
    match draw(st.sampled_from(names)):
        case ("equal_to" | "not_equal_to") as name:
            return getattr(pa.Check, name)(draw(value), **options)
        case ("isin" | "notin") as name:
            return getattr(pa.Check, name)(draw(st.lists(value, min_size=1, max_size=4)), **options)
        case "in_range":
            low, high = sorted([draw(value), draw(value)])
            # Pandera refuses an interval that is empty.
            includes = {name: low == high or draw(st.booleans()) for name in ("include_min", "include_max")}
            return pa.Check.in_range(low, high, **includes, **options)
        case ("str_matches" | "str_contains") as name:
            return getattr(pa.Check, name)(draw(st.sampled_from(PATTERNS)), **options)
        case ("str_startswith" | "str_endswith") as name:
            return getattr(pa.Check, name)(draw(value), **options)
        case "str_length":
            low, high = sorted([draw(st.integers(0, 4)), draw(st.integers(0, 4))])
            bounds = draw(st.sampled_from([{"exact_value": low}, {"min_value": low, "max_value": high}]))
            return pa.Check.str_length(**bounds, **options)
        case name:
            return getattr(pa.Check, name)(draw(value), **options)


@dataclass(frozen=True)
class Case:
    """A schema, and a table of its types."""

    schema: pa.DataFrameSchema
    table: arrow.Table


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A schema of one to three columns with checks, uniqueness and nullability, and up to eight rows."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
    rows = draw(st.integers(1, 8))
    columns, arrays = {}, {}
    for index, kind in enumerate(kinds):
        name = f"c{index}"
        columns[name] = pa.Column(
            kind,
            draw(st.lists(checks_of(kind), max_size=3)),
            nullable=draw(st.booleans()),
            unique=draw(st.booleans()),
        )
        data = draw(st.lists(data_of(kind), min_size=rows, max_size=rows))
        arrays[name] = arrow.array(data, kind, from_pandas=False)
    unique = draw(st.none() | st.lists(st.sampled_from(list(columns)), min_size=1, max_size=3, unique=True))
    return Case(schema=pa.DataFrameSchema(columns, unique=unique), table=arrow.table(arrays))
