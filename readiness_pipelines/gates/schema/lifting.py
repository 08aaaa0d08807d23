"""The one file that touches Pandera's private modules: from a Pandera check to something a query can evaluate.

A check *lifts* when Pandera's Narwhals backend turns it into an unevaluated expression that DuckDB can bind. What does
not lift is run by Pandera itself over a table, with the same meaning of nulls.
"""

from copy import copy
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import duckdb
import narwhals.stable.v1 as nw
import pyarrow as pa
import pyarrow.compute as pc
from narwhals.exceptions import NarwhalsError
from pandera.api.checks import Check
from pandera.api.narwhals.types import NarwhalsData
from pandera.backends.narwhals.checks import NarwhalsCheckBackend
from pandera.backends.pyarrow.register import register_pyarrow_backends
from pandera.constants import CHECK_OUTPUT_KEY

from readiness_pipelines.engines.expressions import operations_of
from readiness_pipelines.errors import GateBuildError, first_line
from readiness_pipelines.gates.schema.advice import advice_on
from readiness_pipelines.gates.schema.flavours import Flavour, native_table
from readiness_pipelines.masking import quoted, quoted_value
from readiness_pipelines.sql import probe_connection

FRAME = "*"
"""The key of a check that looks at the whole frame instead of one column."""

PROBE_ROWS = 2
"""Rows of the frame an expression is bound to: an expression that answers with fewer is about the batch."""


class NotLiftedError(Exception):
    """A check that has no expression; its message says why, for people."""


def expression(check: Check, key: str, frame: Any) -> nw.Expr:
    """The unevaluated Narwhals expression of a check: true where a value passes, null where it says nothing.

    Args:
        check: A Pandera check.
        key: The column it is attached to, or `FRAME`.
        frame: A Narwhals frame of the gate's columns and types over the engine that will run the expression.

    Raises:
        NotLiftedError: The check is native, element-wise, grouped, or returns something other than an expression.
    """
    if check.groupby is not None:
        raise NotLiftedError("a grouped check needs the whole batch in memory")
    if check.element_wise:
        raise NotLiftedError("an element-wise check is a Python function of one value")
    if check.native:
        raise NotLiftedError("a native check is written for a table in memory (native=False lifts)")
    try:
        lifted = _backend(check).apply(NarwhalsData(frame, key))
    except (KeyError, NotImplementedError) as error:  # Pandera's dispatch: a check without this backend
        raise NotLiftedError(f"Pandera has no expression for it on Arrow ({type(error).__name__})") from error
    if not isinstance(lifted, nw.Expr):
        raise NotLiftedError(f"it returns a {type(lifted).__name__}, not an expression")
    return lifted


def bind(lifted: nw.Expr, probe: nw.DataFrame[Any], *, rule: str) -> bool:
    """Let DuckDB bind an expression, and find out whether it is about rows (true) or of the whole batch (false).

    Args:
        lifted: The expression.
        probe: A frame of the gate's columns and types with exactly two rows.
        rule: The rule's name, for the error.

    Raises:
        GateBuildError: DuckDB refuses the expression: a wrong type, a column that the schema does not name, or a
            pattern outside RE2.
    """
    try:
        rows = nw.to_native(probe.select(lifted.alias("passes"))).fetchall()
    except nw.exceptions.ColumnNotFoundError as error:
        raise _unknown_column(rule) from error
    # The check is the user's: what it asks for decides what DuckDB and Narwhals raise, and all of it is named.
    except (duckdb.Error, TypeError, ValueError, AttributeError, NotImplementedError, NarwhalsError) as error:  # theirs
        raise GateBuildError(
            f"the rule {rule!r} cannot be evaluated: {first_line(error)}",
            way_out=advice_on(error),
        ) from error
    return len(rows) == PROBE_ROWS


def _unknown_column(rule: str) -> GateBuildError:
    return GateBuildError(
        f"the rule {rule!r} names a column that the schema does not",
        way_out="declare the column by its own name: a pattern's columns are not known before a batch arrives",
    )


def bind_in_pandera(lifted: nw.Expr, probe: pa.Table, *, rule: str) -> bool:
    """Let Narwhals evaluate an expression on Arrow, as Pandera does, and find out whether it is about rows.

    Args:
        lifted: The expression.
        probe: A table of the gate's columns and types with exactly two rows.
        rule: The rule's name, for the error.

    Raises:
        GateBuildError: Pandera cannot evaluate it on these types.
    """
    try:
        answers = nw.from_native(probe, eager_only=True).select(lifted.alias("passes"))
    except nw.exceptions.ColumnNotFoundError as error:
        raise _unknown_column(rule) from error
    except Exception as error:  # Arrow and Narwhals raise all kinds of errors
        raise GateBuildError(
            f"the rule {rule!r} cannot be evaluated by Pandera on Arrow: {first_line(error)}", way_out=advice_on(error)
        ) from error
    if answers.schema["passes"] != nw.Boolean:
        raise GateBuildError(
            f"the rule {rule!r} answers with {answers.schema['passes']}, not with true or false",
            way_out="end the check with a comparison",
        )
    return len(answers) == PROBE_ROWS


def nan_verdicts(check: Check, kind: pa.DataType, flavour: Flavour, *, rule: str) -> tuple[bool, bool]:
    """Whether NaN in a float column fails a check: by Pandera, and by DuckDB, which takes NaN for the greatest number.

    Args:
        check: A check of a column, which lifts.
        kind: The column's type, a float.
        flavour: The schema's flavour.
        rule: The rule's name, for errors.
    """
    one = pa.table({"value": pa.array([float("nan")], pa.float64()).cast(kind)})
    by_pandera = failing(check, "value", one, flavour=flavour, rule=rule)
    frame: nw.DataFrame[Any] = nw.from_native(probe_connection().from_arrow(one))
    passed = frame.select(expression(check, "value", frame).alias("passes"))
    ((passes,),) = nw.to_native(passed).fetchall()
    by_duckdb = not check.ignore_na if passes is None else not passes
    return (by_pandera if isinstance(by_pandera, bool) else by_pandera[0].as_py()), by_duckdb


def failing(check: Check, key: str, table: pa.Table, *, flavour: Flavour, rule: str) -> pa.BooleanArray | bool:
    """Let Pandera run a check over a table.

    Args:
        check: A Pandera check.
        key: The column it is attached to, or `FRAME`.
        table: The columns it needs, typed; one row per row of the batch.
        flavour: The library whose table the check takes.
        rule: The rule's name, for the error.

    Returns:
        One boolean per row, true where the row fails; or one boolean for the batch, true where the batch fails. Where
        the check says nothing (null), it passes unless it was declared with ``ignore_na=False``.

    Raises:
        GateBuildError: The check raises, or returns something that is neither a boolean nor one per row.
    """
    flavour = _flavour_that_knows(check, flavour, rule)
    if is_expression(check):  # a Narwhals expression, whatever the flavour of the schema that it stands in
        flavour = Flavour.PYARROW
    try:
        if flavour is Flavour.PYARROW:
            output = _arrow_output(check, key, _with_one_zero(check, key, table))
        else:
            output = _own_output(check, key, native_table(flavour, table), rows=table.num_rows)
    except _UnclearAnswerError as answer:
        raise GateBuildError(
            f"the check of rule {rule!r} answers with {answer}",
            way_out="let it answer true or false: for every row, or once for the batch",
        ) from answer
    except Exception as error:  # a user's function may raise anything; the gate names the rule whatever it was
        raise GateBuildError(
            f"the check of rule {rule!r} raised {type(error).__name__}: {quoted(error)}",
            way_out=advice_on(error) if lifts(check) else f"change the check; Pandera runs it over a {flavour} table",
        ) from error
    if isinstance(output, bool):
        return not output
    if len(output) != table.num_rows:
        return not all(check.ignore_na if answer is None else answer for answer in output.to_pylist())
    fails: pa.BooleanArray = pc.invert(pc.fill_null(output, check.ignore_na))
    return fails


def is_expression(check: Check) -> bool:
    """Whether a check of one's own was written as a Narwhals expression (``native=False``)."""
    return lifts(check) and not is_built_in(check)


def is_built_in(check: Check) -> bool:
    """Whether a check is one of Pandera's own."""
    return bool(Check.is_builtin_check(getattr(check._check_fn, "__name__", "")))


def lifts(check: Check) -> bool:
    """Whether a check is an expression, Pandera's or one's own, and no function of a table or value."""
    return not (check.native or check.element_wise or check.groupby)


def widens_singles(check: Check, flavour: Flavour) -> bool:
    """Whether the library that judges a check compares 32-bit floats as 64-bit ones: Arrow does, others do not."""
    return flavour is Flavour.PYARROW or is_expression(check)


def _flavour_that_knows(check: Check, flavour: Flavour, rule: str) -> Flavour:
    """The flavour whose Pandera has a check: that for Arrow lacks one of the built-in checks."""
    if flavour is not Flavour.PYARROW or getattr(check._check_fn, "__name__", "") != "unique_values_eq":
        return flavour
    for other in (Flavour.POLARS, Flavour.PANDAS):
        if find_spec(other):
            import_module(f"pandera.{other}")  # registers its backends
            return other
    raise GateBuildError(
        f"the rule {rule!r} needs Pandera's Polars or pandas backend: the one for Arrow has no unique_values_eq",
        way_out="pip install polars",
    )


def _arrow_output(check: Check, key: str, table: pa.Table) -> pa.BooleanArray | bool:
    frame = nw.from_native(table, eager_only=True)
    output = _backend(check).apply(NarwhalsData(frame, key))
    if isinstance(output, nw.Expr):
        output = frame.select(output.alias(CHECK_OUTPUT_KEY))
    if isinstance(output, nw.LazyFrame):
        output = output.collect()
    if isinstance(output, nw.DataFrame):
        return _of_rows(nw.to_native(output).column(CHECK_OUTPUT_KEY))
    if isinstance(output, pa.Array | pa.ChunkedArray):
        return _of_rows(output)
    return _of_batch(output, check)


def _with_one_zero(check: Check, key: str, table: pa.Table) -> pa.Table:
    """A table for a check that looks values up: to Arrow alone, -0.0 is another value than 0.0."""
    if is_expression(check):
        operations = set(operations_of(expression(check, key, nw.from_native(table))))
        # What is divided by a zero tells its sign.
        names = table.column_names if "is_in" in operations and operations.isdisjoint(_DIVISIONS) else []
    else:
        names = [key] if getattr(check._check_fn, "__name__", "") in ("isin", "notin") and key != FRAME else []
    for place, name in enumerate(table.column_names):
        column = table.column(name)
        if name in names and pa.types.is_floating(column.type):
            table = table.set_column(place, name, pc.add(column, pa.scalar(0.0, column.type)))
    return table


_DIVISIONS = frozenset({"__truediv__", "__rtruediv__", "__floordiv__", "__rfloordiv__", "__pow__", "__rpow__"})


def _own_output(check: Check, key: str, table: Any, *, rows: int) -> pa.BooleanArray | bool:
    """What Pandera's backend for a table of Polars or pandas says, one boolean per row where it has as many."""
    result = check(table, None if key == FRAME else key)
    output = result.check_output
    if hasattr(output, "collect"):  # a Polars frame of one column
        return _of_rows(output.collect().get_column(CHECK_OUTPUT_KEY).to_arrow())
    if not hasattr(output, "ndim") or not hasattr(output, "index"):
        return _of_batch(output, check)
    if output.ndim > 1:  # a pandas frame
        output = output.all(axis=1)
    if isinstance(result.checked_object, dict) or not output.index.equals(result.checked_object.index):
        return bool(output.all())  # answers about something else than the rows: groups, say
    # A pandas series, without the rows whose null was ignored; numbers and objects mean what Python takes them for.
    answers: list[bool | None] = [None] * rows
    for row, answer in output.items():
        answers[row] = None if type(answer).__name__ == "NAType" else bool(answer)
    return pa.array(answers, pa.bool_())


class _UnclearAnswerError(Exception):
    """A check answers with something that is neither true nor false; its message says with what."""


def _of_rows(answers: Any) -> pa.BooleanArray:
    if not pa.types.is_boolean(answers.type):
        raise _UnclearAnswerError(f"values of type {answers.type}")
    return answers.combine_chunks() if isinstance(answers, pa.ChunkedArray) else answers


def _of_batch(answer: Any, check: Check) -> bool:
    if isinstance(answer, pa.BooleanScalar):
        answer = answer.as_py()
        return bool(check.ignore_na if answer is None else answer)
    if isinstance(answer, bool) or type(answer).__name__ in ("bool_", "bool"):  # NumPy's
        return bool(answer)
    raise _UnclearAnswerError(f"a {type(answer).__name__}")


def _backend(check: Check) -> NarwhalsCheckBackend:
    """Pandera's backend for a check, whose built-in function is looked up again.

    A check made before the Narwhals backend was registered holds a function that does not know Narwhals' types yet;
    ``Check.__call__`` looks it up again for the same reason.
    """
    register_pyarrow_backends()
    name = getattr(check._check_fn, "__name__", None)
    if name is not None and Check.is_builtin_check(name):
        check = copy(check)
        check._check_fn = Check.get_builtin_check_fn(name)
    return NarwhalsCheckBackend(check)


def failing_value(check: Check, value: Any, *, rule: str) -> bool:
    """Whether an element-wise check fails a value, or a row as a dictionary; not called for nulls that it ignores.

    Raises:
        GateBuildError: The check's function raises.
    """
    if value is None and check.ignore_na:
        return False
    try:
        return not check._check_fn(value, **check._check_kwargs)
    except Exception as error:  # a user's function may raise anything; the gate names the rule whatever it was
        raise GateBuildError(
            f"the check of rule {rule!r} raised {type(error).__name__} on {quoted_value(value)[:200]}: {quoted(error)}",
            way_out="change the check so that it answers for every value of the column's type",
        ) from error
