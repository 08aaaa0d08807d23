"""What reconciliation names, and how thoroughly it looks."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import reconcile_command

Step = Callable[[str, int, int], None]
"""Called as a long look goes on: with what is looked at, how much of it was, and how much there is."""


def unwatched(_what: str, _done: int, _total: int) -> None:
    """Nobody wants to know how far it is."""


class Level(StrEnum):
    """How thoroughly to look; each level does what those before it do."""

    LEDGER = "ledger"
    """The ledger against the catalog: no data file is opened."""
    FILES = "files"
    """Every data file is there, byte for byte as it was committed."""
    ROWS = "rows"
    """Every row is accounted for, and is as it was committed."""
    RECOMPUTE = "recompute"
    """Every batch, judged again, comes out as its last verdict says."""

    def includes(self, other: "Level") -> bool:
        """Whether what another level looks at is looked at."""
        levels = list(Level)
        return levels.index(other) <= levels.index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that does not add up.

    Attributes:
        ref: The batch, of a table or of the Iceberg table beside it that is wrong: raw, quarantine, versions.
        what: What is wrong.
        way_out: What to do about it.
        level: The level that finds it.
        damaged: Whether the Iceberg table has something else than was committed.
    """

    ref: BatchRef
    what: str
    way_out: str
    level: Level = Level.ROWS
    damaged: bool = False


def problem_of(domain: str, ref: BatchRef, what: str, level: Level, *, damaged: bool = False) -> Problem:
    """A problem that a repair of the domain may solve."""
    return Problem(ref=ref, what=what, way_out=reconcile_command(domain), level=level, damaged=damaged)
