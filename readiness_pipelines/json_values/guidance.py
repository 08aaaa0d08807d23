"""Who is on call and what to do, as JSON."""

from typing import Any

from readiness_pipelines.overview import Guidance


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
