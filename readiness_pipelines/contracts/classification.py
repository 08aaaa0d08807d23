"""What a column's values are to persons, and what is done about it: classes, declared column by column.

In a field's metadata, beside what cleanses it, or on the table::

    patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="patients"), subject=True))

    encounters = readmissions.gated("encounters", …, classified={"age": "phi.quasi", "note": "phi.free_text"})
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from readiness_pipelines.contracts.protections import Protection, Withhold, describe_protection
from readiness_pipelines.errors import DeclarationError, UnknownNameError

PROTECT_KEY = "readiness.protect"
"""Key of the class in a field's metadata."""


class Classification(StrEnum):
    """How carefully values must be handled, from least to most."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    PII = "pii"
    PHI = "phi"

    @property
    def rank(self) -> int:
        """Its place in the order, from 0."""
        return list(Classification).index(self)

    @property
    def shown(self) -> bool:
        """Whether values may be shown and stored outside the lakehouse: those of public and internal columns."""
        return self in (Classification.PUBLIC, Classification.INTERNAL)

    @property
    def personal(self) -> bool:
        """Whether values are about persons."""
        return self in (Classification.PII, Classification.PHI)


class PersonalKind(StrEnum):
    """What a personal value does: names a person in one system or to everybody, narrows them down, or may say anything.

    ``ID``: a number of a person in a system (patient number, account). ``DIRECT``: names or reaches a person (name,
    e-mail, phone). ``QUASI``: narrows persons down together with others (age, ZIP code, sex). ``FREE_TEXT``: a text
    that may say anything; it is withheld where nothing else is declared.
    """

    ID = "id"
    DIRECT = "direct"
    QUASI = "quasi"
    FREE_TEXT = "free_text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """The class of a column.

    Attributes:
        level: How carefully its values must be handled.
        kind: What a personal value does; ``None`` where it was not said.
        protection: What is done to the values before they are published; ``None`` publishes them as they are.
        subject: Whether the column names the person whom a row is about: erasure goes by it.
        reviewed: Who found, and why, that the class is lower than that of what the column is made of; "" where nobody
            did.
        inherited: Whether nobody declared it, and it is taken from the source or from the inputs.
    """

    level: Classification
    kind: PersonalKind | None = None
    protection: Protection | None = None
    subject: bool = False
    reviewed: str = ""
    inherited: bool = False

    def __str__(self) -> str:
        return f"{self.level}.{self.kind}" if self.kind else str(self.level)

    def describe(self) -> str:
        """The class with its protection, for people."""
        parts = [str(self)]
        parts += [describe_protection(self.protection)] if self.protection else []
        parts += ["the subject"] if self.subject else []
        return ", ".join(parts)


def classified(
    as_: "str | Classification | Classified",
    protection: Protection | None = None,
    *,
    subject: bool = False,
    reviewed: str = "",
) -> Classified:
    """The class of a column, for ``classified={…}`` of a table.

    Args:
        as_: ``"pii"``, ``"pii.id"``, ``"phi.free_text"``, ``"internal"``, …: a level, and what personal values do.
        protection: What is done to the values before they are published. Free text is withheld by default.
        subject: Whether the column names the person whom a row is about.
        reviewed: For a derived column of a lower class than its inputs': who reviewed that, and why it holds.

    Raises:
        UnknownNameError: No such level or kind.
        DeclarationError: A kind of values that are not personal, or a subject that is not.

    Example:
        classes = {"email": classified("pii.direct", Pseudonym(key="customers"), subject=True)}
    """
    if isinstance(as_, Classified):
        return as_
    if not isinstance(as_, str):
        raise DeclarationError(f"{as_!r} is not a class", way_out='give "pii.id", "phi.quasi", "internal", …')
    level, _, kind = str(as_).partition(".")
    if level not in list(Classification):
        raise UnknownNameError("class", level, [one.value for one in Classification])
    if kind and kind not in list(PersonalKind):
        raise UnknownNameError("kind of personal values", kind, [one.value for one in PersonalKind])
    found = Classification(level)
    if (kind or subject) and not found.personal:
        said = f"of the kind {kind}" if kind else "the subject"
        raise DeclarationError(f"a column that is {level} cannot be {said}", way_out='classify it "pii…" or "phi…"')
    if protection is None and kind == PersonalKind.FREE_TEXT and not reviewed:
        protection = Withhold()
    if protection is not None and not isinstance(protection, Protection):
        raise DeclarationError(f"{protection!r} is not a protection", way_out="give Pseudonym(key=…), Withhold(), …")
    return Classified(
        level=found,
        kind=PersonalKind(kind) if kind else None,
        protection=protection,
        subject=subject,
        reviewed=reviewed,
    )


def protect(
    as_: str | Classification, protection: Protection | None = None, *, subject: bool = False, reviewed: str = ""
) -> dict[str, Any]:
    """Metadata of a Pandera field that says what its values are to persons, and how they are protected.

    With cleansing: ``metadata=protect("pii.direct", Withhold()) | cleanse(Trim())``.

    Args:
        as_: A level, and what personal values do, as for `classified`.
        protection: What is done to the values before they are published. Free text is withheld by default.
        subject: Whether the column names the person whom a row is about.
        reviewed: For a derived column of a lower class than its inputs': who reviewed that, and why it holds.

    Raises:
        UnknownNameError: No such level or kind.
        DeclarationError: A kind of values that are not personal, or a subject that is not.

    Example:
        patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="patients"), subject=True))
    """
    return {PROTECT_KEY: classified(as_, protection, subject=subject, reviewed=reviewed)}


def declared_classes(what: str, given: Mapping[str, Any] | None) -> Mapping[str, Classified]:
    """The classes that a table declares for its columns, by column.

    Args:
        what: The table, for errors.
        given: As it was written; nothing where it was not.

    Raises:
        DeclarationError: Something else than a mapping of columns to classes.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise DeclarationError(f"classified of {what} is not a mapping", way_out='give {"email": "pii.direct"}')
    return {str(column): classified(value) for column, value in given.items()}


def strongest(classes: Iterable[Classified]) -> Classified | None:
    """The class that must be handled most carefully; the first of equals, ``None`` of none."""
    return max(classes, key=lambda one: (one.level.rank, one.kind is not None), default=None)
