"""How large a value an expression can make: a short one can ask for more memory and time than any machine has.

The engine's own bound does not hold within one function over one row, so what grows is refused before it is evaluated.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from readiness_pipelines.errors import DeclarationError

MOST_CHARACTERS_MADE = 100_000
"""Characters of a value that an expression makes, beside four times what its columns hold."""

MOST_PAIRS = 10_000_000
"""Pairs of characters that two texts may have to be compared by."""

GROWING = frozenset(
    ["lpad", "rpad", "replace", "regexp_replace", "format", "printf", "levenshtein", "concat_ws", "strftime"]
)
"""Functions whose results can be much larger than their arguments, or that compare all pairs of characters."""

_TIME_CHARACTERS = 32
"""What two characters of a time's format become at most."""


def calls_growing(tree: Any) -> bool:
    """Whether a parsed expression calls any function that needs `check_sizes`."""
    return any(str(node["function_name"]).lower() in GROWING for node in nodes(tree) if node["class"] == "FUNCTION")


def named_columns(tree: Any) -> frozenset[str]:
    """The columns that a parsed expression names, in lower case."""
    return frozenset(str(node["column_names"][0]).lower() for node in nodes(tree) if node["class"] == "COLUMN_REF")


def nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    """All parts of a parsed expression that have a class."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            if "class" in node:
                yield node


def check_sizes(text: str, tree: Any, longest: Mapping[str, int]) -> None:
    """Refuse an expression that can make values much larger than those it is given.

    Args:
        text: The expression, quoted for people.
        tree: The expression, as DuckDB parses it.
        longest: The characters of the longest value of each column that it names, by the name in lower case.

    Raises:
        DeclarationError: Such an expression.
    """
    most = MOST_CHARACTERS_MADE + 4 * sum(longest.values())
    sizes = _Sizes(text, longest)
    for node in nodes(tree):
        if node["class"] == "FUNCTION" and (size := sizes.of(node)) > most:
            raise DeclarationError(
                f"{text} can make values of {size:,} characters by {node['function_name']!r}, more than {most:,}",
                way_out="make them shorter, or correct cells in a file instead: readiness quarantine export",
            )


class _Sizes:
    """An upper bound of the characters of each part's value."""

    def __init__(self, text: str, longest: Mapping[str, int]) -> None:
        self._text = text
        self._longest = longest
        self._known: dict[int, int] = {}

    def of(self, node: Any) -> int:
        """The bound of one part, or the sum of several."""
        if isinstance(node, list):
            return sum(map(self.of, node))
        if not isinstance(node, dict):
            return 0
        if id(node) not in self._known:
            self._known[id(node)] = self._of_part(node)
        return self._known[id(node)]

    def _of_part(self, node: Mapping[str, Any]) -> int:
        match node.get("class"):
            case "COLUMN_REF":
                return self._longest.get(str(node["column_names"][0]).lower(), 0)
            case "CONSTANT":
                return len(_constant(node) or "") + 1
            case "FUNCTION":
                return self._of_call(
                    str(node["function_name"]).lower(), [one["expression"] for one in node["arguments"]]
                )
            case _:
                return sum(map(self.of, node.values()))

    def _of_call(self, name: str, given: list[Any]) -> int:
        total = sum(map(self.of, given))
        match name, given:
            case "lpad" | "rpad", [_, length, *_]:
                return self._number(length, name)
            case "replace", [value, _, by, *_]:
                return self.of(value) * max(1, self.of(by))
            case "regexp_replace", [value, _, by, *_]:
                return (self.of(value) + 1) * (self.of(by) + 1)
            case "format" | "printf", [layout, *_]:
                return total + self._widths(layout, name)
            case "strftime", _:
                return total * _TIME_CHARACTERS
            case "concat_ws", [separator, *_]:
                return total + self.of(separator) * len(given)
            case "levenshtein", [left, right]:
                if (pairs := self.of(left) * self.of(right)) > MOST_PAIRS:
                    raise DeclarationError(
                        f"{self._text} compares {pairs:,} pairs of characters by {name!r}, more than {MOST_PAIRS:,}",
                        way_out="compare the first characters: left(column, 100)",
                    )
                return total
            case _:
                return total

    def _number(self, node: Any, name: str) -> int:
        text = _constant(node)
        if text is None or not re.fullmatch(r"-?[0-9_]+", text):
            raise DeclarationError(
                f"{self._text} gives {name!r} a length that is not a plain number",
                way_out=f"write the length as a number: {name}(column, 8, '0')",
            )
        return max(0, int(text[:20].replace("_", "")))

    def _widths(self, node: Any, name: str) -> int:
        text = _constant(node)
        if text is None or "*" in text or re.search(r"{[^}]*{", text.replace("{{", "")):
            raise DeclarationError(
                f"{self._text} gives {name!r} a format that depends on the row",
                way_out="write the format as one text, with its widths in it",
            )
        return sum(int(digits[:20]) for digits in re.findall(r"\d+", text))


def _constant(node: Any) -> str | None:
    """The text of a constant; ``None`` for anything else."""
    if not isinstance(node, dict) or node.get("class") != "CONSTANT":
        return None
    literal = node.get("literal")
    return str(literal.get("text", "")) if isinstance(literal, dict) else None
