"""JSON objects of one layout, read by one regular expression: what a producer sends differs in its values alone.

An object is read so where it has the keys of an earlier one in the same order, and each value is a number, a string
without an escape, true, false or null. All others are for the parser, which gives the same text for the same JSON.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_MOST_LAYOUTS = 8
_SPACE = r"[ \t\n\r]*"
_PLAIN_NAME = re.compile(r'[^"\\\x00-\x1f]*')
"""A key that JSON writes as it is: no other text stands for it, and it cannot pass for several keys."""
_VALUE = r'("[^"\\\x00-\x1f]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)'


class _Layout:
    """Keys in an order, and the objects that had them: their place among all, and their values as JSON."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        each = f"{_SPACE},{_SPACE}".join(f'"{re.escape(name)}"{_SPACE}:{_SPACE}{_VALUE}' for name in names)
        self.match = re.compile(rf"{_SPACE}\{{{_SPACE}{each}{_SPACE}\}}{_SPACE}").fullmatch
        self.places: list[int] = []
        self.values: list[Sequence[str]] = []


class FlatObjects:
    """Objects of layouts that were seen before; for one run over many messages."""

    def __init__(self) -> None:
        self._layouts: list[_Layout] = []

    def take(self, place: int, value: bytes | None) -> bool:
        """Keep an object if it has a known layout.

        Args:
            place: Where it is among all messages.
            value: Its JSON.

        Returns:
            Whether it was kept.
        """
        if value is None or not self._layouts:
            return False
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return False
        for layout in self._layouts:
            if (found := layout.match(text)) is not None:
                layout.places.append(place)
                layout.values.append(found.groups())
                if layout is not self._layouts[0]:  # the next one is likely to have it, too
                    self._layouts.remove(layout)
                    self._layouts.insert(0, layout)
                return True
        return False

    def learn(self, values: Mapping[str, Any]) -> None:
        """Know the layout of an object from now on, as the parser gave it; its keys can be columns."""
        names = tuple(values)
        if (
            len(names) > 0
            and len(self._layouts) < _MOST_LAYOUTS
            and all(map(_PLAIN_NAME.fullmatch, names))
            and not any(isinstance(one, dict | list) for one in values.values())
            and all(layout.names != names for layout in self._layouts)
        ):
            self._layouts.append(_Layout(names))

    def tables(self, names: Sequence[str]) -> list[tuple[list[int], list[pa.Array]]]:
        """What was kept: the places of objects of each layout, and their columns as text, null where they have none.

        Args:
            names: The columns of all messages, in order.
        """
        found = []
        for layout in self._layouts:
            if layout.places:
                columns = dict(zip(layout.names, zip(*layout.values, strict=True), strict=True))
                nothing = pa.nulls(len(layout.places), pa.string())
                arrays = [_texts(columns[name]) if name in columns else nothing for name in names]
                found.append((layout.places, arrays))
        return found


def _texts(values: Sequence[str]) -> pa.Array:
    """JSON of values that are not nested, as text: strings without their quotes, of which there are none inside."""
    written = pa.array(values, pa.string())
    return pc.if_else(pc.equal(written, "null"), None, pc.utf8_trim(written, '"'))
