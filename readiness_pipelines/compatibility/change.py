"""One difference between two contracts, and whom it breaks."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Breaks(StrEnum):
    """Whom a change breaks.

    ``CONSUMERS``: they lose something that was promised. ``PRODUCER``: what was good enough may not be any more.
    ``GOVERNANCE``: values are less protected, or people are not told in time.
    """

    CONSUMERS = "consumers"
    PRODUCER = "producer"
    GOVERNANCE = "governance"


class Compatibility(StrEnum):
    """How two contracts fit, in the words of schema registries.

    ``BACKWARD``: what was published by the old contract keeps the new one, too: no producer is broken. ``FORWARD``:
    what is published by the new contract keeps the old one: no consumer is broken. ``FULL``: both. ``NONE``: neither.
    """

    FULL = "full"
    BACKWARD = "backward"
    FORWARD = "forward"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractChange:
    """One difference.

    Attributes:
        subject: What changed, as announcements name it: ``column email``, ``rule amount_in_range``, ``freshness``.
        what: What happened to it: ``is gone``, ``may be missing`` …
        before: Its value before; "" for none.
        after: Its value after; "" for none.
        breaks: Whom it breaks; nobody where empty.
        columns: The columns it is about; none for the table as a whole.
        rule: The rule it is about; "" for none.
    """

    subject: str
    what: str
    before: str = ""
    after: str = ""
    breaks: frozenset[Breaks] = frozenset()
    columns: tuple[str, ...] = ()
    rule: str = ""

    def __str__(self) -> str:
        values = f" ({self.before or 'none'} → {self.after or 'none'})" if self.before or self.after else ""
        return f"{self.subject} {self.what}{values}"


def compatibility(changes: Iterable[ContractChange]) -> Compatibility:
    """How two contracts fit that differ so."""
    broken = frozenset().union(*(one.breaks for one in changes))
    match Breaks.PRODUCER in broken, Breaks.CONSUMERS in broken:
        case False, False:
            return Compatibility.FULL
        case False, True:
            return Compatibility.BACKWARD
        case True, False:
            return Compatibility.FORWARD
    return Compatibility.NONE
