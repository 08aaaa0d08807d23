"""Verdicts and errors as JSON."""

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.gates import RecordVerdict
from readiness_pipelines.masking import Classes, redact


def verdict_value(verdict: RecordVerdict) -> dict[str, Any]:
    """A verdict, without a value of the record."""
    return {
        "passed": verdict.passed,
        "broken": [
            {"rule": one.rule, "column": one.column, "reason": one.reason, "route": one.route.value}
            for one in verdict.broken
        ],
        "undecided": verdict.undecided,
    }


def record_value(record: Mapping[str, Any], classes: Classes) -> dict[str, Any]:
    """The typed and cleansed values; of classified columns, what kind of values they are."""
    return {name: plain_value(redact(value, classes.of(name))) for name, value in record.items()}


def error_value(error: ReadinessError) -> dict[str, Any]:
    """An error: its code, what went wrong, and the way out."""
    return {"error": {"code": error.code, "what": error.what, "way_out": error.way_out}}


def as_bytes(value: Any) -> bytes:
    """A value as JSON."""
    return _ENCODER.encode(value).encode("utf-8", "backslashreplace")


def plain_value(value: Any) -> Any:
    """A value as JSON: a whole number as it is, what is no finite number, a decimal, and times as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if abs(value) < float("inf") else str(value)
        case Decimal():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {str(name): plain_value(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain_value(inner) for inner in value]
        case _:
            return str(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
