"""What changed between two versions of a gate, and what it means for sources and for consumers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.gates.versions.declaration import GateDeclaration


class ChangeKind(StrEnum):
    """What a change means.

    ``BREAKING``: consumers lose a column, or find another type in it. ``TIGHTENED``: a row or batch that passed may not
    pass any more. ``LOOSENED``: what did not pass may pass. ``COSMETIC``: words for people only.
    """

    BREAKING = "breaking"
    TIGHTENED = "tightened"
    LOOSENED = "loosened"
    COSMETIC = "cosmetic"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChange:
    """One difference between two versions: what it means, of what, and its value before and after; "" for none."""

    kind: ChangeKind
    what: str
    before: str
    after: str


_ORDER = list(ChangeKind)
_STRICTNESS = {Route.WARN: 0, Route.QUARANTINE: 1, Route.HOLD: 2}
_UPPER = frozenset({"max_value", "at_most"})
_LOWER = frozenset({"min_value", "at_least"})
_ALLOWED, _FORBIDDEN = "allowed_values", "forbidden_values"


def differences(before: GateDeclaration, after: GateDeclaration) -> tuple[GateChange, ...]:
    """What changed from one version to the other, the breaking changes first.

    A rule that changed in a way that is neither narrower nor wider counts as tightened: a row that passed may fail.
    """
    old, new = before.facts, after.facts
    found = [
        *_columns(old["columns"], new["columns"]),
        *_rules(old["rules"], new["rules"]),
        *_tolerance("tolerance", old["tolerance"], new["tolerance"]),
        *_settings(old, new),
        *_wording(before.wording, after.wording),
    ]
    return tuple(sorted(found, key=lambda change: (_ORDER.index(change.kind), change.what)))


def _columns(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GateChange]:
    for name in old.keys() - new.keys():
        yield GateChange(kind=ChangeKind.BREAKING, what=f"column {name}", before=old[name]["type"], after="")
    for name in new.keys() - old.keys():
        kind = ChangeKind.TIGHTENED if new[name]["required"] else ChangeKind.LOOSENED
        yield GateChange(kind=kind, what=f"column {name}", before="", after=new[name]["type"])
    for name in old.keys() & new.keys():
        yield from _column(name, old[name], new[name])


def _column(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GateChange]:
    kinds = {
        "type": ChangeKind.BREAKING,
        "pattern": ChangeKind.BREAKING,
        "required": ChangeKind.TIGHTENED if new["required"] else ChangeKind.LOOSENED,
        "coerce": ChangeKind.LOOSENED if new["coerce"] else ChangeKind.TIGHTENED,
        "default": ChangeKind.TIGHTENED if new["default"] is None else ChangeKind.LOOSENED,
        "steps": ChangeKind.LOOSENED if len(new["steps"]) > len(old["steps"]) else ChangeKind.TIGHTENED,
    }
    for fact, kind in kinds.items():
        if old[fact] != new[fact]:
            what = f"column {name}: {'cleansing' if fact == 'steps' else fact}"
            yield GateChange(kind=kind, what=what, before=_text(old[fact]), after=_text(new[fact]))


def _rules(old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> Iterator[GateChange]:
    """Rules that are only in one version, paired by what they look at where both have one of the same check."""
    gone = [rule for rule in old if rule not in list(new)]
    come = [rule for rule in new if rule not in list(old)]
    for rule in gone:
        other = next((r for r in come if (r["on"], r["check"]) == (rule["on"], rule["check"])), None)
        if other is None:
            yield GateChange(kind=ChangeKind.LOOSENED, what=_title(rule), before=_describe(rule), after="")
        else:
            come.remove(other)
            yield from _rule(rule, other)
    for rule in come:
        yield GateChange(kind=ChangeKind.TIGHTENED, what=_title(rule), before="", after=_describe(rule))


def _rule(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GateChange]:
    if old["route"] != new["route"]:
        tighter = _STRICTNESS[Route(new["route"])] > _STRICTNESS[Route(old["route"])]
        kind = ChangeKind.TIGHTENED if tighter else ChangeKind.LOOSENED
        yield GateChange(kind=kind, what=f"{_title(old)}: route", before=old["route"], after=new["route"])
    yield from _tolerance(f"{_title(old)}: tolerance", old["tolerance"] or {}, new["tolerance"] or {})
    rest = {"on", "check", "route", "tolerance"}
    if {k: v for k, v in old.items() if k not in rest} != {k: v for k, v in new.items() if k not in rest}:
        kind = ChangeKind.LOOSENED if _is_wider(old, new) else ChangeKind.TIGHTENED
        yield GateChange(kind=kind, what=_title(old), before=_describe(old), after=_describe(new))


def _is_wider(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether everything that passed a check passes it still, judged by its arguments."""
    told = ("kind", "ignore_na", "element_wise", "code", "groupby", "groups")
    same = all(old.get(name) == new.get(name) for name in told)
    before, after = old["statistics"], new["statistics"]
    return same and before.keys() == after.keys() and all(_holds(n, before[n], after[n]) for n in before)


def _holds(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    try:
        if name in _UPPER:
            return new is None or (old is not None and new >= old)
        if name in _LOWER:
            return new is None or (old is not None and new <= old)
        if name == _ALLOWED:
            return {repr(value) for value in old} <= {repr(value) for value in new}
        if name == _FORBIDDEN:
            return {repr(value) for value in old} >= {repr(value) for value in new}
    except TypeError:
        return False
    return name.startswith("include_") and bool(new)


def _tolerance(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GateChange]:
    for bound in ("quarantined_ratio", "quarantined_rows", "over"):
        before, after = old.get(bound), new.get(bound)
        if before != after:
            # A ratio of a batch's rows and one over last rows cannot be compared: either may let more pass.
            other_rows = bound == "over" and before is None
            looser = after is None or other_rows or (before is not None and after > before)
            kind = ChangeKind.LOOSENED if looser else ChangeKind.TIGHTENED
            yield GateChange(kind=kind, what=f"{what}: {bound}", before=_text(before), after=_text(after))


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GateChange]:
    freeze, evolve = SchemaChange.FREEZE.value, SchemaChange.EVOLVE.value
    changed = ChangeKind.LOOSENED
    if new["schema_change"] == freeze:
        changed = ChangeKind.TIGHTENED
    elif old["schema_change"] == evolve:
        changed = ChangeKind.BREAKING
    kinds = {
        "schema_change": changed,
        "order": ChangeKind.LOOSENED if new["order"] is None else ChangeKind.TIGHTENED,
        "add_missing_columns": ChangeKind.LOOSENED if new["add_missing_columns"] else ChangeKind.TIGHTENED,
        "deduplicate": ChangeKind.LOOSENED if old["deduplicate"] is None else ChangeKind.TIGHTENED,
        "missing": ChangeKind.TIGHTENED,
        "allow_empty": ChangeKind.LOOSENED if new["allow_empty"] else ChangeKind.TIGHTENED,
    }
    for fact, kind in kinds.items():
        if old[fact] != new[fact]:
            yield GateChange(kind=kind, what=fact, before=_text(old[fact]), after=_text(new[fact]))


def _wording(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GateChange]:
    for rule in old["reasons"].keys() & new["reasons"].keys():
        (_, before), (name, after) = old["reasons"][rule], new["reasons"][rule]
        if before != after:
            yield GateChange(kind=ChangeKind.COSMETIC, what=f"reason of rule {name}", before=before, after=after)
    for name in old["descriptions"].keys() | new["descriptions"].keys():
        before, after = old["descriptions"].get(name, ""), new["descriptions"].get(name, "")
        if before != after:
            yield GateChange(kind=ChangeKind.COSMETIC, what=f"description of column {name}", before=before, after=after)


def _title(rule: Mapping[str, Any]) -> str:
    return f"rule {rule['check']} on {', '.join(rule['on'])}" if rule["on"] else f"rule {rule['check']}"


def _describe(rule: Mapping[str, Any]) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in rule["statistics"].items())
    if arguments or "code" not in rule:
        return f"{rule['check']}({arguments})"
    return f"{rule['check']} (its code)"


def _text(value: Any) -> str:
    return "none" if value is None or value == [] else str(value)
