"""Where tables' files lie: what is published in one place, what arrived and what waits perhaps in another."""

from dataclasses import dataclass

from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Homes:
    """Where tables' files lie.

    Attributes:
        published: For the tables that consumers read.
        restricted: For raw rows and quarantine, which hold values as they arrived; ``None`` for the same place.
    """

    published: Place
    restricted: Place | None = None

    def __truediv__(self, folder: str) -> "Homes":
        """The same folder below each place."""
        return Homes(
            published=self.published / folder, restricted=None if self.restricted is None else self.restricted / folder
        )

    def of(self, table: TableId) -> Place:
        """Where the files of a table, or of an environment's clone of one, lie."""
        home = self.restricted if self.restricted is not None and table.keeps_arrived else self.published
        return home / table.domain / table.name

    @property
    def places(self) -> tuple[Place, ...]:
        """The places, each once."""
        return (self.published,) if self.restricted is None else (self.published, self.restricted)

    @property
    def uris(self) -> tuple[str, ...]:
        """Their addresses."""
        return tuple(place.uri for place in self.places)

    def make(self) -> None:
        """Make the folders; the restricted one for its owner alone, where it is new.

        Raises:
            OSError: One cannot be made.
        """
        self.published.make()
        if self.restricted is not None:
            new = self.restricted.is_local and not self.restricted.path.exists()
            self.restricted.make()
            if new:
                self.restricted.path.chmod(0o700)

    def for_duckdb(self) -> object | None:
        """A file system by which DuckDB reads them; ``None`` where they are folders."""
        return next((driver for place in self.places if (driver := place.for_duckdb()) is not None), None)
