"""A data path: everything between the sources and one KPI, declared on a page."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr, TypeAdapter, ValidationError

from readiness_pipelines.batches.kinds import Batches
from readiness_pipelines.contracts.gating import Gating, SchemaChange
from readiness_pipelines.contracts.kpi import Kpi
from readiness_pipelines.names import Identifier
from readiness_pipelines.contracts.promises import Freshness, Tolerance
from readiness_pipelines.contracts.references import ExistsIn
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.contracts.sources import Source
from readiness_pipelines.contracts.tables import DerivedTable, GatedTable, Measure, Transform, inputs_of
from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.settings import EngineName

T = TypeVar("T", bound=Transform)

_DURATION: TypeAdapter[Duration | None] = TypeAdapter(Duration | None)
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
_RESERVED_NAMESPACES = frozenset({"raw", "quarantine", "profiles", "kpi"})


class DataPath(Frozen):
    """Everything between the sources and one KPI.

    Tables are added in the order rows flow: `gated` for a source, `derived` for a transform, `measure` for the KPI.

    Attributes:
        kpi: The number this path exists for. The path is named after it.
        batches: The batches that every table of the path has.
        namespace: Namespace of the published tables.
        engine: Where the gates of its sources' tables judge; ``None`` leaves it to the settings. What is derived, and
            the measure, are DuckDB's.
        description: For people; the first line of the module's docstring is a good one.
    """

    kpi: Kpi
    batches: Batches
    namespace: Identifier = Field(default="published")
    engine: EngineName | None = None
    description: str = ""

    _tables: dict[str, GatedTable | DerivedTable] = PrivateAttr(default_factory=dict)
    _measures: list[Measure] = PrivateAttr(default_factory=list)

    def model_post_init(self, context: Any, /) -> None:
        """Refuse a namespace that the framework uses itself."""
        super().model_post_init(context)
        if self.namespace in _RESERVED_NAMESPACES:
            raise DeclarationError(
                f"the namespace {self.namespace!r} is the framework's own", way_out="choose another, e.g. 'published'"
            )

    @property
    def name(self) -> str:
        """The path's name: its KPI's."""
        return self.kpi.name

    @property
    def tables(self) -> tuple[GatedTable | DerivedTable, ...]:
        """The tables in the order rows flow."""
        return tuple(self._tables.values())

    @property
    def kpi_measure(self) -> Measure | None:
        """How the KPI is computed; ``None`` until `measure` was used."""
        return self._measures[0] if self._measures else None

    def table(self, name: str) -> GatedTable | DerivedTable:
        """The table called `name`.

        Raises:
            UnknownNameError: The path has no such table; names the nearest.
        """
        if name not in self._tables:
            raise UnknownNameError(f"table of path {self.name}", name, self._tables)
        return self._tables[name]

    def gated(
        self,
        *,
        name: str,
        source: Source,
        schema: Any,
        tolerance: Tolerance | None = None,
        rules: Sequence[Any] = (),
        routes: Mapping[str, Route] | None = None,
        default_route: Route | None = None,
        schema_change: SchemaChange = SchemaChange.DISCARD,
        allow_empty: bool = False,
        freshness: Freshness | None = None,
        latency: str | None = None,
        engine: EngineName | None = None,
        description: str = "",
    ) -> GatedTable:
        """Add a table fed by a source and gated by a Pandera schema. See `GatedTable` and `Gating` for the arguments.

        Raises:
            DeclarationError: A name that is taken or no identifier, or a latency that is no duration.
            UnknownNameError: A rule that refers to a table not declared before.
        """
        table = GatedTable(
            name=self._free_name(name),
            source=source,
            schema=schema,
            gating=Gating(
                rules=self._known_rules(rules),
                routes=routes or {},
                default_route=default_route,
                tolerance=tolerance or Tolerance(),
                schema_change=schema_change,
                allow_empty=allow_empty,
            ),
            freshness=freshness,
            latency=_duration(name, latency),
            engine=engine,
            description=description or first_paragraph(schema),
        )
        self._tables[name] = table
        return table

    def derived(
        self,
        *,
        schema: Any,
        name: str | None = None,
        tolerance: Tolerance | None = None,
        rules: Sequence[Any] = (),
        routes: Mapping[str, Route] | None = None,
        default_route: Route | None = None,
        allow_empty: bool = False,
        freshness: Freshness | None = None,
        latency: str | None = None,
        description: str = "",
    ) -> Callable[[T], T]:
        """Add a table computed by the decorated function, which stays callable. See `DerivedTable` and `Gating`.

        Raises:
            DeclarationError: A name that is taken or no identifier, or a function without parameters.
            UnknownNameError: A parameter, or a rule, that names no table declared before.
        """

        def add(transform: T) -> T:
            table_name = self._free_name(name or transform.__name__)
            self._tables[table_name] = DerivedTable(
                name=table_name,
                transform=transform,
                inputs=inputs_of(transform, self._tables),
                schema=schema,
                gating=Gating(
                    rules=self._known_rules(rules),
                    routes=routes or {},
                    default_route=default_route,
                    tolerance=tolerance or Tolerance(),
                    allow_empty=allow_empty,
                ),
                freshness=freshness,
                latency=_duration(table_name, latency),
                description=description or first_paragraph(transform) or first_paragraph(schema),
            )
            return transform

        return add

    def measure(self, transform: T) -> T:
        """Declare the decorated function as the KPI's computation; it stays callable. See `Measure`.

        Raises:
            DeclarationError: The path has a measure already, or the function has no parameters.
            UnknownNameError: A parameter that names no table declared before.
        """
        if self._measures:
            raise DeclarationError(
                f"path {self.name} has a measure already: {self._measures[0].transform.__name__}",
                way_out="a path has one KPI: declare a second path for a second number",
            )
        inputs = inputs_of(transform, self._tables)
        self._measures.append(
            Measure(transform=transform, inputs=inputs, latency=None, description=first_paragraph(transform))
        )
        return transform

    def _known_rules(self, rules: Sequence[Any]) -> tuple[Any, ...]:
        for rule in rules:
            if isinstance(rule, ExistsIn):
                self.table(rule.table)
        return tuple(rules)

    def _free_name(self, name: str) -> str:
        try:
            _IDENTIFIER.validate_python(name)
        except ValidationError as error:
            raise DeclarationError(
                f"the table name {name!r} of path {self.name} is no identifier",
                way_out="use lower-case letters, digits and underscores, starting with a letter",
            ) from error
        if name in self._tables or name == self.kpi.name:
            raise DeclarationError(f"path {self.name} has a {name!r} already", way_out="give the table another name")
        return name


def _duration(name: str, value: str | None) -> Any:
    try:
        return _DURATION.validate_python(value)
    except ValidationError as error:
        raise DeclarationError(f"the latency of {name!r} is no duration: {value!r}", way_out="write '10m'") from error


def first_paragraph(documented: object) -> str:
    """The first paragraph of an object's own docstring on one line; "" where it has none of its own."""
    text = documented.__dict__.get("__doc__") if isinstance(documented, type) else getattr(documented, "__doc__", None)
    return re.sub(r"\s+", " ", inspect.cleandoc(text).split("\n\n")[0]) if text else ""
