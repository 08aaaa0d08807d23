"""Expressions over all kinds of columns, and what Pandera says of them."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as arrow

col, nan, inf = nw.col, math.nan, math.inf


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A time in 2024."""
    return datetime(2024, month, day, hour, minute, 0, 999999, tzinfo=UTC)


VALUES: dict[str, tuple[arrow.DataType, list[Any]]] = {
    "i": (arrow.int64(), [1, -2, 0, None, 7, 7, 2**40, 5]),
    "j": (arrow.int32(), [0, 3, 0, 2, None, -7, 5, 5]),
    "f": (arrow.float64(), [1.5, -2.5, 0.0, None, inf, 3.5, nan, 1e300]),
    "g": (arrow.float64(), [0.1, 0.5, 0.0, 2.0, inf, None, 1.0, -inf]),
    "plain": (arrow.float64(), [0.1, 0.5, 0.0, 2.0, 5.5, None, 1.0, -3.0]),
    "zeros": (arrow.float64(), [0.0, -0.0, 1.0, 1.0, None, -0.0, 0.5, 2.0]),
    "h": (arrow.float32(), [0.1, 0.5, 0.0, None, nan, -inf, 0.25, 16777216.0]),
    "d": (arrow.decimal128(10, 2), [*map(Decimal, ("1.10", "-2.00", "0.05", "9.99", "1.10", "0.00", "0.10")), None]),
    "t": (arrow.string(), ["a", "B", "", None, "ä b", " x ", "😀z", "a"]),
    "k": (arrow.string(), ["x", "x", "y", "y", None, None, "x", "z"]),
    "b": (arrow.bool_(), [True, False, None, True, False, True, None, False]),
    "day": (arrow.date32(), [date(2024, 2, 29), date(1969, 12, 31), None, *(date(2024, 1, n) for n in range(1, 6))]),
    "n": (arrow.timestamp("us"), [None, *(at(1, n, 12).replace(tzinfo=None) for n in range(1, 8))]),
    "z": (arrow.timestamp("us", "UTC"), [at(2, 29, 23, 59), None, *(at(1, n, 23) for n in range(1, 7))]),
    "w": (arrow.timestamp("us", "America/New_York"), [at(3, 1, 2), None, *(at(1, n, 3) for n in range(1, 7))]),
}  # fmt: skip
TABLE = arrow.table({name: arrow.array(values, kind) for name, (kind, values) in VALUES.items()})

NUMBERS: list[nw.Expr] = [
    *(made for name in ("i", "f", "g", "d") for made in (col(name), -col(name), col(name).abs(), col(name) * 2 - 1)),
    *(col(name) / col("j") for name in ("i", "f", "g")),
    *(1 / col(name) for name in ("i", "f", "g")),
    *(col(a) - col(b) for a, b in (("f", "g"), ("g", "g"), ("i", "f"), ("d", "f"), ("d", "i"))),
    *(col(a) * col(b) for a, b in (("f", "g"), ("i", "g"), ("d", "d"))),
    *(col("f").floor(), col("g").ceil(), col("f").clip(0, 5), col("i").clip(lower_bound=1), col("f").fill_nan(7.0)),
    *(col("g").fill_null(0.5), nw.coalesce(col("f"), col("g")), nw.when(col("b")).then(col("f")).otherwise(col("g"))),
    *(col("f").sqrt(), col("g").log(), col("f").exp(), col("f").sin(), col("f").round(1), col("i") % 3, col("i") // -3),
    *(col("i") ** 2, col("d") / 3, col("f").cast(nw.Float32), nw.max_horizontal("f", "g"), nw.sum_horizontal("i", "g")),
    *(col("t").str.len_chars(), col("day").dt.month(), col("n").dt.hour(), col("z").dt.hour(), col("w").dt.hour()),
    *(col("w").dt.day(), col("w").dt.weekday(), col("z").dt.weekday(), col("n").dt.second(), col("n").dt.microsecond()),
    *(getattr(col(name), what)() for name in ("i", "plain", "f", "g") for what in ("sum", "mean", "min", "max", "std")),
    *(getattr(col(name), what)() for name in ("i", "plain", "f") for what in ("var", "median", "count", "null_count")),
    *(col("plain").quantile(0.3, "linear"), nw.len(), col("t").n_unique(), (col("f") - col("g")).sum()),
    *(col("i").sum().over("k"), col("plain").mean().over("k"), col("f").max().over("k"), nw.len().over("k")),
    *(col("plain") - col("plain").mean(), col("f") - col("f").min(), (col("i") - col("i").mean()).max()),
    *(col("i").diff(), col("i").shift(1), col("i").cum_sum(), col("plain").rolling_mean(2), col("i").rank("dense")),
    *(col("i").first(), col("plain").drop_nulls().last(), col("i").filter(col("b")).sum(), col("i").arg_max()),
]
CONDITIONS: list[nw.Expr] = [
    *(made > 0.5 for made in NUMBERS),
    *(~(made <= 0.5) for made in NUMBERS[::3]),
    *(made.is_null() for made in NUMBERS[1::3]),
    *((col("f") > 0) | col("f").is_nan(), ~(col("f") > 0), col("f") != 1.5, col("f").is_in([1.5, inf])),
    *(col("f").is_finite(), col("d").is_in([Decimal("0.10")]), col("d") >= 0.1, col("d") == Decimal("1.1")),
    *(col("h") > 0.1, col("h").is_in([0.1, 0.5]), col("h").is_between(0.1, 0.5), col("h") > col("g")),
    *(col("i") >= 2**53, col("i").is_in([]), col("h") == 0.25),
    *(col("t") > "a", col("t").str.contains("[a-z]"), col("t").str.starts_with("a"), col("t").str.slice(1) == ""),
    *(col("t").str.to_uppercase() == "A", col("t").str.to_lowercase() == "b"),
    *(col("t").str.strip_chars() == "x", col("t").is_unique(), col("i").is_duplicated(), col("i").is_first_distinct()),
    *(col("b") & (col("i") > 0), col("b") | (col("f") > 0), ~col("b"), col("b").any(), (col("f") > 0).all()),
    *(col("b").all(), nw.all_horizontal(col("b"), col("f") > 0, ignore_nulls=False)),
    *(col("day") >= date(2024, 1, 2), col("n") < datetime(2024, 1, 2), col("w") >= at(1, 2, 0)),  # noqa: DTZ001
    nw.any_horizontal(col("f", "g") > 1, ignore_nulls=False),
    ~nw.all_horizontal(col("f", "h") < 1, ignore_nulls=False),
    *(col("zeros").is_duplicated(), col("zeros").n_unique() == 3, ~col("g").is_unique()),
    ~nw.all_horizontal(col("t", "k").is_null(), ignore_nulls=False),
    *(col("w") > col("z"), col("n").dt.truncate("1d") == col("n"), col("w").dt.date() > date(2024, 1, 2)),
]  # fmt: skip


def always(made: nw.Expr) -> Callable[[Any], nw.Expr]:
    """A check of the frame that is an expression."""
    return lambda _frame: made


def pandera_says(made: nw.Expr) -> set[int] | bool:
    """The rows of `TABLE` that Narwhals, by which Pandera checks, fails on Arrow; or whether the batch fails."""
    answers = nw.from_native(TABLE, eager_only=True).select(made.alias("x"))["x"].to_list()
    failing = {row for row, answer in enumerate(answers) if answer is False}
    return bool(failing) if len(answers) == 1 else failing
