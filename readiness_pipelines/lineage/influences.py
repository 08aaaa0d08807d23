"""What a column, or the choice of rows, depends on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from readiness_pipelines.names import TableId

ANY_COLUMN = "*"
"""In place of a column: nothing says which one of the table, so it may be any of them."""


class How(StrEnum):
    """How a column has its part in another, or in which rows there are.

    Direct, its values are in the other's: ``IDENTITY`` as they are, ``TRANSFORMATION`` computed row by row,
    ``AGGREGATION`` over several rows. Indirect, they decide: ``JOIN``, ``FILTER`` and ``GROUP_BY`` which rows there
    are, ``SORT`` and ``WINDOW`` which of them count, ``CONDITIONAL`` which value is taken.
    """

    IDENTITY = "identity"
    TRANSFORMATION = "transformation"
    AGGREGATION = "aggregation"
    JOIN = "join"
    FILTER = "filter"
    GROUP_BY = "group_by"
    SORT = "sort"
    WINDOW = "window"
    CONDITIONAL = "conditional"

    @property
    def direct(self) -> bool:
        """Whether values flow, and do not only decide."""
        return self in _DIRECT


_DIRECT = (How.IDENTITY, How.TRANSFORMATION, How.AGGREGATION)


@dataclass(frozen=True, slots=True, order=True)
class Influence:
    """The part that a column has in something.

    Attributes:
        table: The column's table.
        column: Its name; `ANY_COLUMN` where nothing says which one of the table it is.
        how: How.
        masking: Whether its values are protected on the way, so that none of them can be seen.
    """

    table: TableId
    column: str
    how: How
    masking: bool = False

    @property
    def resolved(self) -> bool:
        """Whether it is known which column it is."""
        return self.column != ANY_COLUMN


Influences = frozenset[Influence]
NOTHING: Influences = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLineage:
    """What the columns of a table, or of a query's result, are made of.

    Attributes:
        columns: What each column is made of, in order.
        rows: What decides which rows there are, whatever the column.
        unresolved: Why parts of it are "any column of", for people; empty where all is known.
    """

    columns: Mapping[str, Influences]
    rows: Influences = NOTHING
    unresolved: tuple[str, ...] = field(default=())

    def of(self, column: str) -> Influences:
        """Everything that a column depends on; case does not matter, as in SQL."""
        own = next((found for name, found in self.columns.items() if name.lower() == column.lower()), NOTHING)
        return own | self.rows


def as_value(found: Influences, how: How = How.TRANSFORMATION) -> Influences:
    """What a value is made of that is computed from another: by row, or over rows."""
    order = _DIRECT.index(how)
    return frozenset(
        replace(one, how=how) if one.how.direct and _DIRECT.index(one.how) < order else one for one in found
    )


def as_decision(found: Influences, how: How) -> Influences:
    """What something depends on that is only decided by a value."""
    return frozenset(replace(one, how=how) if one.how.direct else one for one in found)


def together(found: Iterable[Influences]) -> Influences:
    """All of them."""
    return frozenset().union(*found)


def any_column_of(tables: Iterable[TableId]) -> Influences:
    """What may be made of any column of some tables."""
    return frozenset(Influence(table, ANY_COLUMN, How.AGGREGATION) for table in tables)


def masked(found: Influences) -> Influences:
    """What is made of something that is protected on the way."""
    return frozenset(replace(one, masking=True) if one.how.direct else one for one in found)
