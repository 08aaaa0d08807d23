"""Rules of the standard read: metrics of its library, options of logical types, and rules of ours, which are exact."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa

from readiness_pipelines.compatibility.arrow_types import logical_type, type_from_text
from readiness_pipelines.compatibility.contract import ContractColumn, Guarantee
from readiness_pipelines.gates.schema.rules import rule_name
from readiness_pipelines.interop.bounded_yaml import Path_
from readiness_pipelines.interop.odcs.library import unanchored
from readiness_pipelines.interop.odcs.taken import Taken

OURS = "readiness"
_ROUTES = ("warn", "quarantine", "hold")
_BOUNDS = {
    "minimum": ("greater_than_or_equal_to", "min_value"),
    "exclusiveMinimum": ("greater_than", "min_value"),
    "maximum": ("less_than_or_equal_to", "max_value"),
    "exclusiveMaximum": ("less_than", "max_value"),
}
_OLD_METRICS = {
    "nullCheck": "nullValues", "nullCount": "nullValues", "duplicateCount": "duplicateValues",
    "duplicates": "duplicateValues", "unique": "duplicateValues", "validValues": "invalidValues",
    "invalidCount": "invalidValues", "rowCount": "rowCount", "nullValues": "nullValues",
}  # fmt: skip
"""What 3.0 calls its library's metrics, under ``rule``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRule:
    """A rule, and where it stands."""

    guarantee: Guarantee
    path: Path_


def quality_rule(taken: Taken, path: Path_, column: ContractColumn | None) -> FoundRule | None:
    """A rule of a list ``quality``; ``None`` where it is none that a gate can judge, which is listed then.

    Args:
        taken: The document.
        path: The rule.
        column: The column that it stands below; ``None`` below a table.
    """
    ours = _ours(taken, path)
    if ours is not None:
        return _exact(taken, path, ours, column)
    kind = str(taken.look((*path, "type")) or "library")
    name = str(taken.look((*path, "metric")) or _OLD_METRICS.get(str(taken.look((*path, "rule"))), ""))
    if kind not in ("library", "custom") or (kind == "custom" and not name) or not name:
        why = {"sql": "a query is no rule of Pandera: write it as a check", "text": "words are no rule: write a check"}
        taken.refuse(
            path, why.get(kind, f"a rule of {_engine(taken, path)} is no rule of Pandera: write it as a check")
        )
        return None
    found = _of_library(taken, path, name, column)
    if found is None:
        taken.refuse(path, f"{name or 'it'} in this form is no rule of a gate: write it as a check")
        return None
    for key in ("type", "metric", "rule", "arguments", "unit", "dimension", "name", "id", "description", *_OPERATORS):
        taken.take((*path, key))
    severity = taken.take((*path, "severity"))
    # Elsewhere a broken rule is a finding: only what says that it is an error keeps rows back.
    route = "warn" if str(severity).lower() in ("warning", "info", "low", "minor") else found.route
    return FoundRule(guarantee=replace(found, route=route), path=path)


def _engine(taken: Taken, path: Path_) -> str:
    return str(taken.look((*path, "engine")) or "this kind")


_OPERATORS = (
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo",
    "mustBeBetween", "mustNotBeBetween", "validValues",
)  # fmt: skip


def _ours(taken: Taken, path: Path_) -> Mapping[str, Any] | None:
    if taken.look((*path, "engine")) == OURS and isinstance(taken.look((*path, "implementation")), dict):
        found: Mapping[str, Any] = taken.look((*path, "implementation"))
        return found if isinstance(found.get("check"), str) else None
    for one in taken.items((*path, "customProperties")):
        if taken.look((*one, "property")) == f"{OURS}Rule" and isinstance(taken.look((*one, "value")), dict):
            found = taken.look((*one, "value"))
            return found if isinstance(found.get("check"), str) else None
    return None


def _exact(taken: Taken, path: Path_, ours: Mapping[str, Any], column: ContractColumn | None) -> FoundRule:
    """A rule that was written by us."""
    taken.take(path)
    listed = ours.get("columns")
    columns = tuple(map(str, listed)) if isinstance(listed, list) else ((column.name,) if column else ())
    arguments = ours.get("arguments")
    lost = str(ours.get("lost", ""))
    if lost:
        taken.refuse(path, f"it cannot be carried: {lost}")
    described = str(taken.look((*path, "description")) or "")
    about = ", ".join(columns)
    return FoundRule(
        guarantee=Guarantee(
            name=str(taken.look((*path, "name")) or ours["check"]),
            columns=columns,
            check=str(ours["check"]),
            arguments=arguments if isinstance(arguments, dict) else {},
            route=str(ours.get("route")) if ours.get("route") in _ROUTES else "quarantine",
            kind=str(ours.get("kind", "row")),
            text=described.removeprefix(f"{about}: ") if about else described,
            ignore_na=ours.get("ignoreNa", True) is not False,
            of_column=ours.get("ofColumn", True) is not False,
            code=str(ours.get("code", "")),
            globals=ours["uses"] if isinstance(ours.get("uses"), dict) else {},
            lost=lost,
        ),
        path=path,
    )


def _of_library(taken: Taken, path: Path_, metric: str, column: ContractColumn | None) -> Guarantee | None:
    arguments = taken.look((*path, "arguments"))
    arguments = arguments if isinstance(arguments, dict) else {}
    none, percent = _none_allowed(taken, path), str(taken.look((*path, "unit")) or "").lower() in ("percent", "%")
    match metric:
        case "rowCount" if column is None or not arguments:
            bounds = _row_bounds(taken, path)
            return None if bounds is None else _batch("row_count", "row_count", bounds)
        case "nullValues" if column is not None and not arguments:
            if none:
                return _rule(column, "not_nullable", {})
            most = _at_most(taken, path)
            if not percent or most is None or not 0 <= most <= 100:  # noqa: PLR2004
                return None
            share = {"column": column.name, "at_most": most / 100}
            return _batch(f"{column.name}_null_share", "null_share", share, (column.name,))
        case "missingValues" if column is not None and none and set(arguments) <= {"missingValues"}:
            words = arguments.get("missingValues", [])
            if not isinstance(words, list) or [one for one in words if one is not None]:
                return None
            return _rule(column, "not_nullable", {})
        case "duplicateValues" if none:
            names = arguments.get("properties")
            if isinstance(names, list) and names and all(isinstance(one, str) for one in names):
                return _unique(tuple(names))
            return _rule(column, "unique", {}, kind="batch") if column is not None and not arguments else None
        case "invalidValues" if column is not None and none:
            values = arguments.get("validValues", taken.look((*path, "validValues")))
            if isinstance(values, list) and set(arguments) <= {"validValues"}:
                typed = [typed_value(one, column.type) for one in values if one is not None]
                return None if not typed or None in typed else _rule(column, "isin", {"allowed_values": typed})
            if isinstance(arguments.get("pattern"), str) and set(arguments) == {"pattern"}:
                check, pattern = unanchored(arguments["pattern"])
                return _rule(column, check, {"pattern": pattern})
    return None


def _unique(columns: tuple[str, ...]) -> Guarantee:
    name = rule_name("unique", *columns) if len(columns) > 1 else rule_name(*columns, "unique")
    return Guarantee(name=name, columns=columns, check="unique", kind="batch", of_column=len(columns) == 1)


def _batch(name: str, check: str, arguments: Mapping[str, Any], columns: tuple[str, ...] = ()) -> Guarantee:
    told = {"columns": columns, "arguments": arguments, "route": "hold", "kind": "batch", "of_column": False}
    return Guarantee(name=rule_name(name), check=check, **told)  # type: ignore[arg-type]


def _rule(column: ContractColumn, check: str, arguments: Mapping[str, Any], kind: str = "row") -> Guarantee:
    name = rule_name(column.label or column.name, check)
    text = ", ".join(str(value) for value in arguments.values())
    return Guarantee(name=name, columns=(column.name,), check=check, arguments=arguments, kind=kind, text=text)


def _none_allowed(taken: Taken, path: Path_) -> bool:
    """Whether no row may break it: 0, or nothing said, as in 3.0."""
    given = [name for name in _OPERATORS if name != "validValues" and taken.look((*path, name)) is not None]
    if not given:
        return True
    (first, *more) = given
    value = taken.look((*path, first))
    if more or isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (first in ("mustBe", "mustBeLessOrEqualTo") and value == 0) or (first == "mustBeLessThan" and value == 1
        and str(taken.look((*path, "unit")) or "rows").lower() == "rows")  # fmt: skip


def _at_most(taken: Taken, path: Path_) -> float | None:
    value = taken.look((*path, "mustBeLessOrEqualTo"))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _row_bounds(taken: Taken, path: Path_) -> Mapping[str, int] | None:
    found: dict[str, int] = {}
    for name in _OPERATORS:
        value = taken.look((*path, name))
        if value is None:
            continue
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 2**53 for one in values):
            return None
        match name, values:
            case "mustBe", [exact]:
                found |= {"at_least": exact, "at_most": exact}
            case "mustBeGreaterThan", [least]:
                found["at_least"] = least + 1
            case "mustBeGreaterOrEqualTo", [least]:
                found["at_least"] = least
            case "mustBeLessThan", [most] if most > 0:
                found["at_most"] = most - 1
            case "mustBeLessOrEqualTo", [most]:
                found["at_most"] = most
            case "mustBeBetween", [least, most]:
                found |= {"at_least": least, "at_most": most}
            case _:
                return None
    sound = found and found.get("at_least", 0) <= found.get("at_most", 2**53)
    return found if sound else None


def option_rules(taken: Taken, path: Path_, column: ContractColumn) -> list[FoundRule]:
    """The rules that the options of a column's logical type, and its enumerated values, stand for."""
    found: list[FoundRule] = []
    options = (*path, "logicalTypeOptions")
    given = taken.look(options)
    given = given if isinstance(given, dict) else {}
    kind = type_from_text(column.type)
    if logical_type(kind) == "string":
        found += _text_rules(taken, options, given, column)
    else:
        for name, (check, argument) in _BOUNDS.items():
            value = typed_value(given.get(name), column.type)
            if value is not None and logical_type(kind) in ("integer", "number", "date", "timestamp"):
                taken.take((*options, name))
                found.append(FoundRule(guarantee=_rule(column, check, {argument: value}), path=(*options, name)))
    if isinstance(given.get("timezone"), bool):
        taken.take((*options, "timezone"))
    allowed = taken.look((*path, "enum"))
    if isinstance(allowed, list):
        values = [typed_value(one.get("value"), column.type) for one in allowed if isinstance(one, dict)]
        if values and None not in values and len(values) == len(allowed):
            for at in range(len(allowed)):
                taken.take((*path, "enum", at, "value"))
            found.append(FoundRule(guarantee=_rule(column, "isin", {"allowed_values": values}), path=(*path, "enum")))
    return found


def _text_rules(taken: Taken, options: Path_, given: Mapping[str, Any], column: ContractColumn) -> list[FoundRule]:
    found = []
    lengths = {
        argument: given[name]
        for name, argument in (("minLength", "min_value"), ("maxLength", "max_value"))
        if isinstance(given.get(name), int) and not isinstance(given[name], bool) and 0 <= given[name] < 2**31
    }
    if lengths and lengths.get("min_value", 0) <= lengths.get("max_value", 2**31):
        for name in ("minLength", "maxLength"):
            if name in given:
                taken.take((*options, name))
        found.append(FoundRule(guarantee=_rule(column, "str_length", lengths), path=(*options, "maxLength")))
    if isinstance(given.get("pattern"), str):
        taken.take((*options, "pattern"))
        check, pattern = unanchored(given["pattern"])
        found.append(FoundRule(guarantee=_rule(column, check, {"pattern": pattern}), path=(*options, "pattern")))
    return found


def typed_value(value: Any, kind_text: str) -> Any:
    """A value as a column of a type has it, in plain form; ``None`` where it is no value of it."""
    kind = type_from_text(kind_text)
    if value is None or kind is None:
        return None
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else None
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    try:
        if pa.types.is_integer(kind):
            whole = int(value) if isinstance(value, str) or float(value).is_integer() else None
            return whole if whole is not None and _holds(kind, whole) else None
        if pa.types.is_floating(kind):
            number = float(value)
            return number if math.isfinite(number) else None
        if pa.types.is_decimal(kind):
            return (
                {"decimal": str(value)} if isinstance(value, str | int | float) and float(value) is not None else None
            )
        if pa.types.is_date(kind):
            return {"date": date.fromisoformat(str(value)).isoformat()}
        if pa.types.is_timestamp(kind):
            moment = datetime.fromisoformat(str(value))
            return {"timestamp": moment.isoformat()} if (moment.tzinfo is None) == (kind.tz is None) else None
        if pa.types.is_time(kind):
            return {"time": time.fromisoformat(str(value)).isoformat()}
    except (ValueError, OverflowError, TypeError):
        return None
    return None


def _holds(kind: pa.DataType, whole: int) -> bool:
    try:
        pa.scalar(whole, kind)
    except (pa.ArrowInvalid, OverflowError):
        return False
    return True
