"""Who is on call and what to do, beside what is shown of a table."""

from contextlib import suppress

from readiness_pipelines.cli.output import say
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import utc_now
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import Guidance, guidance_for
from readiness_pipelines.settings import Settings

INDENT = "  │ "


def guidance_if_declared(table: TableId) -> Guidance | None:
    """Who is on call for a table and what to do; ``None`` where the code declares no such table, or cannot be loaded.

    What is shown beside it is in the ledger, and has to be shown also where the code is broken.
    """
    with suppress(ReadinessError):
        return guidance_for(load_domains(Settings()), [table], now=utc_now()).get(table)
    return None


def say_runbook(guidance: Guidance | None) -> None:
    """Print a table's own runbook, where it has one, set apart from what is ours."""
    if guidance is not None and guidance.runbook is not None:
        for line in guidance.runbook.text.strip().splitlines():
            say((f"{INDENT}{line}".rstrip(), "dim"))
