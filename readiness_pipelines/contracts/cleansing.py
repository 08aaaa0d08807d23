"""Cleansing, declared on the schema: named steps that repair what is known to arrive unclean.

Steps stand in the metadata of a Pandera field, or of the model for what concerns whole rows::

    diag_1: arrow.string() = pa.Field(metadata=cleanse(Trim(), ZeroPad(3)))

    class Config:
        metadata = cleanse(Deduplicate("order_id", order_by="updated_at"))

They run before the rules and in the same query; raw keeps what arrived.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from readiness_pipelines.contracts.texts import SomeTexts, Texts
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.frozen import checked

CLEANSING_KEY = "readiness.cleanse"
"""Key of the steps in a field's metadata."""

_CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


@checked
@dataclass(frozen=True, config=_CONFIG)
class Trim:
    """Cut white space off both ends of a text."""


@checked
@dataclass(frozen=True, config=_CONFIG)
class Case:
    """Write a text in lower or upper case.

    Attributes:
        to: The case.
    """

    to: Literal["lower", "upper"]


@checked
@dataclass(frozen=True, config=_CONFIG)
class NullTokens:
    """Read some texts as "no value" (``?``, ``N/A``).

    Attributes:
        tokens: The texts, in full.
    """

    tokens: SomeTexts


@checked
@dataclass(frozen=True, config=_CONFIG)
class Dates:
    """Read a text in one of several formats and write it in one.

    A text in none of the formats is left as it is, for the column's rules to judge.

    Attributes:
        formats: Accepted formats in order of preference, in the notation of ``strftime``.
        canonical: The format to write; with the time of day where a format reads one and the column is not of dates.

    Example:
        paid_on: arrow.date32() = pa.Field(metadata=cleanse(Dates(["%d.%m.%Y", "%Y-%m-%d"])))
    """

    formats: SomeTexts
    canonical: str = "%Y-%m-%d"


@checked
@dataclass(frozen=True, config=_CONFIG)
class Numbers:
    """Read a number written for people: ``"1.234,50 €"`` becomes ``"1234.50"``.

    A text that is not such a number is left as it is, for the column's rules to judge.

    Attributes:
        decimal: The decimal separator.
        thousands: What separates groups of three digits; empty for nothing.
        currencies: Signs or codes that may stand before or after.

    Example:
        amount: arrow.float64() = pa.Field(metadata=cleanse(Numbers(decimal=",", thousands=".", currencies="€")))
    """

    decimal: Annotated[str, Field(min_length=1, max_length=1)] = "."
    thousands: Annotated[str, Field(max_length=1)] = ""
    currencies: Texts = ()

    def __post_init__(self) -> None:
        """Refuse one separator for two purposes."""
        if self.decimal == self.thousands:
            raise DeclarationError(
                f"Numbers uses {self.decimal!r} for decimals and for thousands", way_out="give thousands another sign"
            )


@checked
@dataclass(frozen=True, config=_CONFIG)
class ZeroPad:
    """Give a shorter text its leading zeros back: with width 3, ``"8"`` becomes ``"008"``.

    Attributes:
        width: How many characters it has at least.
    """

    width: Annotated[int, Field(ge=1)]


@checked
@dataclass(frozen=True, config=_CONFIG)
class RemovePrefix:
    """Cut a text off the beginning, once, where it is there: with ``"shop_"``, ``"shop_bakery"`` becomes ``"bakery"``.

    Attributes:
        prefix: The text, in full; capitals count.
    """

    prefix: Annotated[str, Field(min_length=1)]


@checked
@dataclass(frozen=True, config=_CONFIG)
class Categories:
    """Replace a text by another: ``{"m": "male"}``; texts that are not named stay.

    Attributes:
        mapping: New texts by old ones; ``None`` means "no value".

    Example:
        gender: arrow.string() = pa.Field(nullable=True, metadata=cleanse(Categories({"m": "male", "x": None})))
    """

    mapping: Annotated[Mapping[str, str | None], Field(min_length=1)]


@checked
@dataclass(frozen=True, config=_CONFIG)
class FlagMissing:
    """Publish a boolean column beside this one that is true where it has no value.

    Attributes:
        column: Name of the new column; neither the schema nor the source may have it.
    """

    column: Annotated[str, Field(min_length=1)]


@checked
@dataclass(frozen=True, config=_CONFIG)
class FillMissing:
    """Give a value where there is none.

    Attributes:
        value: The value; the column's own type must hold it.
    """

    value: str | int | float | bool


@checked
@dataclass(frozen=True, config=_CONFIG)
class RejectMissing:
    """Break the column's ``not_nullable`` rule where there is no value, though the schema lets it be null."""


ColumnStep = (
    Trim
    | Case
    | NullTokens
    | Dates
    | Numbers
    | ZeroPad
    | RemovePrefix
    | Categories
    | FlagMissing
    | FillMissing
    | RejectMissing
)
"""A step over one column."""


@checked
@dataclass(frozen=True, config=_CONFIG)
class Deduplicate:
    """Keep one row for each key; the others are discarded, and counted.

    Rows in which a key column has no value, or one that does not convert, are all kept.

    Attributes:
        by: The key's columns.
        keep: ``last`` or ``first`` in the order of `order_by`, and where that is equal, of arrival.
        order_by: Columns that say which row is later; none for the order of arrival.
    """

    by: SomeTexts
    keep: Literal["first", "last"] = "last"
    order_by: Texts = ()


Step = ColumnStep | Deduplicate


def cleanse(*steps: Step) -> dict[str, Any]:
    """Metadata for a Pandera field (column steps, in the order they run) or model (`Deduplicate`).

    Args:
        steps: The steps.

    Raises:
        DeclarationError: Something else than a step.

    Example:
        class Stay(pa.DataFrameModel):
            stay_id: arrow.int64() = pa.Field(unique=True)
            diagnosis: arrow.string() = pa.Field(metadata=cleanse(Trim(), ZeroPad(3)))

            class Config:
                metadata = cleanse(Deduplicate("stay_id"))
    """
    for step in steps:
        if not isinstance(step, Step):
            raise DeclarationError(f"{step!r} is not a cleansing step", way_out="give Trim(), NullTokens('?'), …")
    return {CLEANSING_KEY: steps}
