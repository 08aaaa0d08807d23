"""A second witness of column lineage: change one input column in a sample, compute again, see which outputs change."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

Compute = Callable[[Mapping[str, pa.Table]], Mapping[str, pa.ChunkedArray]]
"""From the inputs' rows, by name, to the values of the result's columns, by name."""

_DIGITS = 9
"""So many digits of a number count: sums over rows in another order differ in the last ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was seen to change.

    Attributes:
        changes: The outputs that changed with each input's column.
        unstable: Outputs that differ from run to run with nothing changed, of which nothing can be said.
        runs: How often the result was computed.
        failed: How many of the changed samples could not be computed, for an error that the change caused.
    """

    changes: Mapping[tuple[str, str], frozenset[str]]
    unstable: frozenset[str]
    runs: int
    failed: int


def observe_changes(
    compute: Compute, inputs: Mapping[str, pa.Table], *, unconcerned: Mapping[str, Collection[str]] | None = None
) -> Observed:
    """Change each column of each input in several ways, and see which columns of the result are others then.

    A column changes where its values do, whatever the rows they are in. That nothing changed proves nothing: the sample
    may not reach it. That something changed proves that it depends on the column. Rows are kept in memory alone.

    Args:
        compute: Computes the result; it is called often, so the sample should be small.
        inputs: The sample.
        unconcerned: Columns of which nothing is expected to change, by input: they are changed together, and one by
            one only where something did.

    Raises:
        Exception: What `compute` raises on the sample as it is.
    """
    before, again = _values(compute(inputs)), _values(compute(inputs))
    unstable = frozenset(name for name in before if before[name] != again.get(name))
    changes: dict[tuple[str, str], frozenset[str]] = {}
    watch = _Watch(compute, inputs, before)
    for name, rows in inputs.items():
        quiet = [column for column in rows.column_names if column in (unconcerned or {}).get(name, ())]
        if quiet and not watch.changed(name, quiet):
            changes |= {(name, column): frozenset() for column in quiet}
            quiet = []
        for column in rows.column_names:
            if (name, column) not in changes:
                changes[name, column] = frozenset(watch.changed(name, [column]) - unstable)
    return Observed(changes=changes, unstable=unstable, runs=watch.runs + 2, failed=watch.failed)


class _Watch:
    """Computes from changed columns, and says what differs from before."""

    def __init__(self, compute: Compute, inputs: Mapping[str, pa.Table], before: Mapping[str, Counter[str]]) -> None:
        self._compute = compute
        self._inputs = inputs
        self._before = before
        self.runs = self.failed = 0

    def changed(self, name: str, columns: Sequence[str]) -> set[str]:
        """The outputs that change with some columns of an input, changed together."""
        found: set[str] = set()
        rows = self._inputs[name]
        for changes in zip(*(_mutations(rows.column(column).to_pylist()) for column in columns), strict=True):
            mutated = rows
            self.runs += 1
            try:
                for column, values in zip(columns, changes, strict=True):
                    field = rows.schema.field(column)
                    place = rows.schema.get_field_index(column)
                    mutated = mutated.set_column(place, field, pa.array(values, type=field.type))
                after = _values(self._compute({**self._inputs, name: mutated}))
            except Exception:  # whatever a user's transform raises on values it never gets
                self.failed += 1
                continue
            found |= {one for one in {*self._before, *after} if self._before.get(one) != after.get(one)}
        return found


def _values(columns: Mapping[str, pa.ChunkedArray]) -> dict[str, Counter[str]]:
    return {name: Counter(map(_text, values.to_pylist())) for name, values in columns.items()}


def _text(value: Any) -> str:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else repr(value)


def _mutations(values: list[Any]) -> Iterator[list[Any]]:
    """The values of a column, changed: others in all rows or in one, another row's, all turned by one, and none."""
    others = [_other(value) for value in values]
    yield others
    yield [*values[1:], *values[:1]]
    for at in (0, len(values) // 2) if values else ():
        yield [*values[:at], others[at], *values[at + 1 :]]
        yield [*values[:at], values[at - 1], *values[at + 1 :]]
    yield [None] * len(values)


def _other(value: Any) -> Any:
    """A value of the same type that the sample does not have."""
    match value:
        case bool():
            return not value
        case int():
            return value + 101
        case float():
            return 1.0 if math.isnan(value) else value * 1.5 + 7.25
        case Decimal():
            return value + 7
        case str():
            return f"{value}~"
        case datetime() | date():
            return value + timedelta(days=401)
        case bytes():
            return value + b"~"
        case list():
            return [*map(_other, value), *value[:1]]
        case dict():
            return {name: _other(one) for name, one in value.items()}
        case _:
            return value
