"""What a contract names, made again: batches, readers, cleansing, protections, rules. What is not such is refused.

Nothing of a foreign file becomes code: a name is one of those here, and its arguments are plain values.
"""

from collections.abc import Mapping
from typing import Any, get_args

import readiness_pipelines as rp
from readiness_pipelines.compatibility.plain_values import python_value
from readiness_pipelines.contracts.cleansing import ColumnStep
from readiness_pipelines.contracts.protections import Protection
from readiness_pipelines.errors import ReadinessError, first_line

BATCHES = ("HourlyBatches", "DailyBatches", "WeeklyBatches", "MonthlyBatches", "StaticBatches", "Versions")
READERS = ("FileDrop", "SqlQuery")
STEPS = tuple(kind.__name__ for kind in get_args(ColumnStep))
PROTECTIONS = tuple(kind.__name__ for kind in get_args(Protection))
RULES = ("ExistsIn", "KAnonymity", "LDiversity", "Late", "MaskingVerified", "NotInOtherBatches", "WithinUsualRange")
DEDUPLICATE = ("Deduplicate",)


def declared(given: Any, known: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """The name of a declaration, and its arguments as Python's values; it can be made of them.

    Args:
        given: A mapping of its name to its arguments, as plain values.
        known: The names that it may have.

    Raises:
        ValueError: Something else, with the reason.
    """
    if not isinstance(given, Mapping) or len(given) != 1:
        raise ValueError("it is not a name with arguments")
    ((name, plain),) = given.items()
    if name not in known or not isinstance(plain, Mapping):
        raise ValueError(f"{name!r} is none of {', '.join(known)}")
    arguments = {}
    for key, value in plain.items():
        if not (isinstance(key, str) and key.isidentifier()):
            raise ValueError(f"{key!r} is not an argument of {name}")
        arguments[key] = dict(value) if name == "Categories" and isinstance(value, dict) else python_value(value)
    _made(name, arguments)
    return name, arguments


def made_of(given: Any, known: tuple[str, ...]) -> Any:
    """The declaration itself.

    Raises:
        ValueError: As `declared`.
    """
    name, arguments = declared(given, known)
    return _made(name, arguments)


def _made(name: str, arguments: dict[str, Any]) -> Any:
    try:
        return getattr(rp, name)(**arguments)
    except (ReadinessError, TypeError) as error:
        raise ValueError(first_line(error)) from error
