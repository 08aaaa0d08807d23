"""What is wrong with a contract by the standard's own rules: fields that it does not have, miss, or hold otherwise."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.errors import DeclarationError, suggestion
from readiness_pipelines.interop.bounded_yaml import Path_, YamlDocument
from readiness_pipelines.interop.odcs.fields import (
    DIMENSIONS,
    LOGICAL_TYPES,
    METRICS,
    NEEDED,
    OBJECTS,
    QUALITY_TYPES,
    Field,
)

READ = ((3, 0), (3, 1), (3, 2))
"""The versions that are read."""

MOST_PROBLEMS = 200
"""So many are listed; a file with more has another problem."""

_VERSION = re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LintProblem:
    """One thing that is wrong with a contract.

    Attributes:
        file: The file.
        line: The line, from 1.
        where: The value, as ``schema[0].properties[2].logicalType``.
        what: What is wrong with it.
        way_out: What to do about it.
    """

    file: str
    line: int
    where: str
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.where}: {self.what}"


def lint(document: YamlDocument) -> tuple[LintProblem, ...]:
    """What is wrong with a contract, in the order of its lines; at most `MOST_PROBLEMS`.

    Raises:
        DeclarationError: Something else than a contract of the standard, or of a version that is not read.
    """
    version = version_of(document)
    found: list[LintProblem] = []
    for problem in _Linter(document, version).problems():
        found.append(problem)
        if len(found) == MOST_PROBLEMS:
            break
    return tuple(sorted(found, key=lambda one: (one.line, one.where)))


def version_of(document: YamlDocument) -> tuple[int, int]:
    """The standard's version that a document is written in.

    Raises:
        DeclarationError: Something else than a contract of the standard, or of a version that is not read.
    """
    value = document.value
    way_out = "give a file that begins with: apiVersion: v3.1.0"
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", type(None): "empty"}.get(type(value), f"a {type(value).__name__}")
        raise DeclarationError(f"{document.file} is not a contract: it is {kind}", way_out=way_out)
    if "dataContractSpecification" in value:
        raise DeclarationError(
            f"{document.file} is of the Data Contract Specification, which the standard replaced",
            way_out="convert it: datacontract export --format odcs",
        )
    if str(value.get("kind", "DataContract")) != "DataContract" or "apiVersion" not in value:
        raise DeclarationError(f"{document.file} is not a contract of the Open Data Contract Standard", way_out=way_out)
    match = _VERSION.fullmatch(str(value["apiVersion"]))
    found = (int(match[1]), int(match[2])) if match else (0, 0)
    if found not in READ:
        where = f"{document.file}:{document.line(('apiVersion',))}"
        raise DeclarationError(
            f"{where}: version {value['apiVersion']!r} of the standard is not read", way_out="write it in v3.1.0"
        )
    return found


def written_path(path: Path_) -> str:
    """A path as people write it: ``schema[0].name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the contract"


class _Linter:
    """Looks through one document."""

    def __init__(self, document: YamlDocument, version: tuple[int, int]) -> None:
        self.document, self.version = document, version

    def problems(self) -> Iterator[LintProblem]:
        """All of them, as they are found."""
        yield from self._object("contract", self.document.value, ())

    def _problem(self, path: Path_, what: str, way_out: str = "") -> LintProblem:
        where, line = written_path(path), self.document.line(path)
        return LintProblem(file=self.document.file, line=line, where=where, what=what, way_out=way_out)

    def _object(self, kind: str, value: Any, path: Path_) -> Iterator[LintProblem]:
        if kind == "server":
            if not isinstance(value, dict) or not {"server", "type"} <= value.keys():
                yield self._problem(path, "a server has no server and type", "name both")
            return
        if kind == "team" and isinstance(value, list) and self.version == (3, 0):
            for at, member in enumerate(value):  # the people themselves, before there were teams
                yield from self._object("member", member, (*path, at))
            return
        if kind == "team" and isinstance(value, list):
            yield self._problem(path, "is a list, as before 3.1", "write it as a team: its people are its members")
            return
        if not isinstance(value, dict):
            yield self._problem(path, f"is {_shown(value)}, and should be a mapping", "write fields below it")
            return
        fields = OBJECTS[kind]
        item = bool(path) and path[-1] == "items"
        for name in NEEDED.get(kind, ()):
            if name not in value and not (item and name == "name"):
                yield self._problem(path, f"has no {name}", f"write {name}:")
        for name, inner in value.items():
            yield from self._field(name, fields.get(name), inner, path, fields.keys())
        yield from self._meaning(kind, value, path)

    def _field(self, name: str, field: Field | None, value: Any, around: Path_, known: Any) -> Iterator[LintProblem]:
        path = (*around, name)
        if field is None:
            yield self._problem(path, "the standard has no such field", suggestion(name, known))
            return
        if field.since > self.version or (field.until is not None and field.until < self.version):
            other = field.until if field.since <= self.version else field.since
            told = "since" if field.since > self.version else "up to"
            yield self._problem(path, f"is a field {told} {other[0]}.{other[1]}", "change the field, or apiVersion")  # type: ignore[index]
        if value is None:
            if field.kind != "any":
                yield self._problem(path, "is empty", "give a value, or take the field out")
            return
        if field.kind.startswith("["):
            if not isinstance(value, list):
                yield self._problem(path, f"is {_shown(value)}, and should be a list", "begin each entry with -")
                return
            for at, inner in enumerate(value):
                yield from self._object(field.kind[1:-1], inner, (*path, at))
        elif field.kind in OBJECTS:
            yield from self._object(field.kind, value, path)
        elif not _fits(field.kind, value):
            yield self._problem(path, f"is {_shown(value)}, and should be {_KINDS[field.kind]}", "write it so")

    def _meaning(self, kind: str, value: dict[str, Any], path: Path_) -> Iterator[LintProblem]:
        """What no field alone says."""
        if kind in ("table", "property"):
            yield from self._twice(value, path)
        if kind == "property" and (logical := value.get("logicalType")) is not None:
            since = LOGICAL_TYPES.get(str(logical))
            if since is None:
                way_out = suggestion(str(logical), LOGICAL_TYPES)
                yield self._problem((*path, "logicalType"), f"{logical!r} is not a logical type", way_out)
            elif since > self.version:
                told = f"{logical!r} is a logical type since {since[0]}.{since[1]}"
                yield self._problem((*path, "logicalType"), told, "change it, or apiVersion")
        if kind == "quality":
            yield from self._quality(value, path)

    def _quality(self, value: dict[str, Any], path: Path_) -> Iterator[LintProblem]:
        kind, metric = value.get("type", "library"), value.get("metric")
        for name, known in (("type", QUALITY_TYPES), ("dimension", DIMENSIONS), ("metric", METRICS)):
            if value.get(name) is not None and value[name] not in known:
                way_out = suggestion(str(value[name]), known)
                yield self._problem((*path, name), f"{value[name]!r} is not a {name} of quality", way_out)
        needed = {"sql": ("query",), "custom": ("engine", "implementation")}.get(str(kind), ())
        if "type" in value and kind == "library" and metric is None and value.get("rule") is None:
            needed = ("metric",)
        for name in needed:
            if name not in value:
                yield self._problem(path, f"a rule of type {kind} has no {name}", f"write {name}:")

    def _twice(self, value: dict[str, Any], path: Path_) -> Iterator[LintProblem]:
        seen: set[str] = set()
        members = value.get("properties")
        for at, member in enumerate(members if isinstance(members, list) else []):
            name = str(member.get("name")) if isinstance(member, dict) else ""
            if name and name in seen:
                yield self._problem(
                    (*path, "properties", at), f"the name {name!r} is there twice", "rename one of them"
                )
            seen.add(name)


_KINDS = {
    "text": "a text",
    "number": "a number",
    "flag": "true or false",
    "scalar": "a text or a number",
    "texts": "a list of texts",
    "any": "anything",
}


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "flag":
            return isinstance(value, bool)
        case "texts":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return True


def _shown(value: Any) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"  # noqa: PLR2004  # a line's worth
