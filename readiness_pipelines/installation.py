"""What a delivery works on: the tables, the ledger and the landing folder, opened once; and who runs it, and when."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import duckdb

from readiness_pipelines.batches import Batches
from readiness_pipelines.contracts import Places
from readiness_pipelines.keys import Keys, no_keys
from readiness_pipelines.lakehouse import Lakehouse, engine_errors
from readiness_pipelines.ledger import Ledger
from readiness_pipelines.limits import Limits
from readiness_pipelines.register_key import RegisterKey
from readiness_pipelines.settings import EngineName, Settings
from readiness_pipelines.storage import Place
from readiness_pipelines.workspaces import workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One installation's tables, ledger and landing folder.

    Attributes:
        lakehouse: The Iceberg tables.
        ledger: The truth about batches.
        landing: Folder where files land.
        connection: Gives the address of a database by its name in the settings.
        keys: Gives the bytes of a protection's key by its name in the settings.
        engine_name: Where the gates of sources' tables judge, unless domain or table say so themselves.
        spark_url: Where Spark is.
        engine_memory_mb: Memory that DuckDB may use for one batch; what does not fit is spilled to disk.
        settles: How long a batch's files must have been quiet, unless their reader says itself.
        limits: What one file may demand.
        register_key: The key of the register of erased persons.
        mlflow_uri: Where models are registered; ``off`` for nowhere.
        keeps_online: Whether deliveries keep the latest values of feature views: not so in a clone.
    """

    lakehouse: Lakehouse
    ledger: Ledger
    landing: Place
    connection: Callable[[str], str]
    keys: Keys = no_keys
    engine_name: EngineName = "duckdb"
    spark_url: str = "local[*]"
    engine_memory_mb: int = 640
    settles: timedelta = timedelta(0)
    limits: Limits = field(default_factory=Limits)
    register_key: RegisterKey = field(default_factory=RegisterKey)
    mlflow_uri: str = field(default="off", repr=False)
    keeps_online: bool = True

    @classmethod
    def open(cls, settings: Settings) -> "Installation":
        """Open, and create where they are missing, the tables and the ledger that the settings name.

        Raises:
            LakehouseError: The catalog cannot be reached.
            LedgerError: The ledger cannot be reached, or is of a newer version.
        """
        ledger = Ledger.open(settings.ledger_url)
        return cls(
            lakehouse=lakehouse_of(settings),
            ledger=ledger,
            landing=settings.landing_place,
            connection=settings.connection,
            keys=settings.key,
            engine_name=settings.engine,
            spark_url=settings.spark_url,
            engine_memory_mb=settings.engine_memory_mb,
            settles=settings.settles,
            limits=settings.limits,
            register_key=RegisterKey(said=settings.register_key, ledger=ledger.file),
            mlflow_uri=settings.mlflow_uri or _own_mlflow(settings),
        )

    def places(self, batches: Batches) -> Places:
        """Where a reader reads the batches of a table."""
        return Places(landing=self.landing, connection=self.connection, batches=batches, limits=self.limits)

    @contextmanager
    def engine(self, what: str = "a look at the tables") -> Iterator[duckdb.DuckDBPyConnection]:
        """An empty DuckDB database for one step, within the memory bound, gone at the end; see `workspace`.

        Args:
            what: What the step is about, for errors.

        Raises:
            LakehouseError: A file cannot be read or written, or there is not enough memory.
            EngineError: DuckDB broke.
        """
        homes = self.lakehouse.homes
        step = workspace(memory_mb=self.engine_memory_mb, reaches=homes.uris, driver=homes.for_duckdb())
        with engine_errors(what), step as connection:
            yield connection


def _own_mlflow(settings: Settings) -> str:
    """An SQLite for MLflow: in a warehouse that is a folder, else in the working folder."""
    place = settings.warehouse_place
    folder = place.path if place.is_local else Path.cwd()
    return f"sqlite:///{folder / 'mlflow.db'}"


def lakehouse_of(settings: Settings) -> Lakehouse:
    """Open the tables that the settings name. Processes take turns by the ledger's Postgres, or the catalog's.

    Raises:
        LakehouseError: The catalog cannot be reached.
    """
    databases = (settings.ledger_url, settings.catalog_url)
    return Lakehouse.open(
        catalog_url=settings.catalog_url,
        warehouse=settings.warehouse_place,
        restricted=settings.restricted_place,
        turns_url=next((url for url in databases if url.startswith("postgresql")), settings.ledger_url),
        lock_wait_seconds=settings.lock_wait_minutes * 60,
    )


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one or more steps.

    Attributes:
        run_id: The orchestrator's id of it, or one of its own.
        who: The person or service it runs for.
        clock: Says what time it is.
    """

    run_id: str = field(default_factory=lambda: uuid4().hex)
    who: str = "system"
    clock: Callable[[], datetime] = utc_now
