"""Texts, written as one or as several."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field


def _one_or_many(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


# A text is a sequence of texts to a type checker, which lets it be written alone; what is kept is a tuple.
Texts = Annotated[Sequence[str], BeforeValidator(_one_or_many)]
"""Texts, written as one or as several; kept as a tuple."""

SomeTexts = Annotated[Texts, Field(min_length=1)]
"""At least one text."""
