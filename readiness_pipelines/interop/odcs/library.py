"""Rules in the forms that the standard has for them: metrics of its library, and options of its logical types."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from readiness_pipelines.compatibility.arrow_types import logical_type
from readiness_pipelines.compatibility.contract import Guarantee


def library_form(one: Guarantee) -> dict[str, Any] | None:
    """The metric of the standard's library that means the same as a rule; ``None`` where there is none."""
    arguments = one.arguments
    match one.check:
        case "not_nullable":
            return {"metric": "nullValues", "mustBe": 0}
        case "unique" if not arguments:
            found: dict[str, Any] = {"metric": "duplicateValues"}
            found |= {} if one.of_column else {"arguments": {"properties": list(one.columns)}}
            return {**found, "mustBe": 0}
        case "isin" if one.of_column and _plain(arguments.get("allowed_values")) and one.ignore_na:
            return {"metric": "invalidValues", "arguments": {"validValues": arguments["allowed_values"]}, "mustBe": 0}
        case "str_matches" if one.of_column and isinstance(arguments.get("pattern"), str) and one.ignore_na:
            return {"metric": "invalidValues", "arguments": {"pattern": arguments["pattern"]}, "mustBe": 0}
        case "null_share":
            return {"metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": 100 * arguments["at_most"]}
        case "row_count":
            return {"metric": "rowCount", **_between(arguments.get("at_least"), arguments.get("at_most"))}
    return None


def _plain(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str | int | float | bool) for one in values)


def _between(least: int | None, most: int | None) -> dict[str, Any]:
    if least is None:
        return {"mustBeLessOrEqualTo": most}
    if most is None:
        return {"mustBeGreaterOrEqualTo": least}
    return {"mustBe": least} if least == most else {"mustBeBetween": [least, most]}


def logical_options(kind: pa.DataType | None, rules: Iterable[Guarantee]) -> dict[str, Any]:
    """The options of a column's logical type that its rules imply; what only warns promises nothing."""
    found: dict[str, Any] = {}
    logical = logical_type(kind)
    for one in rules:
        if one.route != "warn" and one.of_column and one.ignore_na:
            found |= _options(logical, one.check, one.arguments)
    if logical == "timestamp" and kind is not None:
        found["timezone"] = kind.tz is not None
    return found


def _options(logical: str | None, check: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    if logical == "string":
        match check:
            case "str_length":
                exact = arguments.get("exact_value")
                least, most = arguments.get("min_value", exact), arguments.get("max_value", exact)
                return {key: value for key, value in (("minLength", least), ("maxLength", most)) if value is not None}
            case "str_matches":
                return {"pattern": _anchored(arguments["pattern"])}
            case "str_contains":
                return {"pattern": arguments["pattern"]}
        return {}
    bounds: dict[str, Any] = {}
    match check:
        case "greater_than_or_equal_to":
            bounds = {"minimum": arguments["min_value"]}
        case "greater_than":
            bounds = {"exclusiveMinimum": arguments["min_value"]}
        case "less_than_or_equal_to":
            bounds = {"maximum": arguments["max_value"]}
        case "less_than":
            bounds = {"exclusiveMaximum": arguments["max_value"]}
        case "in_range":
            low = "minimum" if arguments.get("include_min", True) else "exclusiveMinimum"
            high = "maximum" if arguments.get("include_max", True) else "exclusiveMaximum"
            bounds = {low: arguments.get("min_value"), high: arguments.get("max_value")}
    if logical in ("integer", "number"):
        return {key: value for key, value in bounds.items() if isinstance(value, int | float) and value is not True}
    if logical in ("date", "timestamp", "time"):
        return {key: next(iter(value.values())) for key, value in bounds.items() if isinstance(value, dict)}
    return {}


def _anchored(pattern: str) -> str:
    """The pattern that finds anywhere what Pandera's finds at the start."""
    return pattern if pattern.startswith("^") else f"^(?:{pattern})"


def unanchored(pattern: str) -> tuple[str, str]:
    """Pandera's check and pattern for one that is looked for anywhere in a text."""
    return ("str_matches", pattern) if pattern.startswith("^") and not re.search(r"(?<!\\)\|", pattern) else (
        "str_contains", pattern)  # fmt: skip
