"""Names that end up as table names, asset keys and check names."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""Lower-case letters, digits and underscores, starting with a letter: safe in SQL, paths and Dagster alike."""


def _one_or_many(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


# A text is a sequence of texts to a type checker, which lets it be written alone; what is kept is a tuple.
Texts = Annotated[Sequence[str], BeforeValidator(_one_or_many)]
"""Texts, written as one or as several; kept as a tuple."""

SomeTexts = Annotated[Texts, Field(min_length=1)]
"""At least one text."""

RESERVED_COLUMNS = frozenset(
    {
        "_batch",
        "_row",
        "_file",
        "_unreadable",
        "_unreadable_reason",
        "_errors",
        "_discarded",
        "_gate_version",
        "_quarantined_at",
    }
)
"""Columns the framework adds; a source or schema that declares one is refused."""
