"""A contract of the standard read: one of ours for each table in it, and a list of what has no place in them."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pyarrow as pa

from readiness_pipelines.compatibility.arrow_types import type_from_foreign, type_from_text
from readiness_pipelines.compatibility.contract import (
    AnnouncedChange,
    ConsumerPromise,
    Contract,
    ContractColumn,
    FreshnessPromise,
    Guarantee,
    announced_from_plain,
    as_duration,
    consumer_from_plain,
    freshness_from_plain,
)
from readiness_pipelines.contracts.classification import Classification
from readiness_pipelines.interop.bounded_yaml import Path_, YamlDocument
from readiness_pipelines.interop.odcs.linting import version_of
from readiness_pipelines.interop.odcs.reading_rules import FoundRule, option_rules, quality_rule
from readiness_pipelines.interop.odcs.taken import Taken, Unmapped
from readiness_pipelines.interop.odcs.writing import OURS

_UNITS = {
    "s": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3_600, "hr": 3_600, "hour": 3_600, "d": 86_400,
    "day": 86_400, "w": 604_800, "week": 604_800, "month": 30 * 86_400, "mo": 30 * 86_400, "y": 365 * 86_400,
    "yr": 365 * 86_400, "year": 365 * 86_400,
}  # fmt: skip
_CLASSES = {"restricted": "confidential", "sensitive": "confidential", "secret": "confidential", "private": "internal"}
_ISO = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?"
)
_MOST_TYPE_DEPTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContract:
    """What was read of a file.

    Attributes:
        file: The file.
        id: What the contract calls itself.
        title: Its name for people; "" where it has none.
        written_version: The contract's own version.
        status: What it says of its state: ``active``, ``draft`` …
        domain: The domain it names; "" where it names none.
        ours: Whether it was written by `odcs_text`.
        contracts: One for each table in it.
        unmapped: What has no place in them.
    """

    file: str
    id: str
    title: str
    written_version: str
    status: str
    domain: str
    ours: bool
    contracts: tuple[Contract, ...]
    unmapped: tuple[Unmapped, ...]


def read_odcs(document: YamlDocument) -> ReadContract:
    """Read a contract of the standard.

    Raises:
        DeclarationError: Something else than a contract of the standard, or of a version that is not read.
    """
    version_of(document)
    return _Reader(document).read()


class _Reader:
    """Reads one document."""

    def __init__(self, document: YamlDocument) -> None:
        self.taken = Taken(document)
        self.file = document.file
        self.custom = self._custom(())
        self.ours = f"{OURS}Gate" in self.custom

    def read(self) -> ReadContract:
        """All of it."""
        taken = self.taken
        for name in ("apiVersion", "kind"):
            taken.take((name,))
        domain, name = taken.text(("domain",)), taken.text(("id",))
        common = self._common()
        contracts = [self._table(path, common, domain) for path in taken.items(("schema",)) if self._is_table(path)]
        if self.ours:
            self._take_what_is_derived()
        return ReadContract(
            file=self.file,
            id=name or taken.text(("name",)),
            title=taken.text(("name",)),
            written_version=taken.text(("version",)),
            status=taken.text(("status",)),
            domain=domain,
            ours=self.ours,
            contracts=tuple(contracts),
            unmapped=taken.left(),
        )

    def _take_what_is_derived(self) -> None:
        """What our own writing says twice, for others, is read from where it is said first."""
        taken = self.taken
        derived: tuple[Path_, ...] = (("name",), ("description", "usage"), ("servers",), ("team",), ("support",))
        for said in derived:
            taken.take(said)
        for path in taken.items(("schema",)):
            for name in ("physicalType", "logicalType", "dataGranularityDescription", "description"):
                taken.take((*path, name))

    def _is_table(self, path: Path_) -> bool:
        if self.taken.text((*path, "name")) or self.taken.text((*path, "physicalName")):
            return True
        self.taken.refuse(path, "it has no name")
        return False

    def _custom(self, path: Path_) -> dict[str, Path_]:
        """The paths of custom properties' values, by name."""
        found: dict[str, Path_] = {}
        for one in self.taken.items((*path, "customProperties")):
            name = self.taken.look((*one, "property"))
            if isinstance(name, str):
                found[name] = one
        return found

    def _value(self, custom: Mapping[str, Path_], name: str) -> Any:
        """The value of a custom property of ours; ``None`` where there is none."""
        path = custom.get(name)
        if path is None:
            return None
        self.taken.take((*path, "property"))
        return self.taken.take((*path, "value"))

    def _parsed(self, name: str, read: Any, usual: Any) -> Any:
        """A custom property, read by a function; as usual where there is none, or it is not what is read."""
        path = self.custom.get(name)
        if path is None:
            return usual
        try:
            found = read(self.taken.look((*path, "value")))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.taken.refuse(path, f"it is not what {name} should be ({type(error).__name__})")
            return usual
        self.taken.take((*path, "property"))
        self.taken.take((*path, "value"))
        return found

    def _common(self) -> Contract:
        """What holds for all tables of the document."""
        taken = self.taken
        gate = self._parsed(f"{OURS}Gate", _gate, {})
        steward, owner, on_call = self._people()
        limits = taken.text(("description", "limitations"))
        freshness = self._parsed(f"{OURS}Freshness", freshness_from_plain, None)
        consumers: tuple[ConsumerPromise, ...] = self._parsed("consumers", _listed(consumer_from_plain), ())
        announced: tuple[AnnouncedChange, ...] = self._parsed("announcedChanges", _listed(announced_from_plain), ())
        found = Contract(
            table="",
            tolerance=self._parsed(f"{OURS}Tolerance", _bounds, {}),
            settings=_mapping(gate.get("settings")),
            routes={str(key): str(value) for key, value in _mapping(gate.get("routes")).items()},
            rule_tolerances=_mapping(gate.get("rule_tolerances")),
            freshness=freshness,
            consumers=consumers,
            announced=announced,
            owner=owner,
            steward=steward,
            on_call=on_call,
            sla=self._parsed(f"{OURS}Sla", _monthly, {}),
            synonyms=self._parsed("synonyms", _texts, ()),
            runbook=self._parsed("runbook", _text, ""),
            description=taken.text(("description", "purpose")),
            limitations=tuple(line for line in limits.split("\n") if line.strip()),
            source=self._parsed(f"{OURS}Source", dict, {}),
            gate=str(gate.get("version", "")),
        )
        return self._promises(found)

    def _people(self) -> tuple[tuple[str, str], str, str]:
        """Steward, owner and on-call, as far as the team says."""
        taken = self.taken
        listed = isinstance(taken.look(("team",)), list)
        people: Path_ = ("team",) if listed else ("team", "members")
        by_role: dict[str, tuple[str, str]] = {}
        for path in taken.items(people):
            role = str(taken.look((*path, "role")) or "").lower()
            kind = next((one for one in ("on-call", "steward", "owner") if one in role), "")
            contact = taken.look((*path, "username"))
            if not isinstance(contact, str) or not contact.strip() or taken.look((*path, "dateOut")):
                continue
            if kind and kind not in by_role:
                for name in ("username", "role", "name"):
                    taken.take((*path, name))
                by_role[kind] = (str(taken.look((*path, "name")) or contact), contact)
        team = "" if listed else taken.text(("team", "name"))
        support = next((taken.text((*path, "channel")) for path in taken.items(("support",))), "")
        owner = by_role.get("owner", (team, team))[1]
        return by_role.get("steward", ("", "")), owner, by_role.get("on-call", ("", support))[1]

    def _promises(self, common: Contract) -> Contract:
        """With what the service levels say."""
        taken = self.taken
        found = common
        for path, name, duration in self._durations():
            element = taken.look((*path, "element"))
            match name:
                case "freshness" | "fr" if found.freshness is None:
                    found = replace(found, freshness=_aged(duration, element))
                case "latency" | "ly" if element and not self.ours:
                    if found.freshness is not None:
                        continue
                    found = replace(found, freshness=_aged(duration, element))
                case "latency" | "ly":
                    found = replace(found, latency=duration)
                case "retention" | "re" if found.retention is None:
                    found = replace(found, retention=duration)
                case "noticeperiod" | "notice":
                    found = replace(found, notice=duration)
                case "frequency" | "fy" if "refresh" not in found.source:
                    source = {**found.source, "refresh": {"seconds": duration.total_seconds()}}
                    found = replace(found, source=source)
                case "freshness" | "frequency":  # said more exactly in a property of ours
                    if not self.ours:
                        continue
                case _:
                    continue
            self._take_promise(path)
        return found

    def _durations(self) -> Iterator[tuple[Path_, str, timedelta]]:
        """The service levels that are durations, with their names in small letters."""
        taken = self.taken
        for path in taken.items(("slaProperties",)):
            name = str(taken.look((*path, "property")) or "").lower()
            duration = _duration(taken.look((*path, "value")), taken.look((*path, "unit")))
            if self.ours and name in ("publishedshare", "freshshare", "timetorepair"):
                self._take_promise(path)  # said in a property of ours, too
            elif duration is not None:
                yield path, name, duration

    def _take_promise(self, path: Path_) -> None:
        names = ["property", "value", "unit", "element"]
        if self.ours:
            names += ["description", "driver", "schedule", "scheduler"]
        for name in names:
            self.taken.take((*path, name))

    def _table(self, path: Path_, common: Contract, domain: str) -> Contract:
        taken = self.taken
        name = taken.text((*path, "name"))
        physical = taken.text((*path, "physicalName"))
        if self.ours:
            table = physical or f"{domain}.{name}"
        else:
            table = f"{domain}.{name or physical}" if domain else name or physical
            if physical and physical != name:
                taken.refuse((*path, "physicalName"), "the table is called by its name here")
        for kind, usual in (("physicalType", ("table", "view", "file", "topic")), ("logicalType", ("object",))):
            if str(taken.look((*path, kind))).lower() in usual:
                taken.take((*path, kind))
        columns: list[ContractColumn] = []
        rules: list[FoundRule] = []
        names: set[str] = set()
        for one in self._property_paths(path):
            column = self._column(one, columns, names)
            if column is not None:
                names.add(column.name.casefold())
                columns.append(column)
                rules += self._rules_of(one, column)
        rules += self._quality((*path, "quality"), None)
        columns = _with_rules(columns, rules)
        described = taken.text((*path, "description"))
        keys = [one.name for one in sorted(columns, key=lambda one: one.key or 0) if one.key]
        settings = dict(common.settings)
        if not self.ours:
            sets = [list(rule.guarantee.columns) for rule in rules if rule.guarantee.check == "unique"]
            sets = [names for names in (keys, *sets) if len(names) > 1]
            if sets:
                settings["unique"] = [names for at, names in enumerate(sets) if names not in sets[:at]]
            if len(keys) == 1:
                columns = [replace(c, unique=True, nullable=False) if c.name == keys[0] else c for c in columns]
        return replace(
            common,
            table=table,
            columns=tuple(columns),
            guarantees=_distinct(rules),
            settings=settings,
            description=described or common.description,
            tags=self._words((*path, "tags")),
            synonyms=(*common.synonyms, *self._synonyms(path)),
        )

    def _words(self, path: Path_) -> tuple[str, ...]:
        value = self.taken.look(path)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            return ()
        return tuple(one for one in self.taken.take(path) if one.strip())

    def _synonyms(self, path: Path_) -> tuple[str, ...]:
        return tuple(
            filter(None, (self.taken.text((*one, "synonym")) for one in self.taken.items((*path, "synonyms"))))
        )

    def _property_paths(self, path: Path_) -> list[Path_]:
        found = []
        for one in self.taken.items((*path, "properties")):
            if self.taken.look((*one, "name")) or self.taken.look((*one, "physicalName")):
                found.append(one)
            else:
                self.taken.refuse(one, "it has no name")
        return found

    def _column(self, path: Path_, before: list[ContractColumn], names: set[str]) -> ContractColumn | None:
        taken = self.taken
        name, physical = taken.text((*path, "name")), taken.text((*path, "physicalName"))
        ours = self._value(self._custom(path), f"{OURS}Column")
        given: Mapping[str, Any] = ours if isinstance(ours, dict) else {}
        called = physical or name
        if called.casefold() in names:
            taken.refuse(path, f"another column is called {called!r}, but for letter case")
            return None
        if physical and name and physical != name and not given:
            taken.refuse((*path, "name"), f"the column is called by its physical name, {physical}")
        kind = self._type(path, given)
        key = taken.look((*path, "primaryKeyPosition"))
        is_key = taken.take((*path, "primaryKey")) is True
        if is_key or (isinstance(key, int) and key < 0):
            taken.take((*path, "primaryKeyPosition"))
        for flag in ("required", "unique"):
            if isinstance(taken.look((*path, flag)), bool):
                taken.take((*path, flag))
        try:
            steps = tuple(dict(one) for one in given.get("steps", ()))
            protection = None if given.get("protection") is None else dict(given["protection"])
        except (TypeError, ValueError):
            steps, protection = (), None
        return ContractColumn(
            name=called,
            type="any" if kind is None else str(kind),
            nullable=taken.look((*path, "required")) is not True and given.get("nullable", True) is not False,
            required=given.get("required", True) is not False,
            unique=taken.look((*path, "unique")) is True,
            label=name if given.get("pattern") is True else "",
            pattern=given.get("pattern") is True,
            key=(key if isinstance(key, int) and key > 0 else len(before) + 1) if is_key else None,
            coerce=given.get("coerce") is True,
            default=given.get("default"),
            steps=steps,
            description=taken.text((*path, "description")),
            classification=self._class((*path, "classification")),
            protection=protection,
            subject=given.get("subject") is True,
            reviewed=str(given.get("reviewed", "")),
        )

    def _class(self, path: Path_) -> str:
        """The class of a column, as we call it."""
        given = self.taken.look(path)
        if not isinstance(given, str) or not given.strip():
            return ""
        plain = given.strip().lower()
        level, _, _ = plain.partition(".")
        self.taken.take(path)
        if level in list(Classification):
            return plain
        found = _CLASSES.get(plain, "confidential")
        self.taken.refuse(path, f"there is no such class here; it is read as {found}")
        return found

    def _type(self, path: Path_, given: Mapping[str, Any]) -> pa.DataType | None:
        """The column's type; what of it is not read is listed."""
        taken = self.taken
        if isinstance(given.get("type"), str):
            for name in ("logicalType", "physicalType", "items", "properties"):
                taken.take((*path, name))
            return type_from_text(given["type"])
        kind, sure = self._foreign_type(path, 0)
        if not sure:
            shown = "any type" if kind is None else str(kind)
            where = "logicalType" if taken.look((*path, "logicalType")) is not None else "physicalType"
            if taken.look((*path, where)) is not None:
                taken.refuse((*path, where), f"it is read as {shown}")
        return kind

    def _foreign_type(self, path: Path_, depth: int) -> tuple[pa.DataType | None, bool]:
        taken = self.taken
        logical, physical = (str(taken.look((*path, name)) or "") for name in ("logicalType", "physicalType"))
        for name in ("logicalType", "physicalType"):
            taken.take((*path, name))
        if depth > _MOST_TYPE_DEPTH:
            return None, False
        if logical == "array":
            taken.take((*path, "items", "name"))
            item, sure = self._foreign_type((*path, "items"), depth + 1)
            if item is None:
                found, known = type_from_foreign("", physical)
                return (found, known) if found is not None else (None, False)
            return pa.list_(item), sure
        if logical == "object" or isinstance(taken.look((*path, "properties")), list):
            return self._struct(path, depth) if depth else (None, False)
        if logical == "vector":
            return pa.list_(pa.float32()), True
        found, sure = type_from_foreign(logical, physical)
        return (found, sure) if sure or logical != "number" else self._digits(path, found)

    def _digits(self, path: Path_, usual: pa.DataType | None) -> tuple[pa.DataType | None, bool]:
        """A number's type, where its digits are a property of their own."""
        custom = self._custom(path)
        precision, scale = (self.taken.look((*custom.get(name, ()), "value")) for name in ("precision", "scale"))
        found = type_from_text(f"decimal({precision}, {0 if scale is None else scale})")
        if found is None or "precision" not in custom:
            return usual, False
        for name in ("precision", "scale"):
            if name in custom:
                self.taken.take(custom[name])
        return found, True

    def _struct(self, path: Path_, depth: int) -> tuple[pa.DataType | None, bool]:
        """The type of an object within a list; a column that is an object itself has no type here."""
        members: list[tuple[str, pa.DataType]] = []
        sure = True
        for one in self.taken.items((*path, "properties")):
            name = self.taken.text((*one, "name"))
            kind, known = self._foreign_type(one, depth + 1)
            if not name or kind is None or any(name == other for other, _ in members):
                return None, False
            members.append((name, kind))
            sure = sure and known
        return (pa.struct(members), sure) if members else (None, False)

    def _rules_of(self, path: Path_, column: ContractColumn) -> list[FoundRule]:
        rules = self._quality((*path, "quality"), column)
        if self.ours:
            self.taken.take((*path, "logicalTypeOptions"))
            return rules
        known = {(one.guarantee.check, str(one.guarantee.arguments)) for one in rules}
        options = option_rules(self.taken, path, column)
        return rules + [one for one in options if (one.guarantee.check, str(one.guarantee.arguments)) not in known]

    def _quality(self, path: Path_, column: ContractColumn | None) -> list[FoundRule]:
        found = []
        for one in self.taken.items(path):
            rule = quality_rule(self.taken, one, column)
            if rule is not None:
                found.append(rule)
        return found


def _with_rules(columns: list[ContractColumn], rules: list[FoundRule]) -> list[ContractColumn]:
    """Columns with what their rules say of them: that they are never missing, or unique."""
    said: dict[str, set[str]] = {}
    for rule in rules:
        if len(rule.guarantee.columns) == 1:
            said.setdefault(rule.guarantee.columns[0], set()).add(rule.guarantee.check)
    found = []
    for one in columns:
        own = said.get(one.name, set())
        nullable, unique = one.nullable and "not_nullable" not in own, one.unique or "unique" in own
        found.append(replace(one, nullable=nullable, unique=unique))
    return found


def _distinct(rules: list[FoundRule]) -> tuple[Guarantee, ...]:
    """The rules in the order in which they were declared, each name once."""
    names: dict[str, int] = {}
    found = []
    for rule in rules:
        one = rule.guarantee
        names[one.name] = names.get(one.name, 0) + 1
        found.append(one if names[one.name] == 1 else replace(one, name=f"{one.name}_{names[one.name]}"))
    return tuple(found)


def _aged(duration: timedelta, element: Any) -> FreshnessPromise:
    column = str(element).rpartition(".")[2] if isinstance(element, str) else None
    return FreshnessPromise(warn_after=duration, fail_after=duration, event_time=column or None)


def _duration(value: Any, unit: Any) -> timedelta | None:
    """A duration of a number and a unit, or of text such as ``P1D`` or ``24h``."""
    if isinstance(value, str):
        if unit is None:
            return _iso_duration(value.strip().upper())
        with contextlib.suppress(ValueError):
            value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:  # noqa: PLR2004
        return None
    name = str(unit or "").strip().lower()
    seconds = _UNITS.get(name) or _UNITS.get(name.rstrip("s"))
    if seconds is None or value * seconds > 1e10:  # noqa: PLR2004  # three hundred years
        return None
    return timedelta(seconds=value * seconds)


def _iso_duration(text: str) -> timedelta | None:
    match = _ISO.fullmatch(text)
    if match is not None and any(match.groups()):
        years, months, weeks, days, hours, minutes, seconds = (int(one or 0) for one in match.groups())
        return timedelta(
            days=365 * years + 30 * months + 7 * weeks + days, hours=hours, minutes=minutes, seconds=seconds
        )
    with contextlib.suppress(ValueError):
        return as_duration(text.lower())
    return None


def _mapping(given: Any) -> dict[str, Any]:
    return dict(given) if isinstance(given, dict) else {}


def _gate(given: Any) -> dict[str, Any]:
    """What a contract of ours says of its gate; what is not such is refused as a whole."""
    settings = dict(given).get("settings", {})
    sets, words = settings.get("unique", []), settings.get("missing", [])
    for one in (words, *sets) if isinstance(sets, list) else ():
        _texts(one)
    texts = [settings.get(name, "") for name in ("schema_change", "unclassified", "report_duplicates")]
    mappings = [settings.get("deduplicate", {}), given.get("routes", {}), given.get("rule_tolerances", {})]
    if not (isinstance(sets, list) and all(isinstance(one, str) for one in texts)):
        raise TypeError("settings of other kinds")
    if not all(isinstance(one, dict) for one in mappings):
        raise TypeError("mappings of other kinds")
    return dict(given)


def _bounds(given: Any) -> dict[str, Any]:
    found = dict(given)
    if not all(isinstance(value, int | float) for value in found.values()):
        raise ValueError("bounds are numbers")
    return found


def _monthly(given: Any) -> dict[str, Any]:
    found = {name: value for name, value in dict(given).items() if name in ("published", "fresh")}
    if not all(isinstance(value, int | float) for value in found.values()):
        raise ValueError("shares are numbers")
    within = as_duration(given.get("repaired_within"))
    return found if within is None else {**found, "repaired_within": within}


def _texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise TypeError("not a list of texts")
    return tuple(given)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError("not a text")
    return given


def _listed(read: Any) -> Any:
    def each(given: Any) -> Any:
        if not isinstance(given, list):
            raise TypeError("not a list")
        return tuple(read(one) for one in given)

    return each
