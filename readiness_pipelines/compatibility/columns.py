"""The columns of two contracts compared."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.compatibility.arrow_types import iceberg_type, type_from_text
from readiness_pipelines.compatibility.change import Breaks, ContractChange
from readiness_pipelines.compatibility.contract import Contract, ContractColumn
from readiness_pipelines.contracts.classification import Classification

CONSUMERS = frozenset({Breaks.CONSUMERS})
PRODUCER = frozenset({Breaks.PRODUCER})
GOVERNANCE = frozenset({Breaks.GOVERNANCE})
NOBODY: frozenset[Breaks] = frozenset()

_STRENGTH = {
    "SetNull": 4, "Withhold": 4, "Pseudonym": 3, "Token": 2, "FormatPreserving": 2, "Bucket": 1, "YearOnly": 1,
    "KeepFirst": 1, "KeepLast": 1,
}  # fmt: skip
"""How little a protection leaves of a value: nothing, what only a key makes, what a key undoes, a part of it."""

_RANGES = {
    name: (bits, sign)
    for bits in (8, 16, 32, 64)
    for sign, name in ((True, f"int{bits}"), (False, f"uint{bits}"))
}  # fmt: skip


_MOST_COMPARED = 40_000
"""So many pairs of columns are compared to find those that were renamed; of more, those at the same place."""


def column_changes(old: Contract, new: Contract) -> Iterator[ContractChange]:
    """What changed in the columns, and whom it breaks."""
    before = {one.name: one for one in old.columns}
    after = {one.name: one for one in new.columns}
    gone = {name: one for name, one in before.items() if name not in after}
    come = {name: one for name, one in after.items() if name not in before}
    sides = _Side.of(old), _Side.of(new)
    few = len(gone) * len(come) <= _MOST_COMPARED
    for name, one in gone.items():
        at_its_place = sides[1].names[sides[0].places[name]] if sides[0].places[name] < len(sides[1].names) else ""
        candidates = come.values() if few else [come[at_its_place]] if at_its_place in come else []
        other = _renamed(one, candidates, *sides)
        if other is not None:
            del come[other.name]
            yield ContractChange(
                subject=f"column {name}", what="is renamed", before=name, after=other.name,
                breaks=CONSUMERS | (PRODUCER if _demanded(other, new) else NOBODY), columns=(name,),
            )  # fmt: skip
            yield from _column(one, other, old, new, name)
        else:
            yield ContractChange(
                subject=f"column {name}", what="is gone", before=one.type, breaks=CONSUMERS, columns=(name,)
            )
            if new.settings.get("strict") is True and old.settings.get("strict") is True:
                yield ContractChange(
                    subject=f"column {name}", what="is refused where it comes", breaks=PRODUCER, columns=(name,)
                )
    for name, one in come.items():
        breaks = PRODUCER if _demanded(one, new) else NOBODY
        what = "is new, and must be there" if breaks else "is new"
        yield ContractChange(subject=f"column {name}", what=what, after=one.type, breaks=breaks, columns=(name,))
    for name in before.keys() & after.keys():
        yield from _column(before[name], after[name], old, new, name)


def _demanded(one: ContractColumn, contract: Contract) -> bool:
    """Whether a batch without the column is held."""
    made = contract.settings.get("add_missing_columns") is True and (one.nullable or one.default is not None)
    return one.required and not made and not one.pattern


@dataclass(frozen=True, slots=True)
class _Side:
    """The columns of a contract by their places, and the rules of each."""

    names: list[str]
    places: Mapping[str, int]
    rules: Mapping[str, list[tuple[str, str]]]

    @classmethod
    def of(cls, contract: Contract) -> "_Side":
        names = [one.name for one in contract.columns]
        rules: dict[str, list[tuple[str, str]]] = {}
        for one in contract.guarantees:
            if len(one.columns) == 1:
                rules.setdefault(one.columns[0], []).append((one.check, repr(one.arguments)))
        return cls(names, {name: at for at, name in enumerate(names)}, {k: sorted(v) for k, v in rules.items()})


def _renamed(
    one: ContractColumn, candidates: Iterable[ContractColumn], old: _Side, new: _Side
) -> ContractColumn | None:
    """The new column that a column which is gone has become: of its type, and alike in words, place or rules."""
    own = old.rules.get(one.name, [])
    for other in candidates:
        if (other.type, other.pattern, other.nullable) != (one.type, one.pattern, one.nullable):
            continue
        described = bool(one.description) and one.description == other.description
        same_place = old.places[one.name] == new.places[other.name] and len(old.names) == len(new.names)
        same_rules = own == new.rules.get(other.name, [])
        alike = _alike(one.name, other.name)
        if described or (same_place and (alike or same_rules)) or (alike and same_rules and bool(own)):
            return other
    return None


def _alike(one: str, other: str) -> bool:
    plain = [name.casefold().replace("_", "").replace("-", "").replace(" ", "") for name in (one, other)]
    return plain[0] == plain[1] or plain[0] in plain[1] or plain[1] in plain[0]


def _column(
    one: ContractColumn, other: ContractColumn, old: Contract, new: Contract, name: str
) -> Iterator[ContractChange]:
    """What changed of one column."""

    def change(
        what: str, breaks: frozenset[Breaks], before: object = "", after: object = "", *, of: str = ""
    ) -> ContractChange:
        subject = f"{of} of {name}" if of else f"column {name}"
        return ContractChange(
            subject=subject, what=what, before=str(before or ""), after=str(after or ""), breaks=breaks, columns=(name,)
        )

    if one.type != other.type:
        yield change("is of another type", _type_breaks(one.type, other.type), one.type, other.type)
    if one.pattern != other.pattern:
        yield change("names other columns", CONSUMERS)
    if one.nullable != other.nullable:
        yield change("may be missing", CONSUMERS) if other.nullable else change("must not be missing", PRODUCER)
    if one.required != other.required:
        yield change("must be there", PRODUCER) if other.required else change("may not be there", CONSUMERS)
    if one.unique != other.unique and not _in_sets(name, old, new):
        yield change("is unique", PRODUCER) if other.unique else change("may repeat", CONSUMERS)
    if one.key != other.key and (one.key or 0) and len(_key(old)) > 1:
        yield change("is another part of the key", CONSUMERS, one.key, other.key)
    if one.coerce != other.coerce:
        yield change("is converted", NOBODY) if other.coerce else change("is not converted any more", PRODUCER)
    if one.default != other.default:
        yield from _default(one, other, change)
    if one.steps != other.steps:
        fewer = [step for step in one.steps if step not in other.steps]
        yield change("is cleansed otherwise", PRODUCER if fewer else NOBODY)
    yield from _protection(one, other, change)
    if one.description != other.description:
        yield change("is described otherwise", NOBODY, one.description, other.description)


def _in_sets(name: str, old: Contract, new: Contract) -> bool:
    """Whether it is unique by another word on one side: a set of one column."""
    return any([name] in (contract.settings.get("unique") or []) for contract in (old, new))


def _key(contract: Contract) -> list[str]:
    return [one.name for one in contract.columns if one.key]


def _default(one: ContractColumn, other: ContractColumn, change: Any) -> Iterator[ContractChange]:
    if one.default is None:
        yield change("has a default", NOBODY, "", other.default)
    elif other.default is None:
        yield change("has no default any more", CONSUMERS if other.nullable else PRODUCER, one.default)
    else:
        yield change("has another default", CONSUMERS, one.default, other.default)


def _type_breaks(before: str, after: str) -> frozenset[Breaks]:
    """Whom another type breaks: who reads the wider one breaks, who writes it for the narrower one does.

    What is published is the type that Iceberg stores: small whole numbers are all of one there.
    """
    one, other = type_from_text(before), type_from_text(after)
    if one is None or other is None:
        return CONSUMERS if other is None else PRODUCER
    stored_alike = iceberg_type(one) == iceberg_type(other)
    wider, narrower = _fits_in(one, other), _fits_in(other, one)
    return (NOBODY if stored_alike or narrower else CONSUMERS) | (NOBODY if wider else PRODUCER)


def _fits_in(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether every value of a type is one of the other, in a column that a reader of the other can read."""
    if one == other:
        return True
    if str(one) in _RANGES and str(other) in _RANGES:
        (bits, signed), (more, other_signed) = _RANGES[str(one)], _RANGES[str(other)]
        return more >= bits if signed == other_signed else other_signed and more > bits
    if pa.types.is_decimal(one) and pa.types.is_decimal(other):
        return bool(one.scale == other.scale and one.precision <= other.precision)
    if pa.types.is_float32(one) and pa.types.is_float64(other):
        return True
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other):
        finer = ["s", "ms", "us", "ns"]
        return one.tz == other.tz and finer.index(one.unit) <= finer.index(other.unit)
    if pa.types.is_list(one) and pa.types.is_list(other):
        return _fits_in(one.value_type, other.value_type)
    texts = (pa.string(), pa.large_string())
    return one in texts and other in texts


def _protection(one: ContractColumn, other: ContractColumn, change: Any) -> Iterator[ContractChange]:
    """What changed of what is done for persons."""
    if one.classification != other.classification:
        lower = _rank(other.classification) < _rank(one.classification)
        what = "is gone" if not other.classification else "is lower" if lower else "is another"
        breaks = GOVERNANCE if lower else NOBODY
        yield change(what, breaks, one.classification, other.classification, of="classification")
    if one.subject and not other.subject:
        yield change("does not name the person any more, whom erasure goes by", GOVERNANCE)
    if one.protection == other.protection:
        return
    before, after = _named(one.protection), _named(other.protection)
    if other.protection is None:
        yield change(
            "is gone: values are published as they are", GOVERNANCE | CONSUMERS, before, after, of="protection"
        )
    elif one.protection is None:
        yield change("is new: other values are published", CONSUMERS, before, after, of="protection")
    else:
        weaker = GOVERNANCE if _weaker(one.protection, other.protection) else NOBODY
        yield change("is another: other values are published", CONSUMERS | weaker, before, after, of="protection")


def _rank(classification: str) -> int:
    level = classification.partition(".")[0]
    known = list(Classification)
    return known.index(Classification(level)) if level in known else -1


def _named(protection: Mapping[str, Any] | None) -> str:
    if not protection:
        return ""
    ((name, arguments),) = protection.items()
    inner = ", ".join(f"{key}={value}" for key, value in arguments.items()) if isinstance(arguments, Mapping) else ""
    return f"{name}({inner})"


def _weaker(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    ((before, old), (after, new)) = (next(iter(given.items())) for given in (one, other))
    if before != after:
        return _STRENGTH.get(after, 0) < _STRENGTH.get(before, 0)
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return False
    kept = new.get("count", 0) > old.get("count", 0)
    finer = new.get("width", 0) < old.get("width", 0) or (old.get("at_most") is not None and new.get("at_most") is None)
    shorter = new.get("length", 32) < old.get("length", 32)
    return bool(kept or finer or shorter)
