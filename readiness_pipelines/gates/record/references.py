"""Rules that compare a record with another table: by the keys that somebody read of it and keeps in memory."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts.references import ExistsIn
from readiness_pipelines.gates.record.instants import instant
from readiness_pipelines.gates.record.verdicts import BrokenRule
from readiness_pipelines.gates.schema.tests import Referenced

_NAN = object()
"""Stands for NaN, which the query takes for equal to itself."""


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The values of some columns that another table has together.

    Attributes:
        rows: For each list of columns that a rule names, the rows of their values.
    """

    rows: Mapping[tuple[str, ...], AbstractSet[tuple[Any, ...]]]

    @classmethod
    def of(cls, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> "KnownKeys":
        """The keys of one list of columns; rows with a null among them are never equal to anything."""
        return cls({tuple(columns): {_comparable(row) for row in rows if None not in row}})

    def merged(self, other: "KnownKeys") -> "KnownKeys":
        """The keys of both."""
        return KnownKeys({**self.rows, **other.rows})


def breaks_reference(
    test: Referenced, typed: Mapping[str, Any], unconverted: frozenset[str], known: Mapping[str, KnownKeys]
) -> list[BrokenRule] | None:
    """The rule, where a record breaks it; ``None`` where nothing is known of the other table."""
    reference = test.reference
    if not isinstance(reference, ExistsIn) or reference.table not in known:
        return None
    rows = known[reference.table].rows.get(tuple(reference.reference_columns))
    if rows is None:
        return None
    values = tuple(typed.get(column) for column in reference.columns)
    if None in values or not unconverted.isdisjoint(reference.columns) or _comparable(values) in rows:
        return []
    return [BrokenRule(rule=test.rule.name, column=None, reason=test.rule.reason, route=test.rule.route)]


def _comparable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_NAN if one != one else instant(one) for one in row)  # noqa: PLR0124  # NaN differs from itself


def can_be_known(kind: pa.DataType) -> bool:
    """Whether values of a type can be kept as keys."""
    return not pa.types.is_nested(kind)
