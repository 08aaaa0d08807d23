"""Who is on call and what to do, beside what is shown of a table."""

from contextlib import suppress
from typing import Any

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


def guidance_value(guidance: Guidance | None) -> dict[str, Any]:
    """It as JSON."""
    if guidance is None:
        return {"on_call": None, "runbook": None}
    own, on_call = guidance.runbook, guidance.on_call
    return {
        "on_call": {
            "who": list(on_call.who),
            "until": on_call.until.isoformat() if on_call.until else None,
            "by_calendar": on_call.by_calendar,
            "problem": on_call.problem,
        },
        "runbook": {
            "text": own.text if own else None,
            "path": str(own.path) if own and own.path else None,
            "ours": guidance.ours,
        },
    }


def say_runbook(guidance: Guidance | None) -> None:
    """Print a table's own runbook, where it has one, set apart from what is ours."""
    if guidance is not None and guidance.runbook is not None:
        for line in guidance.runbook.text.strip().splitlines():
            say((f"{INDENT}{line}".rstrip(), "dim"))
