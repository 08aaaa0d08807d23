"""What we watch: promises held against what is there. Findings out, nothing stored and nobody told."""

from readiness_pipelines.observability.findings import Finding, FindingKind, Severity
from readiness_pipelines.observability.freshness import (
    BAD,
    FreshnessState,
    Publication,
    TableFreshness,
    assess,
    promise_text,
)

__all__ = [
    "BAD",
    "Finding",
    "FindingKind",
    "FreshnessState",
    "Publication",
    "Severity",
    "TableFreshness",
    "assess",
    "promise_text",
]
