"""What was found about newest batches, as JSON."""

from collections.abc import Sequence
from typing import Any

from readiness_pipelines.commands import schema_command
from readiness_pipelines.ledger import Finding, FindingKind


def unusual_value(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """What was found, as JSON."""
    return [
        {
            "table": str(one.table),
            "batch": one.batch,
            "kind": one.kind.value,
            "seen": one.seen,
            "expected": one.promised,
            "next": unusual_command(one),
        }
        for one in found
    ]


def unusual_command(one: Finding) -> str:
    """The command to type next."""
    return schema_command(one.table) if one.kind is FindingKind.SCHEMA else one.way_out
