"""What we watch: promises held against what is there. Findings out, nothing stored and nobody notified."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.observability.comparing import MOST_BATCHES, compare
    from readiness_pipelines.observability.distances import central_range
    from readiness_pipelines.observability.freshness import (
        BAD,
        FreshnessState,
        TableFreshness,
        assess,
        promise_text,
    )
    from readiness_pipelines.observability.kept import FreshnessKept, freshness_kept
    from readiness_pipelines.observability.movement import Bar, Comparison, Measured, Moved, Past
    from readiness_pipelines.observability.profiles import BatchProfile, ColumnKind, ColumnProfile, Exact, profile_of
    from readiness_pipelines.observability.redacting import redact_profile
else:
    import_on_demand(__name__)

__all__ = [
    "BAD",
    "MOST_BATCHES",
    "Bar",
    "BatchProfile",
    "ColumnKind",
    "ColumnProfile",
    "Comparison",
    "Exact",
    "FreshnessKept",
    "FreshnessState",
    "Measured",
    "Moved",
    "Past",
    "TableFreshness",
    "assess",
    "central_range",
    "compare",
    "freshness_kept",
    "profile_of",
    "promise_text",
    "redact_profile",
]
