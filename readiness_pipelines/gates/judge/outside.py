"""Tests that no query decides: Pandera over a table of the batch, and functions of one value."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from readiness_pipelines.engines.expressions import is_elementwise
from readiness_pipelines.gates.judge.batch_view import READABLE, BatchView
from readiness_pipelines.gates.judge.bits import Bit
from readiness_pipelines.gates.judge.flagging import key_of
from readiness_pipelines.gates.judge.violations import Violations
from readiness_pipelines.gates.schema.elementwise import failing_element
from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.lifting import expression, failing, failing_value
from readiness_pipelines.gates.schema.tests import Checked


def find_by_value(view: BatchView, bit: Bit, test: Checked, violations: Violations, flavour: Flavour) -> None:
    """Call a function of the schema for each value, or each row as a dictionary; the batch streams.

    Raises:
        GateBuildError: The function raises; names its rule and the value.
    """
    names = [bit.column.name] if bit.column else view.names
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


def find_by_pandera(view: BatchView, bit: Bit, test: Checked, violations: Violations, flavour: Flavour) -> bool:
    """Let Pandera run a check over the columns it needs, in memory; return whether it fails the whole batch.

    Raises:
        GateBuildError: The check raises; names its rule.
    """
    alone = bit.column is not None and test.check.groupby is None
    names = [bit.column.name] if bit.column and alone else view.names
    chunk = view.whole(names, where=view.judgeable([bit.column.name] if bit.column else ()))
    fails = failing(test.check, key_of(bit), chunk.select(names), flavour=flavour, rule=test.rule.name)
    if isinstance(fails, bool):
        return fails
    violations.add_where(bit, chunk, fails)
    return False


def find_nan_rows(view: BatchView, bit: Bit, test: Checked, violations: Violations, flavour: Flavour) -> None:
    """Let Pandera judge the rows with NaN against a lifted check of the frame.

    DuckDB takes NaN for the greatest number, Arrow for one that compares with nothing.
    """
    if not view.floats:
        return
    identifier = view.engine.sql.identifier
    anywhere = " OR ".join(f"coalesce(isnan({identifier(name)}), false)" for name in view.floats)
    where = f"{READABLE} AND ({anywhere})"
    chunks: Iterable[pa.Table] = view.chunks(view.names, where=where)
    if not is_elementwise(expression(test.check, key_of(bit), view.frame)):
        # What the check says of a row depends on the others: all of them go to Pandera, if any has NaN.
        chunks = [view.whole(view.names, where=READABLE) for _ in chunks][:1]
    for chunk in chunks:
        fails = failing(test.check, key_of(bit), chunk.select(view.names), flavour=flavour, rule=test.rule.name)
        if not isinstance(fails, bool):
            violations.add_where(bit, chunk, fails)
