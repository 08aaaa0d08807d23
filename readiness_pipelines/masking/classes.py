"""What the columns of a table are to persons, as far as showing their values goes."""

from collections.abc import Callable
from dataclasses import dataclass

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts.classification import Classification, Classified

INTERNAL = Classified(level=Classification.INTERNAL)

LINES = frozenset({"_unreadable", "_unreadable_reason"})
"""Columns that hold what could not be parsed: any column's values may be in it."""


@dataclass(frozen=True, slots=True)
class Classes:
    """What the columns of a table are to persons.

    Attributes:
        lookup: The class of a column of the source or the schema, also of one that neither has.
        strongest: The strongest class of all columns, those of the inputs among them where rows are computed.
        names: The columns that are known by name, which messages may name.
    """

    lookup: Callable[[str], Classified]
    strongest: Classified
    names: frozenset[str] = frozenset()

    def of(self, column: str) -> Classified:
        """The class of a column, the framework's among them: a line that could not be parsed is of the strongest."""
        if column in LINES:
            return self.strongest
        return INTERNAL if column in RESERVED_COLUMNS else self.lookup(column)

    @property
    def plain(self) -> bool:
        """Whether every value may be shown."""
        return self.strongest.level.shown


_UNKNOWN = Classified(level=Classification.PHI, inherited=True)

UNKNOWN = Classes(lambda _column: _UNKNOWN, _UNKNOWN)
"""Columns of which nobody said what they are: none of their values may be shown."""

PLAIN = Classes(lambda _column: INTERNAL, INTERNAL)
"""Columns of which every value may be shown."""
