"""What is done to a classified column's values before they are published.

A protection stands beside the class of its column::

    patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="patients"), subject=True))

Rules judge the values as they arrived; what passes is published protected, in the column's own type. Null stays null.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.frozen import checked

KeyName = Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
"""Name of a key, as ``[settings.keys]`` has it; never the key itself."""

WITHHELD = "[withheld]"
"""What stands in place of a text that is withheld."""

_CONFIG = ConfigDict(extra="forbid")


@checked
@dataclass(frozen=True, config=_CONFIG)
class Pseudonym:
    """Replace a value by a keyed hash of it: HMAC-SHA256 (RFC 2104, FIPS 180-4).

    The same value has the same pseudonym wherever the same key is used, and another one elsewhere; without the key, no
    pseudonym can be told from a value. Text becomes the hash's first `length` hexadecimal characters; a whole number of
    64 bits becomes a positive one made of its first 63 bits.

    Attributes:
        key: Name of the key.
        length: Characters of a text's pseudonym; 32 of them are 128 bits.

    Example:
        patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="patients"), subject=True))
    """

    key: KeyName
    length: Annotated[int, Field(ge=16, le=64)] = 32


@checked
@dataclass(frozen=True, config=_CONFIG)
class Token:
    """Replace a text by one from which those who have the key can compute it: AES-SIV (RFC 5297), in base 64.

    Attributes:
        key: Name of the key.
    """

    key: KeyName


@checked
@dataclass(frozen=True, config=_CONFIG)
class FormatPreserving:
    """Replace a text by another of the same length and alphabet: FF1 (NIST SP 800-38G). Needs the extra ``privacy``.

    Characters that are not of the alphabet, the hyphens of a card number say, stay where they are. A value with fewer
    than a million possible others of its length is withheld: it could be guessed.

    Attributes:
        key: Name of the key.
        alphabet: ``"digits"``, ``"letters"`` (small ones) or ``"both"``.
    """

    key: KeyName
    alphabet: Literal["digits", "letters", "both"] = "digits"


@checked
@dataclass(frozen=True, config=_CONFIG)
class KeepFirst:
    """Keep the first characters of a text and put ``*`` for the rest; a text that is not longer becomes ``*``.

    Attributes:
        count: How many characters are kept.
    """

    count: Annotated[int, Field(ge=1)]


@checked
@dataclass(frozen=True, config=_CONFIG)
class KeepLast:
    """Keep the last characters of a text and put ``*`` for the rest; a text that is not longer becomes ``*``.

    Attributes:
        count: How many characters are kept.
    """

    count: Annotated[int, Field(ge=1)]


@checked
@dataclass(frozen=True, config=_CONFIG)
class YearOnly:
    """Publish the first day of a date's year in place of the date."""


@checked
@dataclass(frozen=True, config=_CONFIG)
class Bucket:
    """Publish the lower bound of the interval that a number lies in.

    Attributes:
        width: Width of the intervals, which begin at 0.
        at_most: Numbers above it are published as it is ("90 and older"); ``None`` for no bound.
    """

    width: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    at_most: Annotated[float, Field(allow_inf_nan=False)] | None = None


@checked
@dataclass(frozen=True, config=_CONFIG)
class SetNull:
    """Publish null in place of every value."""


@checked
@dataclass(frozen=True, config=_CONFIG)
class Withhold:
    """Publish ``[withheld]`` in place of every text: that there was one is known, and nothing else of it."""


Protection = Pseudonym | Token | FormatPreserving | KeepFirst | KeepLast | YearOnly | Bucket | SetNull | Withhold
"""Everything that can be done to a column."""


def key_of(protection: Protection) -> str | None:
    """Name of the key that a protection needs; ``None`` where it needs none."""
    return protection.key if isinstance(protection, Pseudonym | Token | FormatPreserving) else None


def describe_protection(protection: Protection) -> str:
    """A protection in a few words, for people."""
    match protection:
        case Pseudonym(key=key):
            return f"pseudonym (key {key})"
        case Token(key=key):
            return f"reversible token (key {key})"
        case FormatPreserving(key=key):
            return f"format-preserving token (key {key})"
        case KeepFirst(count=count):
            return f"first {count} characters"
        case KeepLast(count=count):
            return f"last {count} characters"
        case YearOnly():
            return "year only"
        case Bucket(width=width, at_most=at_most):
            return f"in steps of {width:.15g}" + ("" if at_most is None else f", at most {at_most:.15g}")
        case SetNull():
            return "null"
        case Withhold():
            return "withheld"
    raise DeclarationError(f"{protection!r} is not a protection", way_out="give Pseudonym(key=…), Withhold(), …")
