"""What a gate says of one record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.contracts.routes import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A rule that a record breaks: its name, the column (``None`` for the whole record), the reason, and the route."""

    rule: str
    column: str | None
    reason: str
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVerdict:
    """What a gate says of one record.

    Attributes:
        broken: The rules it breaks, in the gate's order.
        undecided: Names of the rules that need the batch, or other tables.
        record: The typed and cleansed values; empty where the record could not be read or has not the schema's shape.
    """

    broken: tuple[BrokenRule, ...]
    undecided: tuple[str, ...]
    record: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether no rule is broken but those routed ``warn``."""
        return all(broken.route is Route.WARN for broken in self.broken)
