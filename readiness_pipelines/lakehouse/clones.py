"""What the shallow clones of tables are called, and where they lie."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from readiness_pipelines.lakehouse.homes import Homes
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place

if TYPE_CHECKING:
    from readiness_pipelines.lakehouse.lakehouse import Lakehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class ClonedTables:
    """What the clones of tables are called, and where they lie.

    Attributes:
        suffix: Ends their namespaces.
        homes: Where their own files lie.
        original: The lakehouse of which they are clones, in which raw tables are read.
    """

    suffix: str
    homes: Homes
    original: "Lakehouse"

    def name(self, table: TableId) -> TableId:
        """A clone's name in the catalog."""
        return TableId(f"{table.domain}{self.suffix}", table.name)

    def place(self, table: TableId) -> Place:
        """Where a clone's own files lie."""
        return self.homes.of(self.name(table))
