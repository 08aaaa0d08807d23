"""What is found out about a check by binding it to its columns' types, before a row is there."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as pa
from pandera.api.checks import Check

from readiness_pipelines.engines.expressions import columns_of, nodes_of
from readiness_pipelines.errors import GateBuildError, first_line
from readiness_pipelines.gates.schema.columns import ColumnSpec, SchemaSpec
from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.lifting import (
    FRAME,
    PROBE_ROWS,
    NotLiftedError,
    bind,
    bind_in_pandera,
    expression,
    failing,
    is_expression,
    lifts,
    nan_verdicts,
    widens_singles,
)
from readiness_pipelines.gates.schema.parity import parity_of
from readiness_pipelines.gates.schema.rules import Runner
from readiness_pipelines.sql import probe_connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The schema's columns and types with nulls in `PROBE_ROWS` rows, to bind expressions to: for DuckDB, for Pandera.

    Attributes:
        frame: A DuckDB frame.
        table: The same as a table.
        types: The types by name.
    """

    frame: nw.DataFrame[Any]
    table: pa.Table
    types: Mapping[str, pa.DataType]

    @classmethod
    def of(cls, spec: SchemaSpec) -> "Probe":
        """A probe of a schema."""
        arrays = {probe_column(c): pa.nulls(PROBE_ROWS, c.type or pa.string()) for c in spec.columns}
        types = {name: array.type for name, array in arrays.items()}
        # A check over the frame may use the batch, or file, of a row.
        arrays |= {name: pa.nulls(PROBE_ROWS, pa.string()) for name in ("_batch", "_file")}
        table = pa.table(arrays)
        return cls(frame=nw.from_native(probe_connection().from_arrow(table)), table=table, types=types)


def probe_column(column: ColumnSpec) -> str:
    """The name a column has in a `Probe`: its own, or its label where its name is a pattern."""
    return column.label if column.pattern else column.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What was found out about a check by binding it to the columns' types; see `Rule` and `Checked`."""

    columns: tuple[str, ...]
    runs_on: Runner
    because: str
    of_rows: bool
    nan_fails: bool | None
    nan_settled: bool
    null_passes: bool


_MOST_KEPT = 4_096
_kept: dict[Hashable, Bound] = {}
"""What was found out about Pandera's own checks, by all that it depends on: wide tables have few kinds of them."""


def bound(check: Check, column: ColumnSpec | None, probe: Probe, flavour: Flavour, *, rule: str) -> Bound:
    """Bind a check to its column's type, or the frame's.

    Args:
        check: The check.
        column: The column it is attached to; ``None`` for a check of the frame.
        probe: The schema's columns.
        flavour: The library whose table native checks take.
        rule: The rule's name, for errors.

    Raises:
        GateBuildError: It raises, cannot be evaluated on these types, or is read differently by engines.
    """
    alike = _likeness(check, column, flavour)
    if alike is None or column is None:
        return _newly_bound(check, column, probe, flavour, rule=rule)
    if alike not in _kept:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[alike] = _newly_bound(check, column, probe, flavour, rule=rule)
    return replace(_kept[alike], columns=(column.name,))


def _likeness(check: Check, column: ColumnSpec | None, flavour: Flavour) -> Hashable | None:
    """What tells one of Pandera's own checks of a column from all others of its kind; ``None`` for other checks."""
    name = getattr(check._check_fn, "__name__", "")
    if column is None or not lifts(check) or not Check.is_builtin_check(name) or check.name != name:
        return None
    given = check.statistics or {}
    if not all(_is_plain(value) for value in given.values()):
        return None  # whose text may leave some of it out
    return name, repr(given), check.ignore_na, str(column.type), flavour


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str, bytes, date, datetime, time, timedelta, Decimal)


def _newly_bound(check: Check, column: ColumnSpec | None, probe: Probe, flavour: Flavour, *, rule: str) -> Bound:
    key = probe_column(column) if column else FRAME
    columns: tuple[str, ...] = (column.name,) if column else ()
    runs_on, because, of_rows, nan_fails = Runner.QUERY, "Pandera's own expression, lifted into the query", True, None
    nan_settled = null_passes = False
    try:
        lifted = expression(check, key, probe.frame)
    except NotLiftedError as reason:
        _refuse_on_frame(check, column, flavour, rule=rule)
        runs_on = Runner.PYTHON if check.element_wise else Runner.PANDERA
        because, of_rows = str(reason), not _is_of_batch(check)
    except Exception as error:  # a user's function may raise anything
        raise GateBuildError(
            f"the check of rule {rule!r} raised {type(error).__name__}: {first_line(error)}",
            way_out="with native=False a check takes a Narwhals expression, or frame, and returns an expression",
        ) from error
    else:
        parity = parity_of(lifted, probe.types, rule=rule, widens=widens_singles(check, flavour))
        columns = columns or columns_of(lifted)
        if parity.why_not:
            runs_on, because = Runner.PANDERA, f"Pandera decides it over a table of what it reads: {parity.why_not}"
            of_rows = bind_in_pandera(lifted, probe.table, rule=rule)
        else:
            of_rows = bind(lifted, probe.frame, rule=rule)
            bind_in_pandera(lifted, probe.table, rule=rule)
        own_nan = all(len(nodes_of(part)) == 1 for part in parity.doubts) and columns_of(lifted) == (key,)
        if column and of_rows and parity.elementwise and own_nan and column.type is not None and not parity.why_not:
            nan_settled = True
            null_passes = flavour is Flavour.PANDAS and _lets_null_pass(check, column.type, rule=rule)
            if parity.doubts:
                by_pandera, by_query = nan_verdicts(check, column.type, flavour, rule=rule)
                nan_fails = by_pandera if by_pandera != by_query else None
    return Bound(
        columns=columns,
        runs_on=runs_on,
        because=because,
        of_rows=of_rows,
        nan_fails=nan_fails,
        nan_settled=nan_settled,
        null_passes=null_passes,
    )


def _lets_null_pass(check: Check, kind: pa.DataType, *, rule: str) -> bool:
    """Whether pandas, for which null differs from any value, lets a null pass that the check does not ignore."""
    if check.ignore_na or is_expression(check):
        return False
    one = pa.table({"value": pa.nulls(1, kind)})
    fails = failing(check, "value", one, flavour=Flavour.PANDAS, rule=rule)
    return not (fails if isinstance(fails, bool) else fails[0].as_py())


def _refuse_on_frame(check: Check, column: ColumnSpec | None, flavour: Flavour, *, rule: str) -> None:
    """Refuse one of Pandera's own checks over the frame where Pandera has it for columns alone.

    Raises:
        GateBuildError: It is such a check.
    """
    name = getattr(check._check_fn, "__name__", "")
    of_columns = flavour is Flavour.PYARROW or name == "unique_values_eq"
    if column is None and of_columns and lifts(check) and Check.is_builtin_check(name):
        raise GateBuildError(
            f"the rule {rule!r} is over the frame, and Pandera has it for columns alone",
            way_out="declare it on each column",
        )


def _is_of_batch(check: Check) -> bool:
    """Whether a check that does not lift is known to answer once for the batch; others are seen when they answer."""
    return check.groupby is not None or getattr(check._check_fn, "__name__", "") == "unique_values_eq"
