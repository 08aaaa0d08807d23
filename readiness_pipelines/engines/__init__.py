"""Where batches are judged: the port, and the engines behind it, loaded by name when one is first used."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.engines.port import Engine, Rows
from readiness_pipelines.errors import UnknownNameError

__all__ = ["AVAILABLE", "Dialect", "Engine", "Loader", "Rows", "dialect_of", "open_engine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Where an engine's parts are: each is ``module:attribute``, imported when it is first used.

    Attributes:
        dialect: Its SQL; importing it needs none of the engine's own packages.
        opener: A context manager that gives an open `Engine`.
    """

    dialect: str
    opener: str


AVAILABLE: Mapping[str, Loader] = {
    "duckdb": Loader(
        dialect="readiness_pipelines.engines.duckdb.sql:DUCKDB",
        opener="readiness_pipelines.engines.duckdb.engine:open_duckdb",
    ),
    "spark": Loader(
        dialect="readiness_pipelines.engines.spark.sql:SPARK",
        opener="readiness_pipelines.engines.spark.session:open_spark",
    ),
}
"""The engines by name."""


def dialect_of(name: str) -> Dialect:
    """The SQL of an engine, without loading the engine.

    Raises:
        UnknownNameError: No such engine.
    """
    dialect: Dialect = _load(_loader(name).dialect)
    return dialect


def open_engine(name: str, *given: Any) -> AbstractContextManager[Engine]:
    """Open an engine for one batch; its views and tables are gone at the end.

    Args:
        name: The engine.
        given: Where it lives: a DuckDB connection for DuckDB, a URL for Spark.

    Raises:
        UnknownNameError: No such engine.
        EngineError: The engine is not installed, or does not answer.
    """
    opener: Callable[..., AbstractContextManager[Engine]] = _load(_loader(name).opener)
    return opener(*given)


def _loader(name: str) -> Loader:
    if name not in AVAILABLE:
        raise UnknownNameError("engine", name, AVAILABLE)
    return AVAILABLE[name]


def _load(place: str) -> Any:
    module, attribute = place.split(":")
    return getattr(import_module(module), attribute)
