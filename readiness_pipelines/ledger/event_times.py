"""When what batches tell of happened, by the snapshot that published them."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from readiness_pipelines.batches import EventTimes
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.keys import is_table
from readiness_pipelines.ledger.tables import EVENT_TIMES
from readiness_pipelines.names import TableId


class KeptTimes(NamedTuple):
    """When what a batch tells of happened.

    Attributes:
        snapshot: The snapshot that published it; of any other one it says nothing.
        times: The times.
    """

    snapshot: int
    times: EventTimes


class TimesOfBatches:
    """When what batches tell of happened. It follows from the published rows: what is missing is read from them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, table: TableId, column: str) -> Mapping[str, KeptTimes]:
        """What is kept of a table, by batch.

        Args:
            table: The table.
            column: Its column with the time of an event.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        query = select(EVENT_TIMES).where(is_table(EVENT_TIMES, table), EVENT_TIMES.c.event_column == column)
        with self._database.reading() as connection:
            return {
                row.batch: KeptTimes(
                    row.snapshot, EventTimes(tuple((first, last) for first, last in row.quarters), zoned=row.zoned)
                )
                for row in connection.execute(query)
            }

    def keep(self, table: TableId, column: str, kept: Mapping[str, KeptTimes]) -> None:
        """Keep when what some batches tell of happened, in place of what was kept of them.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.writing() as connection:
            for batch, one in kept.items():
                key = {"table_name": str(table), "batch": batch, "event_column": column}
                connection.execute(
                    delete(EVENT_TIMES).where(*(EVENT_TIMES.c[name] == value for name, value in key.items()))
                )
                values = {"snapshot": one.snapshot, "zoned": one.times.zoned, "quarters": list(one.times.quarters)}
                connection.execute(insert(EVENT_TIMES).values(**key, **values))
