"""The one query over the rows: every lifted test as a flag, and the rows with any flag up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

import narwhals.stable.v1 as nw

from readiness_pipelines.engines.expressions import columns_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.judge.batch_view import BatchView, is_float
from readiness_pipelines.gates.judge.bits import Bit, words_with
from readiness_pipelines.gates.judge.lifted import EVERY_ROW, LiftedCheck, left_to_pandera, refuse_memory
from readiness_pipelines.gates.judge.others import UsualRange
from readiness_pipelines.gates.judge.violations import Violations
from readiness_pipelines.gates.schema.advice import advice_on
from readiness_pipelines.gates.schema.tests import (
    Checked,
    ColumnsClassified,
    ColumnsExpected,
    ColumnsOrdered,
    ColumnsPresent,
    Disclosed,
    Masked,
    NotNull,
    Readable,
    Referenced,
    SchemaUnchanged,
    Typed,
    Unique,
    WithinUsual,
)
from readiness_pipelines.masking import quoted

_READABLE = nw.col("_unreadable").is_null()

TESTS_AT_ONCE = 250
"""So many are one query over the whole batch: what it takes to plan one grows with the square of its conditions."""


def find_lifted(
    view: BatchView,
    bits: tuple[Bit, ...],
    checks: Mapping[int, LiftedCheck],
    violations: Violations,
    ranges: Mapping[str, UsualRange],
) -> dict[int, str]:
    """Find the rows that break a lifted test; the checks that are left to Pandera, by place, each with SQL of its rows.

    Raises:
        GateBuildError: A test that cannot be evaluated on this batch (an overflow, say); names its rule.
    """
    flags = {}
    for bit in bits:
        check = checks.get(bit.place)
        if (breaks := _fails(view, bit, check) if check else _breaks(bit, ranges)) is not None:
            flags[bit.place] = breaks
    try:
        left = left_to_pandera(view, checks)
        asked = [place for place in flags if left.get(place) != EVERY_ROW]
        for number, some in enumerate(_at_once(asked, view.engine.tests_at_once if view.typed else TESTS_AT_ONCE)):
            part = _narrowed(view, bits, checks, some, tag=str(number)) if len(some) < len(asked) else view
            flagged = f"flagged_{part.tag}"
            conditions = {place: _condition(bits[place]) for place in some}
            query = part.frame.select(
                "_row", readable=_READABLE, **_guards(bits, some), **{f"b{place}": flags[place] for place in some}
            )
            view.engine.view(flagged, nw.to_native(query))
            words = tuple(dict.fromkeys(bits[place].word for place in some)) if len(some) < len(asked) else None
            violations.keep(
                f"SELECT _row, {words_with(bits, conditions, words)} FROM {flagged} "
                # No parentheses: Spark reads "FROM flagged WHERE (b0)" as a table named WHERE with a column b0.
                f"WHERE {' OR '.join(conditions.values())}",
                words,
            )
        return left
    except view.engine.refusals as error:
        raise _culprit(view, bits, flags) or error from error
    return left


def _condition(bit: Bit) -> str:
    """SQL over the flags: whether a row breaks a test; what could not be read breaks nothing but that."""
    if isinstance(bit.test, Readable | Typed):
        return f"b{bit.place}"
    converted = f" AND {guard}" if (guard := _guard(bit)) else ""
    return f"b{bit.place} AND readable{converted}"


def _guards(bits: tuple[Bit, ...], places: Iterable[int]) -> dict[str, nw.Expr]:
    """The flags that say which values converted, once for all tests of a column."""
    columns = {guard: bits[place].column for place in places if (guard := _guard(bits[place]))}
    return {guard: ~nw.col(c.unconverted) for guard, c in columns.items() if c is not None and c.unconverted}


def _guard(bit: Bit) -> str:
    """The flag that says whether a test's value converted; "" where every value does."""
    return f"converted{bit.column.unconverted}" if bit.column and bit.column.unconverted else ""


def _at_once(places: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The tests that are one query each: all, unless they are many."""
    for first in range(0, len(places), size):
        yield places[first : first + size]


def _narrowed(
    view: BatchView, bits: tuple[Bit, ...], checks: Mapping[int, LiftedCheck], places: Iterable[int], *, tag: str
) -> BatchView:
    """The view with the columns that some tests read; as it is where a test does not name all of them."""
    names: set[str] = set()
    for place in places:
        column = bits[place].column
        read = columns_of(checks[place].passes) if place in checks else ()
        if place in checks and not read:
            return view
        names |= {*read, *((column.name,) if column else ())}
    return view.narrowed(names, tag=tag)


def find_aggregates(view: BatchView, checks: Mapping[int, LiftedCheck], left: dict[int, str]) -> dict[str, str]:
    """Evaluate all conditions on the whole batch in one query; the reasons of the broken ones, by rule name.

    Adds those that the query cannot decide of this batch to `left`: it has no rows, or NaN where they look.

    Raises:
        GateBuildError: A condition that cannot be evaluated on this batch; names the rules.
    """
    asked = {p: c for p, c in checks.items() if not c.test.of_rows and p not in left}
    if not asked:
        return {}
    frame = view.frame.filter(nw.col("_unreadable").is_null())
    named = {f"a{place}": view.engine.adapted(check.passes) for place, check in asked.items()}
    named |= {f"d{place}": check.doubted_batch for place, check in asked.items() if check.parity.doubts}
    try:
        (figures,) = view.engine.select(frame.select(nw.len().alias("rows"), **named))
    except view.engine.refusals as error:
        names = ", ".join(check.test.rule.name for check in asked.values())
        raise GateBuildError(
            f"the rules {names} cannot be evaluated on the batch: {quoted(error)}", way_out=advice_on(error)
        ) from error
    answers = dict(zip(("rows", *named), figures, strict=True))
    broken = {}
    for place, check in asked.items():
        test, answer = check.test, answers[f"a{place}"]
        if not answers["rows"] or answers.get(f"d{place}"):
            if answers["rows"]:
                refuse_memory(view, test, "it is about numbers of which some are NaN")
            left[place] = EVERY_ROW
        elif answer is False or (answer is None and not test.check.ignore_na):
            broken[test.rule.name] = test.rule.reason
    return broken


def _breaks(bit: Bit, ranges: Mapping[str, UsualRange]) -> nw.Expr | None:
    """The expression that is true where a value breaks a test; ``None`` for tests that are decided elsewhere."""
    match bit.test:
        case Readable():
            return ~_READABLE
        case Typed():
            return nw.col(bit.column.unconverted) if bit.column and bit.column.unconverted else None
        case NotNull():
            assert bit.column is not None  # noqa: S101  # bits_of gives every column test its column
            value = nw.col(bit.column.name)
            return value.is_null() | value.is_nan() if is_float(bit.column) else value.is_null()
        case WithinUsual() as test:
            return _is_unusual(bit, test, ranges)
        case Checked() | Unique() | Referenced() | Disclosed() | ColumnsClassified() | Masked():
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
    outside = (~value.is_between(usual.low - beyond, usual.high + beyond)).fill_null(value=False)
    # Engines take NaN for the greatest number; it is missing, and no range was learned with it.
    return outside & ~value.is_nan().fill_null(value=False) if is_float(bit.column) else outside


def _fails(view: BatchView, bit: Bit, check: LiftedCheck) -> nw.Expr | None:
    """A check's expression, turned round; NaN, which DuckDB takes for the greatest number, as Pandera judges it."""
    test, parity = check.test, check.parity
    if not test.of_rows or parity.why_not:
        return None
    fails = (~view.engine.adapted(check.passes)).fill_null(value=not test.check.ignore_na)
    if bit.column is not None and test.null_passes:
        fails &= ~nw.col(bit.column.name).is_null()
    if parity.doubts and parity.elementwise:
        fails &= ~check.doubt
    elif bit.column is not None and test.nan_settled and test.nan_fails is not None:
        nan = nw.col(bit.column.name).is_nan().fill_null(value=False)
        fails = fails | nan if test.nan_fails else fails & ~nan
    return fails


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
                f"the rule {bit.test.rule.name!r} cannot be evaluated on this batch: {quoted(error)}",
                way_out=advice_on(error),
            )
    return None
