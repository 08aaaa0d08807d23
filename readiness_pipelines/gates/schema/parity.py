"""Whether the query says of an expression what Pandera says of it on Arrow, and of which rows it does not.

An expression is read operation by operation, with the kind of values that each works on. The query decides where tests
show that every engine answers alike; all else is Pandera's. NaN, which engines place differently, may be in a column or
be made on the way: `Parity.doubts` are the parts that can be NaN, and where one is, Pandera decides.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as pa
from narwhals import Expr

from readiness_pipelines.engines.expressions import is_elementwise, nodes_of
from readiness_pipelines.engines.operations import Decider, Reach, operation_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.schema.kinds import (
    EXACT_WHOLE,
    FLOATS,
    INSTANTS,
    NUMBERS,
    Kind,
    is_exact_single,
    kind_of_type,
    kind_of_value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What is known of an expression.

    Attributes:
        why_not: Why Pandera decides it and not the query, for people; "" where the query does.
        doubts: Parts that may be NaN: floats, and numbers computed of them. Where one is, Pandera decides.
        elementwise: Whether its answer for a row depends on that row alone.
        mixes: Whether decimals and floats meet in it: engines take both for floats, Python compares them exactly.
    """

    why_not: str
    doubts: tuple[nw.Expr, ...]
    elementwise: bool
    mixes: bool


def parity_of(lifted: Expr, types: Mapping[str, pa.DataType], *, rule: str, widens: bool) -> Parity:
    """Read an expression.

    Args:
        lifted: The expression.
        types: The types of the columns it may read.
        rule: The rule's name, for the error.
        widens: Whether the library whose word counts compares 32-bit floats as 64-bit ones, as Arrow does.

    Raises:
        GateBuildError: An operation that is not known, leaves its answer to chance, or answers with other rows than it
            is given; integers beside a float so large that Pandera does not compare them.
    """
    _refuse(lifted, rule)
    reader = _Reader(types, widens=widens)
    try:
        reader.read(lifted)
    except _NotAlike as reason:
        why = str(reason)
    except _NeverExact as reason:
        raise GateBuildError(
            f"the rule {rule!r} has {reason}", way_out="write the number as the column's own type has it"
        ) from reason
    else:
        why = ""
    return Parity(
        why_not=why,
        doubts=tuple(reader.doubts),
        elementwise=is_elementwise(lifted),
        mixes={Kind.DECIMAL, Kind.FLOAT} <= reader.kinds,
    )


class _NotAlike(Exception):  # noqa: N818  # not an error: it says who decides
    """An operation, or kind of values, that engines do not treat alike; its message says which."""


class _NeverExact(Exception):  # noqa: N818  # as above
    """Kinds of values that Pandera refuses to compare as soon as such values arrive; its message says which."""


class _Inexact(_NotAlike):
    """A 32-bit float beside a constant that it does not hold exactly."""


def _refuse(lifted: Expr, rule: str) -> None:
    nodes = nodes_of(lifted)
    for place, node in enumerate(nodes):
        operation = operation_of(node)
        if operation is None:
            raise GateBuildError(
                f"the rule {rule!r} uses {node.name!r}, of which it is not known what engines say",
                way_out="write it with other operations, or as a native check, which Pandera runs itself",
            )
        if operation.decider is Decider.REFUSED:
            raise GateBuildError(
                f"the rule {rule!r} uses {node.name!r}: {operation.note}",
                way_out="write it so that the same batch always has the same answer",
            )
        aggregated = any(after.kind.is_scalar_like for after in nodes[place + 1 :])
        if operation.reach is Reach.LENGTH and not aggregated:
            raise GateBuildError(
                f"the rule {rule!r} uses {node.name!r}, which answers with other rows than it is given",
                way_out="let the check answer for every row, or once for the batch, with an aggregate behind it",
            )
        for inner in (*node.exprs, *node.kwargs.values()):
            for part in inner if isinstance(inner, list | tuple) else (inner,):
                if isinstance(part, Expr):
                    _refuse(part, rule)


class _Reader:
    """Reads expressions; raises `_NotAlike` at the first thing that is left to Pandera."""

    def __init__(self, types: Mapping[str, pa.DataType], *, widens: bool) -> None:
        self._types = types
        self._widens = widens
        self.doubts: list[nw.Expr] = []
        self.kinds: set[Kind] = set()

    def read(self, lifted: Expr) -> Kind:
        """The kind of an expression's values."""
        nodes = nodes_of(lifted)
        kind = Kind.NULL
        for place, node in enumerate(nodes):
            operation = operation_of(node)
            if operation is None or operation.decider is not Decider.QUERY:
                note = operation.note if operation else "not known"
                raise _NotAlike(f"{node.name}: {note}" if note else node.name)
            before = nodes[:place]
            if node.kind.is_scalar_like and before and not is_elementwise(nw.Expr(*before)):
                raise _NotAlike(f"{node.name} of what depends on other rows")
            kind = self._apply(node, kind, self._operands(node), before)
            self.kinds.add(kind)
            followed = place + 1 < len(nodes) and nodes[place + 1].name == "over"
            if kind in FLOATS and node.name in _MAKES_NAN and not followed:
                self.doubts.append(nw.Expr(*nodes[: place + 1]))
        return kind

    def _operands(self, node: Any) -> list[Kind]:
        return [self._operand(part, text=node.str_as_lit) for part in node.exprs]

    def _operand(self, part: Any, *, text: bool) -> Kind:
        if isinstance(part, Expr):
            return self.read(part)
        if isinstance(part, str) and not text:
            return self.read(nw.col(part))
        kind = _constant(part)
        self.kinds.add(kind)
        return kind

    def _apply(self, node: Any, kind: Kind, operands: list[Kind], before: tuple[Any, ...]) -> Kind:
        match node.name:
            case "col":
                return self._column(node)
            case "lit" if node.kwargs.get("dtype") is None:
                return _constant(node.kwargs["value"])
            case "is_in":
                for value in node.kwargs["other"]:
                    _joined(node, kind, self._operand(value, text=True), _number(value))
                return Kind.FLAG
            case "over":
                self._check_over(node, before)
                return kind
            case "fill_null" if node.kwargs.get("strategy") is None:
                return _joined_all(node, kind, operands)
            case "fill_nan":
                return _joined(node, _only(node, kind, {Kind.FLOAT}), _constant(node.kwargs["value"]))
            case _:
                _check_arguments(node)
                try:
                    return _RESULTS[node.name](node, kind, operands)
                except _Inexact:
                    if self._widens and node.name in _COMPARISONS:
                        return Kind.FLAG
                    raise

    def _column(self, node: Any) -> Kind:
        kinds = {self._named(name) for name in node.kwargs["names"]}
        if len(kinds) != 1:
            raise _NotAlike(f"several columns at once, of {' and '.join(sorted(kinds))}")
        return kinds.pop()

    def _named(self, name: str) -> Kind:
        if name not in self._types:  # the frame's own say so, when it is bound
            return Kind.TEXT if name in ("_batch", "_file") else Kind.OTHER
        return kind_of_type(self._types[name])

    def _check_over(self, node: Any, before: tuple[Any, ...]) -> None:
        if node.kwargs["order_by"]:
            raise _NotAlike("over in an order")
        if before[-1].name not in _OVER:
            raise _NotAlike(f"{before[-1].name} over columns")
        for part in node.kwargs["partition_by"]:
            kind = self.read(part if isinstance(part, Expr) else nw.col(part))
            if kind in FLOATS or kind is Kind.OTHER:
                raise _NotAlike(f"over {kind}")


def _check_arguments(node: Any) -> None:
    """Leave to Pandera what an operation does with some of its arguments."""
    if node.name == "lit":
        raise _NotAlike("a constant with a type of its own")
    if node.name == "fill_null":
        raise _NotAlike("fill_null by a strategy: in the order of `_row`")
    if node.name == "quantile" and node.kwargs["interpolation"] != "linear":
        raise _NotAlike("a quantile that is not linear")
    if node.name.startswith("str.") and not all(isinstance(part, str) for part in node.exprs):
        raise _NotAlike(f"{node.name} of a column")


def _constant(value: Any) -> Kind:
    if value != value:  # noqa: PLR0124  # NaN differs from itself
        raise _NotAlike("a constant NaN")
    return kind_of_value(value)


def _only(node: Any, kind: Kind, allowed: Iterable[Kind]) -> Kind:
    if kind not in allowed and kind is not Kind.NULL:
        raise _NotAlike(f"{node.name} of {kind}")
    return kind


def _joined(node: Any, one: Kind, other: Kind, value: Any = None) -> Kind:
    """The kind that values of two kinds have together, where engines join and compare them alike.

    `value` is the other one where it is a constant number.
    """
    if Kind.NULL in (one, other):
        return other if one is Kind.NULL else one
    if Kind.SINGLE in (one, other):
        if one is other or (one is Kind.SINGLE and value is not None and is_exact_single(value)):
            return Kind.SINGLE
        inexact = one is Kind.SINGLE and value is not None
        raise (_Inexact if inexact else _NotAlike)(f"{node.name} of {Kind.SINGLE} and what they may not hold exactly")
    if one is other or {one, other} <= INSTANTS:
        if one is Kind.OTHER:
            raise _NotAlike(f"{node.name} of {one}")
        return one
    if {one, other} <= NUMBERS:
        if Kind.FLOAT not in (one, other):
            return Kind.DECIMAL
        if one is Kind.WHOLE and isinstance(value, float) and EXACT_WHOLE <= abs(value) < inf:
            raise _NeverExact(f"{node.name} of {one} and a float beyond 2^53, about which integers differ from floats")
        return Kind.FLOAT
    raise _NotAlike(f"{node.name} of {one} and {other}")


def _joined_all(node: Any, kind: Kind, operands: list[Kind], skip: int = 0) -> Kind:
    for part, operand in zip(node.exprs[skip:], operands[skip:], strict=True):
        kind = _joined(node, kind, operand, _number(part))
    return kind


def _number(part: Any) -> Any:
    return part if isinstance(part, int | float) and not isinstance(part, bool) else None


_Result = Callable[[Any, Kind, list[Kind]], Kind]


def _same(*allowed: Kind) -> _Result:
    return lambda node, kind, _operands: _only(node, kind, allowed)


def _gives(result: Kind, *allowed: Kind) -> _Result:
    def found(node: Any, kind: Kind, operands: list[Kind]) -> Kind:
        for one in (kind, *operands):
            _only(node, one, allowed or tuple(Kind))
        return result

    return found


def _compared(node: Any, kind: Kind, operands: list[Kind]) -> Kind:
    _joined_all(node, kind, operands)
    return Kind.FLAG


def _computed(*allowed: Kind) -> _Result:
    def found(node: Any, kind: Kind, operands: list[Kind]) -> Kind:
        for one in (kind, *operands):
            _only(node, one, allowed)
        return _joined_all(node, kind, operands)

    return found


def _divided(node: Any, kind: Kind, operands: list[Kind]) -> Kind:
    _computed(Kind.WHOLE, Kind.FLOAT)(node, kind, operands)
    return Kind.FLOAT


def _chosen(node: Any, kind: Kind, operands: list[Kind]) -> Kind:
    _only(node, operands[0], (Kind.FLAG,))
    return _joined_all(node, kind, operands, skip=1)


_CALENDAR = (Kind.DATE, Kind.NAIVE, Kind.UTC)
_MEASURED = (Kind.WHOLE, Kind.FLOAT)
_PLAIN = tuple(kind for kind in Kind if kind is not Kind.OTHER)
_DISTINCT = tuple(kind for kind in _PLAIN if kind not in FLOATS)
"""Kinds whose equal values are the same to all: of floats, Arrow tells -0.0 from 0.0."""
_SUMMED: Mapping[Kind, Kind] = {Kind.FLAG: Kind.WHOLE}

_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "is_between")

_RESULTS: Mapping[str, _Result] = {
    **dict.fromkeys(("alias",), _same(*Kind)),
    **dict.fromkeys(
        ("__and__", "__or__", "__invert__", "any_horizontal", "all_horizontal", "any", "all"),
        _gives(Kind.FLAG, Kind.FLAG),
    ),
    **dict.fromkeys(_COMPARISONS, _compared),
    **dict.fromkeys(("__add__", "__sub__", "__rsub__", "__mul__"), _computed(*NUMBERS)),
    **dict.fromkeys(("__truediv__", "__rtruediv__"), _divided),
    **dict.fromkeys(("__neg__", "abs"), _same(*NUMBERS)),
    **dict.fromkeys(("clip", "clip_lower", "clip_upper"), _computed(*_MEASURED)),
    "is_null": _gives(Kind.FLAG),
    **dict.fromkeys(("is_nan", "is_finite"), _gives(Kind.FLAG, Kind.WHOLE, Kind.FLOAT, Kind.SINGLE)),
    "coalesce": _computed(*(kind for kind in _PLAIN if kind is not Kind.SINGLE)),
    "when_then": _chosen,
    **dict.fromkeys(("str.contains", "str.starts_with", "str.ends_with"), _gives(Kind.FLAG, Kind.TEXT)),
    "str.len_chars": _gives(Kind.WHOLE, Kind.TEXT),
    **dict.fromkeys(
        ("dt.year", "dt.month", "dt.day", "dt.ordinal_day", "dt.weekday"), _gives(Kind.WHOLE, *_CALENDAR)
    ),
    **dict.fromkeys(("dt.hour", "dt.minute", "dt.second"), _gives(Kind.WHOLE, Kind.NAIVE, Kind.UTC)),
    **dict.fromkeys(("len", "count", "null_count"), _gives(Kind.WHOLE)),
    "n_unique": _gives(Kind.WHOLE, *_DISTINCT),
    "sum": lambda node, kind, _operands: _SUMMED.get(
        _only(node, kind, (*NUMBERS, Kind.FLAG)), kind
    ),
    **dict.fromkeys(("mean", "std", "var", "median", "quantile"), _gives(Kind.FLOAT, *_MEASURED)),
    **dict.fromkeys(("min", "max"), _same(*_PLAIN)),
    **dict.fromkeys(("is_unique", "is_duplicated"), _gives(Kind.FLAG, *_DISTINCT)),
}  # fmt: skip
"""What an operation makes of the kinds it is given; it raises `_NotAlike` for those that engines treat differently."""

_OVER = frozenset(["sum", "mean", "min", "max", "count", "len", "null_count", "n_unique", "std", "var", "any", "all"])
_MAKES_NAN = frozenset(
    [
        *("col", "__add__", "__sub__", "__rsub__", "__mul__", "__truediv__", "__rtruediv__"),
        *("sum", "mean", "std", "var", "median", "quantile", "over"),
    ]
)
