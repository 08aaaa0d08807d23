"""The one query over the rows: every lifted test as a flag, and the rows with any flag up."""

from collections.abc import Mapping
from typing import Any, assert_never

import narwhals.stable.v1 as nw

from readiness_pipelines.errors import GateBuildError, first_line
from readiness_pipelines.gates.judge.batch_view import BatchView, is_float
from readiness_pipelines.gates.judge.bits import Bit, words_with
from readiness_pipelines.gates.judge.layout import LaidColumn
from readiness_pipelines.gates.judge.others import UsualRange
from readiness_pipelines.gates.judge.violations import Violations
from readiness_pipelines.gates.schema.advice import advice_on
from readiness_pipelines.gates.schema.lifting import FRAME, expression
from readiness_pipelines.gates.schema.rules import Runner
from readiness_pipelines.gates.schema.tests import (
    Checked,
    ColumnsExpected,
    ColumnsOrdered,
    ColumnsPresent,
    NotNull,
    Readable,
    Referenced,
    SchemaUnchanged,
    Typed,
    Unique,
    WithinUsual,
)


def find_lifted(
    view: BatchView, bits: tuple[Bit, ...], violations: Violations, ranges: Mapping[str, UsualRange]
) -> None:
    """Find the rows that break a lifted test.

    Raises:
        GateBuildError: A test that cannot be evaluated on this batch (an overflow, say); names its rule.
    """
    frame = view.frame
    flags = {bit.place: breaks for bit in bits if (breaks := _breaks(view, frame, bit, ranges)) is not None}
    if not flags:
        violations.keep(f"SELECT _row, {words_with(bits, {})} FROM {view.rows} WHERE false")
        return
    flagged = f"flagged_{view.tag}"
    named = {f"b{place}": breaks for place, breaks in flags.items()}
    try:
        view.engine.view(flagged, nw.to_native(frame.select("_row", **named)))
        words = words_with(bits, {place: f"b{place}" for place in flags})
        violations.keep(f"SELECT _row, {words} FROM {flagged} WHERE {' OR '.join(named)}")
    except view.engine.refusals as error:
        raise _culprit(view, bits, flags) or error from error


def find_aggregates(view: BatchView, bits: tuple[Bit, ...]) -> dict[str, str]:
    """Evaluate all conditions on the whole batch in one query; the reasons of the broken ones, by rule name.

    Raises:
        GateBuildError: A condition that cannot be evaluated on this batch; names the rules.
    """
    tests = [bit.test for bit in bits if _is_aggregate(bit)]
    if not tests:
        return {}
    frame = view.frame.filter(nw.col("_unreadable").is_null())
    named = {
        f"a{bit.place}": view.engine.adapted(expression(bit.test.check, key_of(bit), frame))
        for bit in bits
        if isinstance(bit.test, Checked) and _is_aggregate(bit)
    }
    try:
        (answers,) = view.engine.select(frame.select(**named))
    except view.engine.refusals as error:
        raise GateBuildError(
            f"the rules {', '.join(t.rule.name for t in tests)} cannot be evaluated on the batch: {first_line(error)}",
            way_out=advice_on(error),
        ) from error
    return {
        test.rule.name: test.rule.reason
        for test, answer in zip(tests, answers, strict=True)
        if isinstance(test, Checked) and (answer is False or (answer is None and not test.check.ignore_na))
    }


def key_of(bit: Bit) -> str:
    """The column that a bit's check is attached to, or `FRAME`."""
    return bit.column.name if bit.column else FRAME


def _is_aggregate(bit: Bit) -> bool:
    return isinstance(bit.test, Checked) and bit.test.rule.runs_on is Runner.QUERY and not bit.test.of_rows


def _breaks(view: BatchView, frame: Any, bit: Bit, ranges: Mapping[str, UsualRange]) -> nw.Expr | None:
    """The expression that is true where a row breaks a test; ``None`` for tests that are decided elsewhere."""
    readable = nw.col("_unreadable").is_null()
    match bit.test:
        case Readable():
            return ~readable
        case Typed():
            return nw.col(bit.column.unconverted) if bit.column and bit.column.unconverted else None
        case NotNull():
            assert bit.column is not None  # noqa: S101  # bits_of gives every column test its column
            value = nw.col(bit.column.name)
            absent = value.is_null() | value.is_nan() if is_float(bit.column) else value.is_null()
            return absent & readable & _converted(bit.column)
        case WithinUsual() as test:
            return _is_unusual(bit, test, ranges)
        case Checked() as test:
            if test.rule.runs_on is not Runner.QUERY or not test.of_rows:
                return None
            return _fails(view, frame, bit, test) & readable & _converted(bit.column)
        case Unique() | Referenced():
            return None
        case ColumnsPresent() | ColumnsExpected() | ColumnsOrdered() | SchemaUnchanged():
            return None
        case _:
            assert_never(bit.test)


def _is_unusual(bit: Bit, test: WithinUsual, ranges: Mapping[str, UsualRange]) -> nw.Expr | None:
    """Where a number lies outside its usual range, widened; ``None`` where there is no such range."""
    usual = ranges.get(bit.column.name) if bit.column else None
    if bit.column is None or usual is None or usual.batches < test.reference.least_batches or usual.low == usual.high:
        return None
    beyond = test.reference.widened_by * (usual.high - usual.low)
    value = nw.col(bit.column.name)
    outside = ~value.is_between(usual.low - beyond, usual.high + beyond)
    return outside.fill_null(value=False) & nw.col("_unreadable").is_null() & _converted(bit.column)


def _fails(view: BatchView, frame: Any, bit: Bit, test: Checked) -> nw.Expr:
    """A check's expression, turned round; NaN, which DuckDB takes for the greatest number, as Pandera judges it."""
    passes = view.engine.adapted(expression(test.check, key_of(bit), frame))
    fails = (~passes).fill_null(value=not test.check.ignore_na)
    if bit.column is None and view.floats:
        return fails & ~nw.any_horizontal(*(_is_nan(name) for name in view.floats), ignore_nulls=False)
    if bit.column is not None and test.nan_fails is not None:
        nan = _is_nan(bit.column.name)
        return fails | nan if test.nan_fails else fails & ~nan
    return fails


def _is_nan(name: str) -> nw.Expr:
    return nw.col(name).is_nan().fill_null(value=False)


def _converted(column: LaidColumn | None) -> nw.Expr:
    """True where the column's value converted: one that did not is broken by its type alone."""
    if column is None or column.unconverted is None:
        return nw.lit(value=True)
    return ~nw.col(column.unconverted)


def _culprit(view: BatchView, bits: tuple[Bit, ...], flags: Mapping[int, nw.Expr]) -> GateBuildError | None:
    """The first test that cannot be evaluated alone, as an error that names it."""
    for bit in bits:
        try:
            if bit.place in flags:
                # In two steps: no engine takes a window inside of an aggregate, and would blame the wrong rule.
                breaks = view.frame.select(breaks=flags[bit.place])
                view.engine.select(breaks.select(nw.col("breaks").any()))
        except view.engine.refusals as error:
            return GateBuildError(
                f"the rule {bit.test.rule.name!r} cannot be evaluated on this batch: {first_line(error)}",
                way_out=advice_on(error),
            )
    return None
