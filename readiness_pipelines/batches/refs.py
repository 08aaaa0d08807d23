"""One batch of one table, where it stands, and where its rows are."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import NamedTuple

from readiness_pipelines.names import TableId


class BatchRef(NamedTuple):
    """One batch of one table."""

    table: TableId
    batch: str

    def __str__(self) -> str:
        return f"{self.table}[{self.batch}]"


class BatchState(StrEnum):
    """What became of a batch of a table.

    ``OPEN``: a stream still adds slices to it. ``SEALED``: a stream's raw rows, to which nothing is added any more.
    ``INGESTED``: its raw rows are there and no gate has judged them. ``PUBLISHED``: every row is published.
    ``PARTLY_PUBLISHED``: some rows wait in quarantine. ``HELD``: nothing of it was published, all rows wait.
    ``EMPTY``: it has no rows. ``DISCARDED``: someone decided that it will never be published.
    """

    OPEN = "open"
    SEALED = "sealed"
    INGESTED = "ingested"
    PUBLISHED = "published"
    PARTLY_PUBLISHED = "partly_published"
    HELD = "held"
    EMPTY = "empty"
    DISCARDED = "discarded"

    @property
    def judged(self) -> bool:
        """Whether the batch as a whole was judged: it is neither raw nor open."""
        return self not in (BatchState.OPEN, BatchState.SEALED, BatchState.INGESTED)

    @property
    def visible(self) -> bool:
        """Whether the last verdict published rows: tables computed from this batch may read it."""
        return self in (BatchState.PUBLISHED, BatchState.PARTLY_PUBLISHED)

    @property
    def keeps_older(self) -> bool:
        """Whether the table may show what the batch published before its last verdict."""
        return self in (BatchState.HELD, BatchState.EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows of a batch, by where they are; those of erased persons are nowhere any more, and counted."""

    ingested: int = 0
    published: int = 0
    quarantined: int = 0
    discarded: int = 0
    erased: int = 0

    @property
    def accounted(self) -> bool:
        """Whether every ingested row is somewhere, and no row is anywhere else."""
        return self.ingested == self.published + self.quarantined + self.discarded + self.erased

    @property
    def noted(self) -> dict[str, int]:
        """By name, for the trail; erased rows only where there are any: it said nothing of them before there were."""
        return {name: rows for name, rows in asdict(self).items() if rows or name != "erased"}

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            ingested=self.ingested + other.ingested,
            published=self.published + other.published,
            quarantined=self.quarantined + other.quarantined,
            discarded=self.discarded + other.discarded,
            erased=self.erased + other.erased,
        )
