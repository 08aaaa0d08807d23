"""The rules of two contracts compared: what was guaranteed, and is so no more; what is demanded, and was not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from readiness_pipelines.compatibility.change import Breaks, ContractChange
from readiness_pipelines.compatibility.contract import Contract, Guarantee
from readiness_pipelines.compatibility.plain_values import python_value

CONSUMERS = frozenset({Breaks.CONSUMERS})
PRODUCER = frozenset({Breaks.PRODUCER})
BOTH = CONSUMERS | PRODUCER
NOBODY: frozenset[Breaks] = frozenset()

_STRICTNESS = {"warn": 0, "quarantine": 1, "hold": 2}
_UPPER = frozenset({"max_value", "at_most", "widened_by"})
_LOWER = frozenset({"min_value", "at_least", "k", "l"})
_BY_COLUMN = ("not_nullable", "unique")
_BOUND_CHECKS = frozenset(
    {"in_range", "greater_than", "greater_than_or_equal_to", "less_than", "less_than_or_equal_to"}
)


def rule_changes(old: Contract, new: Contract) -> Iterator[ContractChange]:
    """What changed in the rules; those that are gone with their column are said with it."""
    columns = {one.name for one in new.columns}
    known = {one.name for one in old.columns}
    before = [one for one in old.guarantees if columns.issuperset(set(one.columns) & known)]
    after = [one for one in new.guarantees if known.issuperset(set(one.columns) & columns)]
    matched, gone, left = _paired(before, after)
    for one, other in matched:
        yield from _rule(one, other)
    bounds: dict[tuple[str, ...], list[Guarantee]] = {}
    for one in left:
        if one.check in _BOUND_CHECKS:
            bounds.setdefault(one.columns, []).append(one)
    for one in [rule for rule in gone if rule.check in _BOUND_CHECKS]:
        # The bounds of the same column by another check: ge has become in_range.
        others = bounds.pop(one.columns, [])
        same = others[0] if len(others) == 1 else None
        if same is not None:
            gone.remove(one)
            left.remove(same)
            yield from _rule(one, same)
    for one in gone:
        if not _said_by_columns(one, old, new) and _kept(one):
            yield _change(one, "is not kept any more", CONSUMERS, _shown(one), "")
        elif not _said_by_columns(one, old, new):
            yield _change(one, "does not warn any more", NOBODY, _shown(one), "")
    for one in left:
        if not _said_by_columns(one, old, new):
            yield _change(one, "is new", PRODUCER if _kept(one) else NOBODY, "", _shown(one))
    yield from _unique_sets(old, new)
    yield from _single_tolerances(old, new)


def _kept(one: Guarantee) -> bool:
    """Whether what is published keeps it; a rule that only warns promises nothing."""
    return one.route != "warn"


def _paired(
    before: Sequence[Guarantee], after: Sequence[Guarantee]
) -> tuple[list[tuple[Guarantee, Guarantee]], list[Guarantee], list[Guarantee]]:
    """The rules of both sides that check the same of the same columns, by their names first; and those of one side."""
    others: dict[tuple[str, tuple[str, ...]], list[Guarantee]] = {}
    for one in after:
        others.setdefault(_about(one), []).append(one)
    matched, gone = [], []
    for one in before:
        alike = others.get(_about(one), [])
        other = next((rule for rule in alike if rule.name == one.name), alike[0] if alike else None)
        if other is None:
            gone.append(one)
        else:
            alike.remove(other)
            matched.append((one, other))
    return matched, gone, [one for rules in others.values() for one in rules]


def _about(one: Guarantee) -> tuple[str, tuple[str, ...]]:
    return one.check, tuple(sorted(one.columns))


def _said_by_columns(one: Guarantee, old: Contract, new: Contract) -> bool:
    """Whether a column's own flags say it: never missing, unique."""
    if one.check not in _BY_COLUMN:
        return False
    return one.check == "unique" or any(
        contract.column(one.columns[0]) is not None for contract in (old, new) if one.columns
    )


def _rule(one: Guarantee, other: Guarantee) -> Iterator[ContractChange]:
    if one.route != other.route:
        stricter = _STRICTNESS.get(other.route, 1) > _STRICTNESS.get(one.route, 1)
        what = f"is routed to {other.route}"
        yield _change(one, what, PRODUCER if stricter else CONSUMERS, one.route, other.route)
    yield from bound_changes(f"rule {one.name}", "tolerance", one.tolerance, other.tolerance, rule=one)
    if one.code != other.code or one.lost != other.lost:
        yield _change(one, "is other code", BOTH if _kept(one) or _kept(other) else NOBODY)
        return
    if one.ignore_na != other.ignore_na and (_kept(one) or _kept(other)):
        what = "lets missing values pass" if other.ignore_na else "does not let missing values pass"
        yield _change(one, what, CONSUMERS if other.ignore_na else PRODUCER)
    if (one.check, one.arguments) == (other.check, other.arguments):
        return
    wider, narrower = _includes(other, one), _includes(one, other)
    if wider and narrower:
        return
    breaks = (NOBODY if narrower else CONSUMERS) | (NOBODY if wider else PRODUCER)
    what = "allows more" if wider else "allows less" if narrower else "is another"
    breaks = breaks if _kept(one) or _kept(other) else NOBODY
    yield _change(one, what, breaks, _shown(one), _shown(other))


def _includes(one: Guarantee, other: Guarantee) -> bool:
    """Whether whatever keeps the other rule keeps this one."""
    if one.check in _BOUND_CHECKS and other.check in _BOUND_CHECKS:
        return _range_includes(one, other)
    if one.check != other.check:
        return False
    names = one.arguments.keys() | other.arguments.keys()
    return all(_holds(name, one.arguments.get(name), other.arguments.get(name), one.check) for name in names)


def _range_includes(one: Guarantee, other: Guarantee) -> bool:
    low, other_low = _bound(one, "min"), _bound(other, "min")
    high, other_high = _bound(one, "max"), _bound(other, "max")
    try:
        lower = low[0] is None or (other_low[0] is not None and _at_or_above(other_low, low))
        upper = high[0] is None or (other_high[0] is not None and _at_or_below(other_high, high))
    except TypeError:
        return False
    return lower and upper


def _bound(one: Guarantee, side: str) -> tuple[Any, bool]:
    """A bound, and whether the value at it is allowed."""
    value = one.arguments.get(f"{side}_value")
    try:
        value = python_value(value)
    except ValueError:
        value = str(value)  # of a foreign hand: compared with itself alone
    allowed = one.arguments.get(f"include_{side}", True) if one.check == "in_range" else "equal" in one.check
    return value, bool(allowed)


def _at_or_above(inner: tuple[Any, bool], outer: tuple[Any, bool]) -> bool:
    return bool(inner[0] > outer[0] or (inner[0] == outer[0] and (outer[1] or not inner[1])))


def _at_or_below(inner: tuple[Any, bool], outer: tuple[Any, bool]) -> bool:
    return bool(inner[0] < outer[0] or (inner[0] == outer[0] and (outer[1] or not inner[1])))


def _holds(name: str, outer: Any, inner: Any, check: str) -> bool:
    """Whether an argument of a rule allows all that another value of it allows."""
    if outer == inner:
        return True
    try:
        if name in _UPPER:
            return outer is None or (inner is not None and outer >= inner)
        if name in _LOWER:
            return outer is None or (inner is not None and outer <= inner)
        if name == "exact_value":  # of str_length, beside bounds
            return outer is None
        if name == "allowed_values":
            return {repr(one) for one in inner or ()} <= {repr(one) for one in outer or ()}
        if name == "forbidden_values":
            return {repr(one) for one in outer or ()} <= {repr(one) for one in inner or ()}
        if name == "least_batches":
            return bool(outer >= inner)  # with fewer nothing is decided
        if name == "string" and check == "str_startswith":
            return str(inner).startswith(str(outer))
        if name == "string" and check == "str_endswith":
            return str(inner).endswith(str(outer))
    except TypeError:
        return False
    return False


def bound_changes(
    subject: str, what: str, old: Mapping[str, Any], new: Mapping[str, Any], *, rule: Guarantee | None = None
) -> Iterator[ContractChange]:
    """What changed in how much may wait, or break a rule, before a batch is held."""
    for bound in ("quarantined_ratio", "quarantined_rows", "over"):
        before, after = old.get(bound), new.get(bound)
        if before == after:
            continue
        other_rows = bound == "over" and before is None  # another ratio: either may let more pass
        looser = after is None or other_rows or (before is not None and after > before)
        told = f"{what} is looser" if looser else f"{what} is tighter"
        told = told if rule else told.removeprefix("tolerance ")
        yield ContractChange(
            subject=subject, what=told, before="" if before is None else f"{bound} {before}",
            after="" if after is None else f"{bound} {after}", breaks=CONSUMERS if looser else PRODUCER,
            columns=rule.columns if rule else (), rule=rule.name if rule else "",
        )  # fmt: skip


def _single_tolerances(old: Contract, new: Contract) -> Iterator[ContractChange]:
    rules = {one.name: one for one in (*new.guarantees, *old.guarantees)}
    for name in sorted(old.rule_tolerances.keys() | new.rule_tolerances.keys()):
        rule = rules.get(name, Guarantee(name=name, columns=(), check=name))
        before, after = old.rule_tolerances.get(name, {}), new.rule_tolerances.get(name, {})
        yield from bound_changes(f"rule {name}", "tolerance", before, after, rule=rule)


def _unique_sets(old: Contract, new: Contract) -> Iterator[ContractChange]:
    before, after = _sets(old), _sets(new)
    for names in sorted(before - after):
        if set(names) <= {one.name for one in new.columns} and not _still_unique(names, new):
            what = "do not tell rows apart any more" if len(names) > 1 else "does not tell rows apart any more"
            yield ContractChange(
                subject=f"key {', '.join(names)}", what=what, breaks=CONSUMERS, columns=names, rule=_key_rule(names)
            )
    for names in sorted(after - before):
        if not _still_unique(names, old):
            told = "tell rows apart" if len(names) > 1 else "tells rows apart"
            yield ContractChange(subject=f"key {', '.join(names)}", what=told, breaks=PRODUCER, columns=names)


def _key_rule(names: Sequence[str]) -> str:
    return "_".join(("unique", *names))


def _sets(contract: Contract) -> set[tuple[str, ...]]:
    given = contract.settings.get("unique") or []
    return {tuple(sorted(map(str, one))) for one in given if isinstance(one, list | tuple)}


def _still_unique(names: Sequence[str], contract: Contract) -> bool:
    """Whether fewer of the columns tell rows apart already."""
    sets = [set(one) for one in _sets(contract)] + [{one.name} for one in contract.columns if one.unique]
    return any(one <= set(names) for one in sets)


def _change(one: Guarantee, what: str, breaks: frozenset[Breaks], before: str = "", after: str = "") -> ContractChange:
    return ContractChange(
        subject=f"rule {one.name}", what=what, before=before, after=after, breaks=breaks, columns=one.columns,
        rule=one.name,
    )  # fmt: skip


def _shown(one: Guarantee) -> str:
    arguments = ", ".join(f"{name}={value}" for name, value in one.arguments.items())
    text = f"{one.check}({arguments})"
    return text if len(text) <= 120 else f"{text[:119]}…"  # noqa: PLR2004  # a line's worth
