"""JSON as every reader takes it."""

import json
from math import isfinite
from typing import Any


def json_text(value: Any, *, indent: int | None = 2, ensure_ascii: bool = True) -> str:
    """A value as JSON; what JSON has no word for is text.

    Args:
        value: The value. Numbers that are not finite are written as ``"inf"``, ``"-inf"`` and ``"nan"``: Python would
            write ``Infinity``, and other programs refuse the whole text. Times, paths and the like are text as well.
        indent: So many blanks for each level; ``None`` for a line.
        ensure_ascii: Whether other characters than ASCII are escaped.
    """
    return json.dumps(_finite(value), indent=indent, ensure_ascii=ensure_ascii, default=str)


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if isfinite(value) else str(value)
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case _:
            return value
