"""What each operation of Narwhals is to a gate: whether the query may decide it, Pandera has to, or nobody can.

Complete over Narwhals' public expressions, as a test demands; what is not here is refused. An operation is left to the
query only where tests show that the engines say of it what Pandera says on Arrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """What an operation's answer depends on.

    ``ROW``: the row alone. ``BATCH``: all rows, whatever their order. ``ORDER``: the order of the rows. ``LENGTH``:
    it answers with other rows than it was given.
    """

    ROW = "row"
    BATCH = "batch"
    ORDER = "order"
    LENGTH = "length"


class Decider(StrEnum):
    """Who decides an operation: the query, for the kinds of values that it is known to treat alike; Pandera; nobody."""

    QUERY = "query"
    PANDERA = "Pandera"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        reach: What its answer depends on.
        decider: Who decides it.
        note: Why, or for which values, for people.
    """

    reach: Reach
    decider: Decider
    note: str = ""


def _each(names: str, reach: Reach, decider: Decider, note: str = "") -> dict[str, Operation]:
    return dict.fromkeys(names.split(), Operation(reach, decider, note))


OPERATIONS: Mapping[str, Operation] = {
    **_each("col lit alias pipe", Reach.ROW, Decider.QUERY),
    **_each("__and__ __or__ __rand__ __ror__ __invert__", Reach.ROW, Decider.QUERY, "of conditions"),
    **_each("any_horizontal all_horizontal", Reach.ROW, Decider.QUERY, "of conditions"),
    **_each(
        "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ is_between is_in",
        Reach.ROW,
        Decider.QUERY,
        "of values of one kind; `is_in` of 32-bit floats with numbers that they hold exactly",
    ),
    **_each(
        "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__",
        Reach.ROW,
        Decider.QUERY,
        "of numbers, without 32-bit floats; may make NaN",
    ),
    **_each("__truediv__ __rtruediv__", Reach.ROW, Decider.QUERY, "of integers and 64-bit floats; may make NaN"),
    **_each("__neg__ abs", Reach.ROW, Decider.QUERY, "of numbers"),
    **_each("clip clip_lower clip_upper", Reach.ROW, Decider.QUERY, "of integers and 64-bit floats"),
    **_each("is_null", Reach.ROW, Decider.QUERY),
    **_each("is_nan is_finite", Reach.ROW, Decider.QUERY, "of integers and floats"),
    **_each("fill_null", Reach.ROW, Decider.QUERY, "by a value of the same kind; a strategy looks at the order"),
    **_each("fill_nan", Reach.ROW, Decider.QUERY, "of 64-bit floats"),
    **_each("coalesce when_then when", Reach.ROW, Decider.QUERY, "of values of one kind"),
    **_each("str.contains str.starts_with str.ends_with", Reach.ROW, Decider.QUERY, "with a text, not a column"),
    **_each("str.len_chars", Reach.ROW, Decider.QUERY),
    **_each(
        "dt.year dt.month dt.day dt.ordinal_day dt.weekday",
        Reach.ROW,
        Decider.QUERY,
        "of dates, and of times without a zone or in UTC; others are in their own zone",
    ),
    **_each(
        "dt.hour dt.minute dt.second",
        Reach.ROW,
        Decider.QUERY,
        "of times without a zone or in UTC; others are in their own zone",
    ),
    **_each("len count null_count", Reach.BATCH, Decider.QUERY),
    **_each("n_unique is_unique is_duplicated", Reach.BATCH, Decider.QUERY, "not of floats: -0.0 is not 0.0 to all"),
    **_each("sum", Reach.BATCH, Decider.QUERY, "without 32-bit floats; NaN goes to Pandera"),
    **_each("mean std var median", Reach.BATCH, Decider.QUERY, "of integers and 64-bit floats; NaN goes to Pandera"),
    **_each("quantile", Reach.BATCH, Decider.QUERY, "linear, of integers and 64-bit floats; NaN goes to Pandera"),
    **_each("min max", Reach.BATCH, Decider.QUERY, "NaN goes to Pandera"),
    **_each("any all", Reach.BATCH, Decider.QUERY, "of conditions"),
    **_each(
        "over", Reach.BATCH, Decider.QUERY, "of one of the aggregates above, by columns that are no floats, in no order"
    ),
    **_each(
        "__floordiv__ __rfloordiv__ __mod__ __rmod__ __pow__ __rpow__",
        Reach.ROW,
        Decider.PANDERA,
        "engines differ about zero, signs and overflow",
    ),
    **_each("sqrt exp log sin cos", Reach.ROW, Decider.PANDERA, "may make NaN, and engines differ in the last digit"),
    **_each(
        "floor ceil round cast is_close replace_strict",
        Reach.ROW,
        Decider.PANDERA,
        "engines round and convert differently",
    ),
    **_each(
        "sum_horizontal mean_horizontal min_horizontal max_horizontal",
        Reach.ROW,
        Decider.PANDERA,
        "engines differ about NaN",
    ),
    **_each("concat_str format struct", Reach.ROW, Decider.PANDERA, "engines write values differently"),
    **_each(
        "str.head str.tail str.slice str.pad_start str.pad_end str.zfill str.split str.replace str.replace_all "
        "str.strip_chars str.strip_chars_start str.strip_chars_end",
        Reach.ROW,
        Decider.PANDERA,
        "engines count and cut differently",
    ),
    **_each(
        "str.to_lowercase str.to_uppercase str.to_titlecase",
        Reach.ROW,
        Decider.PANDERA,
        "engines know different tables of letters",
    ),
    **_each("str.to_date str.to_datetime str.to_time", Reach.ROW, Decider.PANDERA, "engines read different texts"),
    **_each(
        "dt.date dt.truncate dt.to_string dt.offset_by dt.timestamp dt.convert_time_zone dt.replace_time_zone "
        "dt.millisecond dt.microsecond dt.nanosecond dt.total_minutes dt.total_seconds dt.total_milliseconds "
        "dt.total_microseconds dt.total_nanoseconds",
        Reach.ROW,
        Decider.PANDERA,
        "engines differ about zones and fractions of a second",
    ),
    **_each(
        "list.contains list.get list.len list.max list.mean list.median list.min list.sort list.sum list.unique "
        "struct.field",
        Reach.ROW,
        Decider.PANDERA,
        "engines differ about what is inside of a value",
    ),
    **_each(
        "name.keep name.map name.prefix name.suffix name.to_lowercase name.to_uppercase",
        Reach.ROW,
        Decider.PANDERA,
        "a check's answer needs no name",
    ),
    **_each(
        "nth exclude selectors",
        Reach.ROW,
        Decider.PANDERA,
        "of columns that the check does not name: the query has more than the schema's",
    ),
    **_each("kurtosis skew corr cov", Reach.BATCH, Decider.PANDERA, "engines differ about infinities and few values"),
    **_each(
        "diff shift cum_sum cum_count cum_min cum_max cum_prod rolling_sum rolling_mean rolling_std rolling_var "
        "ewm_mean is_first_distinct is_last_distinct rank first last arg_min arg_max",
        Reach.ORDER,
        Decider.PANDERA,
        "in the order of `_row`",
    ),
    **_each("map_batches", Reach.ORDER, Decider.PANDERA, "a function of Python, over all rows in the order of `_row`"),
    **_each(
        "drop_nulls filter head tail unique sort arg_true gather_every cat.get_categories",
        Reach.LENGTH,
        Decider.PANDERA,
        "only below an aggregate, in the order of `_row`: a check answers for every row, or once",
    ),
    **_each("any_value mode sample", Reach.LENGTH, Decider.REFUSED, "which value it takes is left to chance"),
}  # fmt: skip
"""The operations, by the name that Narwhals gives them."""

_SPELLED = {"_is_close_float_promote": "is_close"}
"""Operations that stand for a public one under another name."""


def operation_of(node: object) -> Operation | None:
    """The operation of one node of an expression; ``None`` for one that is not known."""
    name: str = getattr(node, "name", "")
    kind: str = getattr(getattr(node, "kind", None), "name", "")
    if kind in ("ALL", "NTH", "EXCLUDE", "SELECTOR"):  # `nw.all()` is not the aggregate `all`
        return OPERATIONS["selectors"]
    return OPERATIONS.get(_SPELLED.get(name, name))
