"""What a table's gate does beyond its schema: further rules, routes, tolerance, and what a changed source means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from readiness_pipelines.contracts.promises import Tolerance
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.errors import DeclarationError, UnknownNameError


class SchemaChange(StrEnum):
    """What a source means whose columns or types are others than those that were accepted last.

    Whatever is chosen, the change is a finding of the rule ``schema_unchanged``. The columns of the first batch that is
    published are accepted by themselves; later ones by ``readiness schema accept``.

    ``DISCARD``: what the schema says is published; a new column is not, and a value too wide breaks its row.
    ``EVOLVE``: the new column, or the wider type, is published, and the table evolves in the same commit.
    ``FREEZE``: the batch is held.
    """

    DISCARD = "discard"
    EVOLVE = "evolve"
    FREEZE = "freeze"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gating:
    """What a gate does beyond its schema.

    Attributes:
        rules: Further rules: Pandera checks over the frame, and references to other tables.
        routes: Routes by rule name.
        default_route: Route of the row, batch and reference rules that `routes` does not name; ``None`` holds a batch
            that breaks a batch rule, and quarantines rows.
        tolerance: When a batch is held instead of published in part.
        schema_change: What a changed source means.
        unclassified: What a published column means that looks personal for sure and that nobody classified: a finding,
            or a batch that is held.
        allow_empty: Whether a batch without rows replaces what it published before.
    """

    rules: tuple[Any, ...] = ()
    routes: Mapping[str, Route] = field(default_factory=dict)
    default_route: Route | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    schema_change: SchemaChange = SchemaChange.DISCARD
    unclassified: Route = Route.WARN
    allow_empty: bool = False


def checked_gating(
    what: str,
    rules: Sequence[Any],
    *,
    routes: Mapping[str, Route] | None,
    default_route: Route | None,
    tolerance: Tolerance | None,
    allow_empty: bool,
    schema_change: SchemaChange,
    unclassified: Route = Route.WARN,
    streamed: bool = False,
) -> Gating:
    """What a user gives beside a schema; see `Gating`.

    Args:
        what: Whose it is, for errors.
        rules: Further rules.
        routes: Routes by rule name.
        default_route: The route of rules that `routes` does not name.
        tolerance: When a batch is held.
        allow_empty: Whether a batch without rows replaces what it published before.
        schema_change: What a changed source means.
        unclassified: What a column means that looks personal.
        streamed: Whether its rows may arrive as a stream, over the last of which a tolerance may be.

    Raises:
        DeclarationError: Something of another type than that.
        UnknownNameError: A route, or another choice, that there is not.
    """
    if isinstance(rules, str) or not isinstance(rules, Sequence):
        raise DeclarationError(
            f"the rules of {what} are a {type(rules).__name__}", way_out="write rules=[row_count(…)]"
        )
    if routes is not None and not isinstance(routes, Mapping):
        raise DeclarationError(f"the routes of {what} are not a mapping", way_out='write routes={"rule": Route.WARN}')
    for rule, route in {**(routes or {}), "default_route": default_route or Route.WARN}.items():
        if not isinstance(route, Route):
            raise UnknownNameError(f"route of {rule} of {what}", str(route), [one.value for one in Route])
    if not isinstance(schema_change, SchemaChange):
        raise UnknownNameError(f"schema_change of {what}", str(schema_change), [one.value for one in SchemaChange])
    if unclassified not in (Route.WARN, Route.HOLD):
        raise UnknownNameError(f"unclassified of {what}", str(unclassified), [Route.WARN.value, Route.HOLD.value])
    if tolerance is not None and not isinstance(tolerance, Tolerance):
        raise DeclarationError(
            f"the tolerance of {what} is a {type(tolerance).__name__}", way_out="give a Tolerance(…)"
        )
    if tolerance is not None and tolerance.over is not None and not streamed:
        raise DeclarationError(
            f"{what} is delivered batch by batch, and its tolerance is over the last {tolerance.over:,} rows of a "
            "stream",
            way_out="drop over=…: the ratio is one of each batch's rows then",
        )
    return Gating(
        rules=tuple(rules),
        routes=routes or {},
        default_route=default_route,
        tolerance=tolerance or Tolerance(),
        schema_change=schema_change,
        unclassified=Route(unclassified),
        allow_empty=bool(allow_empty),
    )
