"""What a delivery works on: the tables, the ledger, and the folder where files land."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.quarantine import Ledger
from readiness_pipelines.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One installation's tables, ledger and landing folder.

    Attributes:
        lakehouse: The Iceberg tables.
        ledger: The truth about batches.
        landing: Folder where files land.
        engine_memory_mb: Memory that DuckDB may use for one batch; what does not fit is spilled to disk.
    """

    lakehouse: Lakehouse
    ledger: Ledger
    landing: Path
    engine_memory_mb: int = 640

    @classmethod
    def open(cls, settings: Settings) -> "Installation":
        """Open, and create where they are missing, the tables and the ledger that the settings name.

        Raises:
            LakehouseError: The catalog cannot be reached.
            LedgerError: The ledger cannot be reached, or is of a newer version.
        """
        return cls(
            lakehouse=Lakehouse.open(catalog_url=settings.catalog_url, warehouse=str(settings.warehouse)),
            ledger=Ledger.open(settings.ledger_url),
            landing=settings.landing,
            engine_memory_mb=settings.engine_memory_mb,
        )

    @contextmanager
    def engine(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB of its own for one step, within the memory bound, closed and cleaned up at the end."""
        with tempfile.TemporaryDirectory(prefix="readiness-") as spill:
            connection = duckdb.connect(
                config={
                    "memory_limit": f"{self.engine_memory_mb}MB",
                    "temp_directory": spill,
                    # Rows are told apart by _row, not by their place: order would cost memory and speed.
                    "preserve_insertion_order": False,
                }
            )
            try:
                yield connection
            finally:
                connection.close()
