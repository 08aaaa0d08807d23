"""Expressions that people write about rows: which columns they name stays, the values that they name are redacted."""

import re

from readiness_pipelines.masking.classes import UNKNOWN, Classes
from readiness_pipelines.masking.messages import handled_classes
from readiness_pipelines.masking.values import describe

_TOKEN = re.compile(
    r"""
    (?P<text>[eExXbB]?'(?:[^']|'')*(?:'|$))
    | (?P<dollar>\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$))
    | (?P<quoted>"(?:[^"]|"")*(?:"|$))
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|$))
    | (?P<number>(?<![\w])(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)

_LANGUAGE = (
    "AND OR NOT IN IS NULL LIKE ILIKE SIMILAR TO BETWEEN CASE WHEN THEN ELSE END TRUE FALSE CAST TRY_CAST AS ESCAPE "
    "DISTINCT FROM DATE TIMESTAMP INTERVAL VARCHAR DOUBLE BIGINT INTEGER BOOLEAN DECIMAL"
)
_WORDS = frozenset(_LANGUAGE.split())
"""Words of the language. A column that is called like one has to be quoted, or is taken for what it inherits."""


def redact_expression(text: str, classes: Classes, *, target: str | None = None) -> str:
    """An expression as it may be stored and shown outside the lakehouse.

    Args:
        text: A DuckDB expression or condition that was found to be one over the rows' columns.
        classes: What the columns are to persons.
        target: The column that is set by it.

    Returns:
        The text itself where all columns that it is about may be shown; else without its texts and numbers.
    """
    named = {name for name in (target, *(_column(found, text) for found in _TOKEN.finditer(text))) if name}
    if classes.plain or (named and all(classes.of(name).level.shown for name in named)):
        return text
    return _TOKEN.sub(_redacted, text)


def quoted_expression(text: str) -> str:
    """An expression in a message of our own: as it may be stored where rows of the table in hand are handled."""
    return redact_expression(text, handled_classes() or UNKNOWN)


def _column(found: re.Match[str], text: str) -> str | None:
    """What may be a column's name: not a word of the language, and not what is called like a function."""
    if found["quoted"]:
        return found["quoted"][1:-1].replace('""', '"')
    word = found["word"]
    is_called = text[found.end() :].lstrip().startswith("(")
    return None if word is None or is_called or word.upper() in _WORDS else word


def _redacted(found: re.Match[str]) -> str:
    if found["word"] or found["quoted"]:
        return found[0]
    if found["text"]:
        return f"«{describe(found['text'].strip(chr(39)).replace(chr(39) * 2, chr(39)))}»"
    return "«number»" if found["number"] else "«…»"
