"""Tests that no query decides: Pandera over a table of the batch, and functions of one value."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.engines.expressions import columns_of, is_elementwise
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.bits import Bit
from readiness_pipelines.gates.judge.lifted import EVERY_ROW, key_of
from readiness_pipelines.gates.judge.violations import Violations
from readiness_pipelines.gates.schema.elementwise import failing_element
from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.lifting import NotLiftedError, expression, failing, failing_value, is_built_in
from readiness_pipelines.gates.schema.tests import Checked


def find_by_value(view: BatchView, bit: Bit, test: Checked, violations: Violations, flavour: Flavour) -> None:
    """Call a function of the schema for each value, or each row as a dictionary; the batch streams.

    Raises:
        GateBuildError: The function raises; names its rule and the value.
    """
    names = [bit.column.name] if bit.column else _shown(view)
    for chunk in view.chunks(names, where=view.judgeable(names if bit.column else ())):
        if bit.column:
            kind = bit.column.type
            values: Iterable[Any] = chunk.column(names[0]).to_pylist()
            fails = [
                failing_element(test.check, value, kind=kind, flavour=flavour, rule=test.rule.name) for value in values
            ]
        else:
            fails = [failing_value(test.check, row, rule=test.rule.name) for row in chunk.select(names).to_pylist()]
        violations.add_where(bit, chunk, pa.array(fails, pa.bool_()))


def find_by_pandera(
    view: BatchView, bit: Bit, test: Checked, violations: Violations, flavour: Flavour, *, among: str = EVERY_ROW
) -> bool:
    """Let Pandera run a check over the columns it needs; return whether it fails the whole batch.

    In memory, in the order of ``_row``, but for an expression whose answer for a row depends on that row alone: for
    that the batch streams.

    Args:
        view: The batch.
        bit: The test and its column.
        test: The check.
        violations: Takes the rows that fail.
        flavour: The library whose table the check takes.
        among: SQL: the rows to look at.

    Raises:
        GateBuildError: The check raises; names its rule.
    """
    names, streams = _needs(view, bit, test, flavour)
    own = [bit.column.name] if bit.column and test.of_rows else []
    where = f"{view.judgeable(own)} AND {among}"
    for chunk in view.chunks(names, where=where) if streams else [view.whole(names, where=where)]:
        fails = failing(test.check, key_of(bit), chunk.select(names), flavour=flavour, rule=test.rule.name)
        if isinstance(fails, bool):
            return fails
        if not test.of_rows:  # one answer, of a batch of one row
            return any(fails.to_pylist())
        violations.add_where(bit, chunk, fails)
    return False


def _shown(view: BatchView) -> list[str]:
    """The columns of the frame as Pandera shows it to a function: without those that may be missing, and are."""
    return [column.name for column in view.layout.columns if not column.absent] or view.names


def _needs(view: BatchView, bit: Bit, test: Checked, flavour: Flavour) -> tuple[list[str], bool]:
    """The columns that a check reads, and whether it may see the rows some at a time.

    A function of a column is given a series by pandas alone, unless it groups; by the others the whole frame, and the
    column's name. Pandera's own checks of a column look at nothing else.
    """
    try:
        lifted = expression(test.check, key_of(bit), view.frame)
    except NotLiftedError:
        series = flavour is Flavour.PANDAS or is_built_in(test.check)
        alone = series and test.check.groupby is None
        return ([bit.column.name] if bit.column and alone else _shown(view)), False
    named = [name for name in columns_of(lifted) if name in (*view.names, *RESERVED_COLUMNS)]
    return named or view.names, test.of_rows and is_elementwise(lifted)
