"""Cleansing steps over one text, exactly as the query does them; what letters of other alphabets become, it says."""

from collections.abc import Callable, Sequence
from typing import Any

from readiness_pipelines.contracts.cleansing import (
    Case,
    Categories,
    ColumnStep,
    FillMissing,
    FlagMissing,
    NullTokens,
    RejectMissing,
    Trim,
    ZeroPad,
)
from readiness_pipelines.gates.record.text_times import ASK

Cleanse = Callable[[str], Any]
"""From a text to the cleansed one, to ``None`` for no value, or to `ASK`."""

_BLANKS = "\t\n\f\r "
"""What RE2 takes for blank."""


def cleanser(steps: Sequence[ColumnStep]) -> Cleanse | None:
    """All steps of a column, one after the other; ``None`` where the query has to do them."""
    done: list[Cleanse] = []
    for step in steps:
        match step:
            case FlagMissing() | FillMissing() | RejectMissing():
                continue
            case Trim():
                done.append(lambda text: text.strip(_BLANKS))
            case NullTokens(tokens=tokens):
                done.append(_without(frozenset(tokens)))
            case Categories(mapping=mapping):
                done.append(_categories(dict(mapping)))
            case ZeroPad(width=width):
                done.append(_padded(width))
            case Case(to=to):
                done.append(_cased(str.lower if to == "lower" else str.upper))
            case _:
                return None
    return _chained(done)


def _chained(steps: Sequence[Cleanse]) -> Cleanse:
    def cleanse(text: Any) -> Any:
        for step in steps:
            if text is None or text is ASK:
                return text
            text = step(text)
        return text

    return cleanse


def _without(tokens: frozenset[str]) -> Cleanse:
    return lambda text: None if text in tokens else text


def _categories(mapping: dict[str, Any]) -> Cleanse:
    return lambda text: mapping.get(text, text)


def _padded(width: int) -> Cleanse:
    return lambda text: (text.rjust(width, "0") if text else text) if text.isascii() else ASK


def _cased(change: Callable[[str], str]) -> Cleanse:
    return lambda text: change(text) if text.isascii() else ASK
