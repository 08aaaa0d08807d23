"""The one file that touches Pandera's private modules: from a Pandera check to something a query can evaluate.

A check *lifts* when Pandera's Narwhals backend turns it into an unevaluated expression that DuckDB can bind. What does
not lift is run by Pandera itself over an Arrow table, with the same meaning of nulls.
"""

from copy import copy
from typing import Any

import duckdb
import narwhals.stable.v1 as nw
import pyarrow as pa
import pyarrow.compute as pc
from pandera.api.checks import Check
from pandera.api.narwhals.types import NarwhalsData
from pandera.backends.narwhals.checks import NarwhalsCheckBackend
from pandera.backends.pyarrow.register import register_pyarrow_backends
from pandera.constants import CHECK_OUTPUT_KEY

from readiness_pipelines.errors import GateBuildError

FRAME = "*"
"""The key of a check that looks at the whole frame instead of one column."""

PROBE_ROWS = 2
"""Rows of the frame an expression is bound to: an expression that answers with fewer speaks of the batch."""


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
        raise NotLiftedError("a grouped check needs the whole batch")
    if check.element_wise:
        raise NotLiftedError("an element-wise check is a Python function of one value")
    if check.native:
        raise NotLiftedError("a native check is written for a table, not for an expression (native=False lifts)")
    try:
        lifted = _backend(check).apply(NarwhalsData(frame, key))
    except (KeyError, NotImplementedError) as error:
        raise NotLiftedError(f"Pandera has no expression for it ({error})") from error
    if not isinstance(lifted, nw.Expr):
        raise NotLiftedError(f"it returns a {type(lifted).__name__}, not an expression")
    return lifted


def bind(lifted: nw.Expr, probe: nw.DataFrame[Any], *, rule: str) -> bool:
    """Let DuckDB bind an expression, and tell whether it speaks of rows (true) or of the whole batch (false).

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
        raise GateBuildError(
            f"the rule {rule!r} names a column that the schema does not",
            way_out="declare the column by its own name: a pattern's columns are not known before a batch arrives",
        ) from error
    except (duckdb.Error, TypeError, ValueError) as error:
        raise GateBuildError(
            f"the rule {rule!r} cannot be evaluated: {str(error).splitlines()[0]}",
            way_out="compare with values of the column's own type, and keep regular expressions to RE2's syntax",
        ) from error
    return len(rows) == PROBE_ROWS


def failing(check: Check, key: str, table: pa.Table, *, rule: str) -> pa.BooleanArray | bool:
    """Let Pandera run a check over an Arrow table.

    Args:
        check: A Pandera check.
        key: The column it is attached to, or `FRAME`.
        table: The columns it needs, typed; one row per row of the batch.
        rule: The rule's name, for the error.

    Returns:
        One boolean per row, true where the row fails; or one boolean for the batch, true where the batch fails. Where
        the check says nothing (null), it passes unless it was declared with ``ignore_na=False``.

    Raises:
        GateBuildError: The check raises, or returns something that is neither a boolean nor one per row.
    """
    frame = nw.from_native(table, eager_only=True)
    try:
        output = _backend(check).apply(NarwhalsData(frame, key))
        if isinstance(output, nw.Expr):
            output = frame.select(output.alias(CHECK_OUTPUT_KEY))
        if isinstance(output, nw.LazyFrame):
            output = output.collect()
    except Exception as error:  # a user's function may raise anything; the gate names the rule whatever it was
        raise GateBuildError(
            f"the check of rule {rule!r} raised {type(error).__name__}: {error}",
            way_out="mend the check; Pandera runs it over a pyarrow.Table of the batch",
        ) from error
    if not isinstance(output, nw.DataFrame):
        return not output
    passes = nw.to_native(output).column(CHECK_OUTPUT_KEY).combine_chunks()
    if len(passes) != table.num_rows:
        return not all(passes.to_pylist())
    fails: pa.BooleanArray = pc.invert(pc.fill_null(passes, check.ignore_na))
    return fails


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
