"""What people decided about a batch, as far as a gate has to know."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """A rule that need not hold.

    Attributes:
        rule: Its name, or ``tolerance``.
        where: SQL over the rows as they arrived; ``None`` for the whole batch.
    """

    rule: str
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """Rows that will not be published.

    Attributes:
        where: SQL over the rows as they arrived; ``None`` for the whole batch.
        reason: Why, for people.
    """

    where: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """All that is decided about a batch beside its corrections, which are in the rows already."""

    waived: Sequence[Waived] = ()
    discarded: Sequence[Discarded] = ()

    def waives(self, rule: str) -> bool:
        """Whether a rule is waived for the whole batch."""
        return any(waived.rule == rule and waived.where is None for waived in self.waived)
