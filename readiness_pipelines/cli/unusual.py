"""Batches that are not like those before them, a line each: a new column in the source, half the rows."""

from collections.abc import Sequence
from datetime import datetime

from readiness_pipelines.cli.output import say
from readiness_pipelines.commands import report_command
from readiness_pipelines.contracts import Table
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.json_values.unusual import unusual_command
from readiness_pipelines.ledger import Finding, FindingKind
from readiness_pipelines.overview import unusual_batches, withdrawn_windows

SHOWN = 5


def unusual_of(
    tables: Sequence[Table], *, installation: Installation, now: datetime | None = None
) -> tuple[Finding, ...]:
    """What was found of the newest batches of some tables and nobody called normal; before it, what seals withdrew.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    known = {table.id: table for table in tables}
    publications = installation.ledger.publications(tables=known)
    return (
        *withdrawn_windows(known, installation=installation, now=now or utc_now()),
        *unusual_batches(known, installation=installation, publications=publications),
    )


def say_unusual(found: Sequence[Finding]) -> None:
    """Say what was found, and where to look."""
    for one in found[:SHOWN]:
        word = "withdrawn" if one.kind is FindingKind.WITHDRAWN else "unusual"
        say((f"{word} ", "bold yellow"), f"{one.table}[{one.batch}]: {one.seen} (expected: {one.promised})")
        say(("  → ", "bold"), unusual_command(one))
    if len(found) > SHOWN:
        say(f"{len(found) - SHOWN:,} more that are unusual: ", report_command(found[SHOWN].table.domain))
