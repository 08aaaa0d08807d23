"""Where things are: the one place that reads the environment and the settings file."""

import json
import os
import re
import tomllib
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.identity import Identity
from readiness_pipelines.keys import read_key
from readiness_pipelines.limits import Limits
from readiness_pipelines.serve_settings import Serve
from readiness_pipelines.storage import ObjectStore, Place

PREFIX = "READINESS_"
FILE = "readiness.toml"
_TABLES = frozenset({"settings", "alerts"})
_VARIABLE = "env:"

_LIMITS = Limits()
_NAMES = tuple(one.name for one in fields(Limits))

EngineName = Literal["duckdb", "spark"]
"""Where a gate judges a batch."""


class Settings(BaseSettings):
    """One installation: its folders, databases and engine.

    Each is a variable ``READINESS_…``, or a line in the table ``[settings]`` of the settings file; the variable wins.
    Relative folders start at the working folder: the one that holds ``workspace.yaml``.

    Attributes:
        landing: Where files land: a folder, or ``s3://bucket/prefix``.
        warehouse: Where the Iceberg tables' files lie: a folder, or ``s3://bucket/prefix``.
        restricted_warehouse: Where the files of raw rows and quarantine lie, which hold values as they arrived: a
            folder, or ``s3://bucket/prefix``, that readers of published tables cannot open; by default the warehouse.
        catalog_url: The Iceberg catalog: SQLAlchemy URL of a database, or ``https://`` address of a REST catalog; by
            default SQLite in the warehouse.
        ledger_url: SQLAlchemy URL of the ledger; by default the catalog's database.
        s3_endpoint: URL of a server that speaks S3; AWS itself where there is none.
        s3_region: Region of the buckets; by default the standard chain's.
        register_key: Where the key of the register of erased persons is, said like those of `keys`. By default a
            file that is made beside an SQLite ledger, which only its owner can read.
        domains: The domains, as ``module:attribute``; separated by commas (or a JSON list) where it is a variable.
        connections: URLs of databases that `SqlQuery` reads, by name: the table ``[settings.connections]``; JSON where
            it is a variable. ``env:NAME`` stands for what the variable NAME holds.
        keys: Where the keys of protections are, by name: the table ``[settings.keys]``; JSON where it is a variable.
            ``env:NAME`` stands for what the variable NAME holds, ``file:PATH`` for what a file holds, and
            ``tink:PATH?kek=URI`` for a keyset that a key management service decrypts.
        identity: How it is proved who acts: the table ``[settings.identity]``; JSON where it is a variable.
        serve: How ``readiness serve`` answers: the table ``[settings.serve]``; JSON where it is a variable.
        web_url: Address of the web page (``readiness web``), that alerts, runs and reports link to; without it they say
            the commands alone.
        dagster_url: Address of Dagster's UI, that the web page's runs and tables link to; without it nothing does.
        openlineage: Who is sent OpenLineage events, by name: the table ``[settings.openlineage]``; JSON where it is a
            variable. ``file:PATH`` appends lines of JSON to a file, ``https://…`` is posted each event, ``kafka://host:9092/topic``
            is sent each; ``env:NAME``
            stands for what the variable NAME holds.
        openlineage_tokens: Tokens for those that are posted events, by the same names: the table
            ``[settings.openlineage_tokens]``, ``env:NAME`` for what the variable NAME holds.
        openlineage_namespace: The namespace of this installation's jobs and tables in those events.
        token: A token of who acts, for the command line. Only a variable.
        config: The settings file; its ``[alerts]`` says who is notified of what. Only a variable.
        mlflow_uri: Where models are registered: the address of an MLflow server, or the SQLAlchemy URL of its database;
            by default SQLite beside the ledger's or in the warehouse, and ``off`` registers nowhere. Whatever is there
            is the view: the ledger has the truth.
        engine: Where the gates of sources' tables judge, unless domain or table say so themselves.
        engine_memory_mb: Memory that DuckDB may use for one batch, in megabytes.
        lock_wait_minutes: How long a delivery waits for another process that delivers the same batch, or commits to the
            same table (that for ten minutes at most), before it gives up.
        automatic: Whether Dagster's daemon runs what is due from the first start on. Where not, people start runs, or
            switch the sensor ``<domain>_work`` on in the UI.
        settles: How long a batch's files must have been quiet before they are read, unless their reader says itself.
        most_columns: Columns of a file that are read at most.
        most_record_mb: Size of one line, record or cell of a file, in megabytes.
        most_unpacked_mb: Size of what a packed file unpacks to, in megabytes.
        most_unpacked_ratio: That size over the packed one.
        most_nesting: Levels of arrays and objects within each other.
        spark_url: Where Spark is: a master (``local[2]``, ``spark://…``, ``k8s://…``) or Spark Connect (``sc://…``).

    Raises:
        UnknownNameError: A variable or line that names no setting; names the nearest.
        DeclarationError: A value that does not fit, or a file that is not TOML.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    landing: str = "data/landing"
    warehouse: str = "data/warehouse"
    restricted_warehouse: str = ""
    catalog_url: str = Field(default="", repr=False)
    ledger_url: str = Field(default="", repr=False)
    s3_endpoint: str = ""
    s3_region: str = ""
    register_key: str = Field(default="", repr=False, pattern="^$|^env:.+|^file:.+|^tink:.+")
    domains: Annotated[tuple[str, ...], NoDecode] = ()
    connections: dict[str, str] = Field(default_factory=dict, repr=False)
    keys: dict[str, str] = Field(default_factory=dict, repr=False)
    identity: Identity = Field(default_factory=Identity)
    serve: Serve = Field(default_factory=Serve)
    web_url: str = Field(default="", pattern="^$|^https?://.+")
    dagster_url: str = Field(default="", pattern="^$|^https?://.+")
    openlineage: dict[str, str] = Field(default_factory=dict, repr=False)
    openlineage_tokens: dict[str, str] = Field(default_factory=dict, repr=False)
    openlineage_namespace: str = Field(default="readiness", min_length=1)
    mlflow_uri: str = Field(default="", repr=False)
    token: str = Field(default="", repr=False)
    config: Path = Path(FILE)
    engine: EngineName = "duckdb"
    engine_memory_mb: int = Field(default=640, ge=128)
    lock_wait_minutes: float = Field(default=60, gt=0, le=7 * 24 * 60)
    automatic: bool = True
    settles: Duration = Field(default=timedelta(seconds=5), ge=timedelta(0), le=timedelta(days=1))
    most_columns: int = Field(default=_LIMITS.most_columns, ge=1, le=100_000)
    most_record_mb: float = Field(default=_LIMITS.most_record_mb, gt=0, le=1_024)
    most_unpacked_mb: float = Field(default=_LIMITS.most_unpacked_mb, gt=0, allow_inf_nan=False)
    most_unpacked_ratio: float = Field(default=_LIMITS.most_unpacked_ratio, ge=1, allow_inf_nan=False)
    most_nesting: int = Field(default=_LIMITS.most_nesting, ge=1, le=200)
    spark_url: str = Field(default="local[*]", repr=False)

    def __init__(self, **given: Any) -> None:
        """Read the environment and the file; what is given here wins over both."""
        try:
            super().__init__(**given)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
            raise DeclarationError(f"settings that do not fit: {problems}", way_out="see docs/settings.md") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic gives it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic gives it by name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given wins over the environment, and that over the settings file."""
        _refuse_unknown_variables(cls)
        return init_settings, env_settings, _FileSource(settings_cls)

    @field_validator("domains", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        text = value.strip()
        return json.loads(text) if text.startswith("[") else [name.strip() for name in text.split(",") if name.strip()]

    @model_validator(mode="before")
    @classmethod
    def _absolute(cls, values: Any) -> Any:
        for place in ("landing", "warehouse"):
            values[place] = Place.of(values.get(place) or cls.model_fields[place].default).uri
        if restricted := values.get("restricted_warehouse"):
            values["restricted_warehouse"] = Place.of(restricted).uri
        if not values.get("catalog_url") and values["warehouse"].startswith("s3://"):
            raise DeclarationError(
                "the warehouse is in a bucket, where no catalog can lie",
                way_out="set READINESS_CATALOG_URL to a Postgres, or to the address of a REST catalog",
            )
        values["catalog_url"] = values.get("catalog_url") or f"sqlite:///{values['warehouse']}/readiness.db"
        if not values.get("ledger_url") and values["catalog_url"].startswith("http"):
            raise DeclarationError(
                "the ledger needs a database, and a REST catalog has none to share",
                way_out="set READINESS_LEDGER_URL to a Postgres, or to sqlite:///… on the only machine",
            )
        values["ledger_url"] = values.get("ledger_url") or values["catalog_url"]
        for url in ("catalog_url", "ledger_url"):
            # SQLAlchemy's default driver for Postgres is another one than Dagster brings.
            values[url] = re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", str(values[url]))
        return values

    @property
    def store(self) -> ObjectStore:
        """Where S3 is."""
        return ObjectStore(endpoint=self.s3_endpoint, region=self.s3_region)

    @property
    def landing_place(self) -> Place:
        """Where files land."""
        return Place(self.landing, self.store)

    @property
    def warehouse_place(self) -> Place:
        """Where the tables' files lie."""
        return Place(self.warehouse, self.store)

    @property
    def restricted_place(self) -> Place | None:
        """Where the files of raw rows and quarantine lie; ``None`` for the warehouse."""
        return Place(self.restricted_warehouse, self.store) if self.restricted_warehouse else None

    @property
    def limits(self) -> Limits:
        """What a file may demand of the machine."""
        return Limits(**{name: getattr(self, name) for name in _NAMES})

    def connection(self, name: str) -> str:
        """The URL of a database by its name in `connections`.

        Raises:
            UnknownNameError: No connection has the name; names the nearest.
            DeclarationError: Its value is a variable that is not set.
        """
        if name not in self.connections:
            raise UnknownNameError("connection", name, self.connections)
        value = self.connections[name]
        if not value.startswith(_VARIABLE):
            return value
        variable = value.removeprefix(_VARIABLE)
        if not (url := os.environ.get(variable)):
            raise DeclarationError(
                f"connection {name!r} is in the variable {variable}, which is not set",
                way_out=f"set {variable} to the database's URL",
            )
        return url

    def key(self, name: str) -> bytes:
        """The bytes of a key by its name in `keys`.

        Raises:
            UnknownNameError: No key has the name; names the nearest.
            DeclarationError: It cannot be had where the setting says.
        """
        if name not in self.keys:
            raise UnknownNameError("key in [settings.keys]", name, self.keys)
        return read_key(name, self.keys[name])


class _FileSource(PydanticBaseSettingsSource):
    """The table ``[settings]`` of the settings file."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002  # pydantic's
        """The value of one setting."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        file = Path(self.current_state.get("config") or os.environ.get(f"{PREFIX}CONFIG") or FILE)
        if not file.exists():
            return {}
        try:
            tables = tomllib.loads(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise DeclarationError(f"{file} is not UTF-8: {error}", way_out="save it as UTF-8") from error
        except tomllib.TOMLDecodeError as error:
            raise DeclarationError(f"{file} is not TOML: {error}", way_out="see docs/settings.md") from error
        known = set(self.settings_cls.model_fields) - {"config", "token"}
        for name, table in tables.items():
            if not isinstance(table, dict) and name in known | _TABLES:
                raise DeclarationError(
                    f"{name} in {file} is outside of the table that it belongs to",
                    way_out=f"write [{name}]" if name in _TABLES else "write it below a line [settings]",
                )
            if name not in _TABLES:
                raise UnknownNameError(f"table in {file}", name, _TABLES)
        given = tables.get("settings", {})
        for name in given:
            if name not in known:
                raise UnknownNameError(f"setting in {file}", name, known)
        return dict(given)


def _refuse_unknown_variables(settings: type[BaseSettings]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in settings.model_fields}
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            raise UnknownNameError("variable", name, known)
