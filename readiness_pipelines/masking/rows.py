"""Rows that are listed somewhere: their values redacted, and which of them are the same."""

from collections.abc import Iterable, Mapping
from typing import Any

from readiness_pipelines.masking.classes import Classes
from readiness_pipelines.masking.messages import redact_message
from readiness_pipelines.masking.values import NOBODY, Viewer, describe, redact

MOST_BYTES = 16_384
"""So much of a rule's sample is stored, in UTF-8: rows that would make it more are left out."""


class Listing:
    """One listing of rows: a redacted value has a letter, and equal values in it have the same one.

    Args:
        classes: What the rows' columns are to persons.
        viewer: Who looks.
    """

    def __init__(self, classes: Classes, viewer: Viewer = NOBODY) -> None:
        self._classes = classes
        self._viewer = viewer
        self._letters: dict[str, str] = {}

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as it may be shown."""
        return {name: self.cell(name, value) for name, value in row.items()}

    def cell(self, column: str, value: Any) -> Any:
        """A value as it may be shown."""
        classified = self._classes.of(column)
        if self._viewer.reveals or value is None:
            return value
        if column == "_unreadable_reason":
            return value if self._classes.plain else redact_message(str(value), self._classes.names)
        shown = redact(value, classified)
        if shown is value or isinstance(value, bool):
            return shown
        return f"«{describe(value)}, {self._letter(value)}»"

    def _letter(self, value: Any) -> str:
        return self._letters.setdefault(f"{type(value).__name__}:{value!r}", _name(len(self._letters)))


def redact_samples(rows: Iterable[Mapping[str, Any]], classes: Classes) -> tuple[Mapping[str, Any], ...]:
    """Sample rows as they may be stored: redacted, and no more of them than `MOST_BYTES`."""
    kept: list[Mapping[str, Any]] = []
    listing, left = Listing(classes), MOST_BYTES
    for row in rows:
        shown = listing.row(row)
        left -= sum(len(str(value).encode(errors="replace")) for value in shown.values())
        if left < 0 and kept:
            break
        kept.append(shown)
    return tuple(kept)


def _name(number: int) -> str:
    """A, B, C, and after Z: AA, AB."""
    name = ""
    while number >= 0:
        number, rest = divmod(number, 26)
        name, number = chr(ord("A") + rest) + name, number - 1
    return name
