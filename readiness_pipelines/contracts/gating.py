"""What a table's gate does beyond its schema: further rules, routes, tolerance, and what a changed source means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from readiness_pipelines.contracts.promises import Tolerance
from readiness_pipelines.contracts.routes import Route


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
