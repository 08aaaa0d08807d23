"""Each offset of a topic, held against the tables: where it is, and how often."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.sources.messages import place_of


@dataclass(frozen=True)
class Account:
    """What became of a topic's messages.

    Attributes:
        lost: Messages that raw does not have.
        doubled: Messages that a table has twice, or that are published and in quarantine.
        nowhere: Messages that raw has and that neither are published nor wait.
        strange: Rows of messages that there are not.
    """

    lost: int
    doubled: int
    nowhere: int
    strange: int

    @property
    def is_clean(self) -> bool:
        return (self.lost, self.doubled, self.nowhere, self.strange) == (0, 0, 0, 0)


def account(table: GatedTable, ends: Mapping[int, int], installation: Installation) -> Account:
    """Hold all tables of a topic against its offsets, from 0 up to the end of each partition."""
    raw, published, waiting = (_rows(one, installation) for one in (table.id.raw, table.id, table.id.quarantine))
    there = {(partition, offset) for partition, end in ends.items() for offset in range(end)}
    judged = Counter(published) + Counter(waiting)
    return Account(
        lost=len(there - set(raw)),
        doubled=sum(count > 1 for count in [*Counter(raw).values(), *judged.values()]),
        nowhere=len(set(raw) - set(judged)),
        strange=len((set(raw) | set(judged)) - there),
    )


def _rows(store: TableId, installation: Installation) -> list[tuple[int, int]]:
    lakehouse = installation.lakehouse
    if not lakehouse.exists(store):
        return []
    with installation.engine() as engine:
        return [place_of(row) for (row,) in lakehouse.relation(engine, store).project("_row").fetchall()]
