"""The steps of a path: the tables it gates, the tables it derives, and the measure that computes its KPI."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from readiness_pipelines.contracts.gating import Gating
from readiness_pipelines.contracts.promises import Freshness
from readiness_pipelines.contracts.sources import Source
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.settings import EngineName

Transform = Callable[..., Any]
"""DuckDB relations in (one per parameter, named for a table of the path), one DuckDB relation out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedTable:
    """A table fed by a source: raw rows pass its gate, or wait in quarantine.

    Attributes:
        name: Identifier, unique in the path.
        source: Where the rows come from and who answers for them.
        schema: A Pandera schema or model; the gate is built from it.
        gating: What the gate does beyond the schema.
        freshness: How old the newest published batch may be; ``None`` promises nothing.
        latency: How long a batch may take from landing to published; ``None`` promises nothing.
        engine: Where its gate judges; ``None`` leaves it to the path.
        description: For people.
    """

    name: str
    source: Source
    schema: Any
    gating: Gating
    freshness: Freshness | None
    latency: timedelta | None
    engine: EngineName | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedTable:
    """A table computed from published batches of the path's other tables, and gated by its own schema.

    Attributes:
        name: Identifier, unique in the path.
        transform: Relations of the inputs' batch in, relation out.
        inputs: Names of the tables that the transform's parameters name, in order.
        schema: A Pandera schema or model; the gate is built from it.
        gating: What the gate does beyond the schema.
        freshness: How old the newest published batch may be; ``None`` promises nothing.
        latency: How long the step may take; ``None`` promises nothing.
        description: For people.
    """

    name: str
    transform: Transform
    inputs: tuple[str, ...]
    schema: Any
    gating: Gating
    freshness: Freshness | None
    latency: timedelta | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How the KPI is computed from published tables.

    Attributes:
        transform: Relations of the inputs in, a relation of exactly one row out, with a column ``value`` and, where the
            KPI is a ratio, ``numerator`` and ``denominator``. It is applied to one batch, and to all batches together.
        inputs: Names of the tables that the transform's parameters name, in order.
        latency: How long the step may take; ``None`` promises nothing.
        description: For people.
    """

    transform: Transform
    inputs: tuple[str, ...]
    latency: timedelta | None
    description: str


def inputs_of(transform: Transform, tables: dict[str, GatedTable | DerivedTable]) -> tuple[str, ...]:
    """The tables that a transform's parameters name.

    Args:
        transform: A function whose parameters are named for tables.
        tables: The tables declared so far, by name.

    Raises:
        DeclarationError: A function without parameters, or with ``*args``/``**kwargs``.
        UnknownNameError: A parameter that names no table declared before it.
    """
    parameters = inspect.signature(transform).parameters
    if not parameters:
        raise DeclarationError(
            f"{transform.__name__} takes no table", way_out="name its parameters for the tables it reads"
        )
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise DeclarationError(
                f"{transform.__name__} takes *{name}", way_out="name one parameter for each table it reads"
            )
        if name not in tables:
            raise UnknownNameError(f"table in the parameters of {transform.__name__}", name, tables)
    return tuple(parameters)
