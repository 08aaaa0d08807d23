"""YAML from anybody: read within bounds of size, depth and time, with the line of each value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from readiness_pipelines.errors import DeclarationError, first_line

MOST_BYTES = 8 * 2**20
MOST_VALUES = 200_000
"""So many values a document has at most, those behind aliases counted each time."""

MOST_DEPTH = 64
MOST_DIGITS = 400
"""A number of more is not one that anybody wrote."""

Path_ = tuple[str | int, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map"))


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """A document that was read.

    Attributes:
        file: Its file, for errors.
        value: Its values: mappings with texts as keys, lists, texts, numbers, flags and nothing. Dates stay texts.
        lines: The line of each value, from 1, by its path.
    """

    file: str
    value: Any
    lines: dict[Path_, int] = field(repr=False)

    def line(self, path: Path_) -> int:
        """The line of a value, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(file: Path) -> YamlDocument:
    """Read a YAML or JSON file.

    Raises:
        DeclarationError: A file that is not there, larger than `MOST_BYTES`, not UTF-8, not YAML; with more values or
            deeper than is read; with a key twice, an anchor within itself, or a type of Python's. Names file and line.
    """
    if not file.is_file():  # a pipe would be waited for
        raise DeclarationError(f"{file} is not a file", way_out="name one")
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise DeclarationError(f"{file}: {error.strerror or first_line(error)}", way_out="name a file") from error
    return parse_yaml(content, file=str(file))


def parse_yaml(content: bytes, *, file: str) -> YamlDocument:
    """Read a YAML or JSON text, as `read_yaml` does.

    Args:
        content: The text, in UTF-8 or, with a mark, UTF-16.
        file: Where it is from, for errors.

    Raises:
        DeclarationError: As `read_yaml`.
    """
    if len(content) > MOST_BYTES:
        raise DeclarationError(
            f"{file} is larger than {MOST_BYTES // 2**20} MB, which no contract is", way_out="split it by table"
        )
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeclarationError(
            f"{file} is not UTF-8: {error.reason} at byte {error.start}", way_out="save it as UTF-8"
        ) from error
    if text.lstrip()[:1] == "{":
        text = _PAIRS.sub(_character, text)
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark is not None else file
        problem = getattr(error, "problem", None) or first_line(error)
        raise DeclarationError(f"{where} is not valid YAML: {problem}", way_out="put it right there") from error
    except (ValueError, RecursionError) as error:
        raise DeclarationError(f"{file} is not valid YAML: {first_line(error)}", way_out="put it right") from error
    return YamlDocument(file=file, value=builder.value, lines=builder.lines)


_PAIRS = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
"""A character beyond 16 bits as JSON writes it in two parts, and YAML does not."""


def _character(pair: re.Match[str]) -> str:
    high, low = int(pair[2], 16), int(pair[3], 16)
    return pair[1] + chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


class _Open:
    """A mapping or list that is being read."""

    __slots__ = ("anchor", "count", "key", "merged", "path", "value")

    def __init__(self, value: Any, path: Path_, anchor: str | None) -> None:
        self.value, self.path, self.anchor = value, path, anchor
        self.key: str | None = None
        self.merged: set[str] = set()
        self.count = 1


class _Builder:
    """Makes values of a parser's events, one after the other: nothing here is recursive."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.value: Any = None
        self.lines: dict[Path_, int] = {}
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self._documents = 0
        self._scalars = yaml.SafeLoader("")

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._refuse(line, "a second document begins", "keep one contract in a file")
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check_tag(event.tag, line)
                empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                path = self._next_path(line)
                self._count(1, line)
                self.lines[path] = line
                if len(self._open) >= MOST_DEPTH:
                    self._refuse(line, f"values are more than {MOST_DEPTH} deep", "write it flatter")
                self._open.append(_Open(empty, path, event.anchor))
                if event.anchor:
                    self._anchors[event.anchor] = (None, 0)  # an alias within would be a circle
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done = self._open.pop()
                if done.anchor:
                    self._anchors[done.anchor] = (done.value, done.count)
                self._put(done.value, done.count, line)
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case yaml.AliasEvent():
                value, count = self._anchors.get(event.anchor, (None, -1))
                if count == -1:
                    self._refuse(line, f"nothing is called &{event.anchor}", "name an anchor before it")
                if count == 0:
                    self._refuse(line, f"&{event.anchor} is within itself", "take the alias out")
                self._count(count, line)
                path = self._next_path(line)
                self.lines[path] = line
                self._put(value, count, line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        parent = self._open[-1] if self._open else None
        self._check_tag(event.tag, line)
        if parent is not None and isinstance(parent.value, dict) and parent.key is None:
            key = event.value
            if key == "<<" and event.implicit[0]:
                parent.key = key
                return
            if key in parent.merged:
                parent.merged.remove(key)  # its own value comes before the merged one
                parent.key = key
                return
            if key in parent.value:
                self._refuse(line, f"the key {key!r} is there twice", "keep one of them")
            parent.key = key
            return
        path = self._next_path(line)
        self._count(1, line)
        self.lines[path] = line
        value = self._value(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, 1, line)

    def _value(self, event: yaml.ScalarEvent) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._scalars.resolve(yaml.ScalarNode, event.value, event.implicit) if event.implicit[0] else ""
        kind = str(tag).rpartition(":")[2]
        if kind not in ("int", "float", "bool", "null"):
            return event.value
        if len(event.value) > MOST_DIGITS:
            return event.value
        node = yaml.ScalarNode(tag, event.value)
        try:
            return self._scalars.construct_object(node)
        except (ValueError, yaml.YAMLError, OverflowError, KeyError):
            return event.value  # what looks like a number and is none: 1_000_000:99, say

    def _next_path(self, line: int) -> Path_:
        if not self._open:
            return ()
        parent = self._open[-1]
        if isinstance(parent.value, list):
            return (*parent.path, len(parent.value))
        if parent.key is None:
            self._refuse(line, "a key is a list or a mapping", "write a text before the colon")
        return (*parent.path, str(parent.key))

    def _put(self, value: Any, count: int, line: int) -> None:
        if not self._open:
            self.value = value
            return
        parent = self._open[-1]
        parent.count += count
        if isinstance(parent.value, list):
            parent.value.append(value)
            return
        key, parent.key = str(parent.key), None
        if key != "<<":
            parent.value[key] = value
            return
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, dict):
                self._refuse(line, "<< is followed by something else than a mapping", "name a mapping's anchor")
            new = {name: inner for name, inner in one.items() if name not in parent.value}
            parent.merged |= new.keys()
            parent.value.update(new)

    def _count(self, count: int, line: int) -> None:
        self._values += count
        if self._values > MOST_VALUES:
            self._refuse(
                line, f"there are more than {MOST_VALUES:,} values, with those of aliases", "split it by table"
            )

    def _check_tag(self, tag: str | None, line: int) -> None:
        if tag and tag != "!" and tag not in _PLAIN_TAGS and not tag.endswith((":timestamp", ":binary")):
            self._refuse(line, f"a value has the type {tag}", "take the sign ! out")

    def _refuse(self, line: int, what: str, way_out: str) -> None:
        raise DeclarationError(f"{self.file}:{line}: {what}", way_out=way_out)


def walk(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Each value within a value, with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from walk(inner, (*path, at))
