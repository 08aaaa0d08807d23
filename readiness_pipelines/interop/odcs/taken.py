"""Which values of a document were read: what is left is listed, so that nothing is dropped silently."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.interop.bounded_yaml import Path_, YamlDocument
from readiness_pipelines.interop.odcs.linting import written_path

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmapped:
    """Something in a contract that a page has no place for.

    Attributes:
        where: The value: ``schema[0].properties[2].examples``.
        line: Its line.
        value: What it says, as JSON, cut where it is long.
        why: Why it is not mapped.
    """

    where: str
    line: int
    value: str
    why: str = "a page has no place for it"

    def __str__(self) -> str:
        return f"line {self.line}: {self.where}: {self.why}: {self.value}"


class Taken:
    """A document, and what of it was read."""

    def __init__(self, document: YamlDocument) -> None:
        self.document = document
        self._whole: set[Path_] = set()
        self._touched: set[Path_] = set()
        self._refused: dict[Path_, str] = {}

    def take(self, path: Path_) -> Any:
        """A value, all of which counts as read; ``None`` where there is none."""
        self._whole.add(path)
        for length in range(len(path)):
            self._touched.add(path[:length])
        return self.look(path)

    def look(self, path: Path_) -> Any:
        """A value that does not count as read by that."""
        value = self.document.value
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def text(self, path: Path_) -> str:
        """A text, or number, as text; "" where there is none, or something else."""
        value = self.look(path)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            self.take(path)
            return str(value)
        return ""

    def items(self, path: Path_) -> Iterator[Path_]:
        """The paths of the mappings in a list."""
        value = self.look(path)
        for at, inner in enumerate(value if isinstance(value, list) else ()):
            if isinstance(inner, dict):
                yield (*path, at)

    def refuse(self, path: Path_, why: str) -> None:
        """Say why a value is not mapped."""
        self._refused[path] = why
        for length in range(len(path)):
            self._touched.add(path[:length])

    def keep(self, path: Path_) -> None:
        """Let a value count as read after all."""
        self._refused.pop(path, None)
        self.take(path)

    def left(self) -> tuple[Unmapped, ...]:
        """What was not read, the outermost values of it, in the order of their lines."""
        found = [self._unmapped(path, value) for path, value in self._left((), self.document.value)]
        return tuple(sorted(found, key=lambda one: one.line))

    def _left(self, path: Path_, value: Any) -> Iterator[tuple[Path_, Any]]:
        if path in self._refused:
            yield path, value
        elif path in self._whole or value in (None, "", [], {}):
            return
        elif path not in self._touched:
            yield path, value
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from self._left((*path, key), inner)
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                yield from self._left((*path, at), inner)

    def _unmapped(self, path: Path_, value: Any) -> Unmapped:
        text = json.dumps(value, ensure_ascii=False, default=str)
        shown = text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
        where, line = written_path(path), self.document.line(path)
        why = self._refused.get(path)
        return Unmapped(where=where, line=line, value=shown, **({"why": why} if why else {}))
