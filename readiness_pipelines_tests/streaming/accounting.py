"""Each offset of a topic, held against the tables: where it is, and how often."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import CLOSED, end_of_window
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.sources.messages import place_of


@dataclass(frozen=True)
class Account:
    """What became of a topic's messages.

    Attributes:
        lost: Messages that raw does not have.
        doubled: Messages that a table has twice, or that are published and in quarantine.
        nowhere: Messages that raw has and that neither are published nor wait, but for those of windows that are closed
            and have no verdict yet: they are the seal's.
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
    arrived, judged = Counter(place for place, _ in raw), Counter(place for place, _ in [*published, *waiting])
    unsealed = _closed_without_verdict(table, installation)
    due = {place for place, window in raw if window in unsealed}
    return Account(
        lost=len(there - set(arrived)),
        doubled=sum(count > 1 for count in [*arrived.values(), *judged.values()]),
        nowhere=len(set(arrived) - set(judged) - due),
        strange=len((set(arrived) | set(judged)) - there),
    )


def _rows(store: TableId, installation: Installation) -> list[tuple[tuple[int, int], str]]:
    lakehouse = installation.lakehouse
    if not lakehouse.exists(store):
        return []
    with installation.engine() as engine:
        found = lakehouse.relation(engine, store).project("_row, _batch").fetchall()
        return [(place_of(row), batch) for row, batch in found]


def _closed_without_verdict(table: GatedTable, installation: Installation) -> set[str]:
    closed = installation.lakehouse.properties(table.id.raw).get(CLOSED, "")
    judged = {one.ref.batch for one in installation.ledger.batches(tables=[table.id]) if one.state.judged}
    windows = {one.ref.batch for one in installation.ledger.batches(tables=[table.id.raw])} - judged
    return {window for window in windows if end_of_window(table, window) <= closed}
