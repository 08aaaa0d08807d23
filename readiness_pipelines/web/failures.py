"""Errors as answers: what went wrong and the way out, on a page or as JSON, under the right status."""

from typing import Any

from readiness_pipelines.errors import (
    DeclarationError,
    EngineError,
    LakehouseError,
    LedgerBusyError,
    NotAuthenticatedError,
    ReadinessError,
    UnknownNameError,
)


def status_of(error: ReadinessError, *, looking: bool) -> int:
    """The HTTP status of an error.

    Args:
        error: The error.
        looking: Whether somebody only looked: what is refused then is not there.
    """
    match error:
        case NotAuthenticatedError():
            return 403
        case UnknownNameError():
            return 404
        case EngineError() | LakehouseError() | LedgerBusyError():
            return 503
        case DeclarationError():
            return 400
        case _:
            return 404 if looking else 409


def error_value(error: ReadinessError) -> dict[str, Any]:
    """An error for programs."""
    return {"error": error.what, "code": error.code, "way_out": error.way_out}
