"""Where things are: the one place that reads the environment."""

import re
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Folders and databases of one installation, from ``READINESS_…`` variables.

    Relative folders start at the working folder: the one that holds ``workspace.yaml``.

    Attributes:
        landing: Folder where files land (``READINESS_LANDING``).
        warehouse: Folder of the Iceberg tables (``READINESS_WAREHOUSE``).
        catalog_url: SQLAlchemy URL of the Iceberg catalog (``READINESS_CATALOG_URL``); by default SQLite in the
            warehouse.
        ledger_url: SQLAlchemy URL of the ledger (``READINESS_LEDGER_URL``); by default the catalog's database.
        paths: The data paths that the command line knows, as ``module:attribute`` (``READINESS_PATHS``, a JSON list).
        config: The settings file, of which ``[alerts]`` says who hears of what (``READINESS_CONFIG``).
        engine_memory_mb: Memory that DuckDB may use for one batch, in megabytes (``READINESS_ENGINE_MEMORY_MB``).
    """

    model_config = SettingsConfigDict(env_prefix="READINESS_", frozen=True, extra="forbid")

    landing: Path = Path("data/landing")
    warehouse: Path = Path("data/warehouse")
    catalog_url: str = ""
    ledger_url: str = ""
    paths: tuple[str, ...] = (
        "readiness_pipelines.paths.readmission_rate:path",
        "readiness_pipelines.paths.first_pass_yield:path",
    )
    config: Path = Path("readiness.toml")
    engine_memory_mb: int = Field(default=640, ge=128)

    @model_validator(mode="before")
    @classmethod
    def _absolute(cls, values: Any) -> Any:
        for folder in ("landing", "warehouse"):
            values[folder] = Path(values.get(folder) or cls.model_fields[folder].default).expanduser().resolve()
        values["catalog_url"] = values.get("catalog_url") or f"sqlite:///{values['warehouse'] / 'readiness.db'}"
        values["ledger_url"] = values.get("ledger_url") or values["catalog_url"]
        for url in ("catalog_url", "ledger_url"):
            # SQLAlchemy's default driver for Postgres is another one than Dagster brings.
            values[url] = re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", str(values[url]))
        return values
