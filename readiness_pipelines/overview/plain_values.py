"""Values as JSON has them: the same for the command line and for whoever else shows them to programs."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId


def plain_value(value: object) -> Any:
    """A value as JSON has it: names as text, times as ISO 8601, durations in seconds, what has fields as a mapping."""
    match value:
        case TableId() | BatchRef():
            return str(value)
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case BaseModel():
            return {name: plain_value(getattr(value, name)) for name in type(value).model_fields}
        case Mapping():
            return {str(plain_value(key)): plain_value(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain_value(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {one.name: plain_value(getattr(value, one.name)) for one in fields(value)}
        case _:
            return value
