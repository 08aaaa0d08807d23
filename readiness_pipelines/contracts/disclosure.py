"""Rules about what a batch gives away of persons together: how many share the same harmless values."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from readiness_pipelines.contracts.texts import SomeTexts
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.frozen import checked

_CONFIG = ConfigDict(extra="forbid")


@checked
@dataclass(frozen=True, config=_CONFIG)
class KAnonymity:
    """Each combination of values of some columns is shared by at least `k` rows, or persons, of what is published.

    It is counted over the rows that the batch would publish, as it would publish them: after cleansing, protection and
    quarantine. No value counts as a value. By default the batch is held; ``routes={"…_k_anonymity": Route.WARN}``
    publishes it with a finding, and a tolerance of the rule allows a share of the rows.

    Attributes:
        k: How many rows or persons at least share a combination.
        quasi: The columns that together may tell who somebody is: age, sex, postal code.
        persons: The column that tells persons apart, where several rows are about one: then persons are counted.

    Example:
        rules = [KAnonymity(5, ["age", "sex", "zip"], persons="patient")]
    """

    k: Annotated[int, Field(ge=2)]
    quasi: SomeTexts
    persons: str | None = None

    def __post_init__(self) -> None:
        """Refuse a person among the quasi-identifiers: each would be alone."""
        if self.persons in self.quasi:
            raise DeclarationError(
                f"KAnonymity counts persons by {self.persons}, and groups by it, too",
                way_out="leave it out of quasi",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it looks at."""
        return (*self.quasi, *((self.persons,) if self.persons else ()))


@checked
@dataclass(frozen=True, config=_CONFIG)
class LDiversity:
    """Rows that share the values of some columns have at least `l` different values of a sensitive one.

    Who is known to be in a group of which all have the same diagnosis is known to have it, however large the group is.
    It is counted as `KAnonymity` is. Missing sensitive values are no values; a group without any gives nothing away.

    Attributes:
        l: How many different values at least.
        quasi: The columns that together may tell who somebody is.
        sensitive: The column whose values nobody may be tied to.

    Example:
        rules = [LDiversity(2, ["age", "sex", "zip"], sensitive="diagnosis")]
    """

    l: Annotated[int, Field(ge=2)]  # noqa: E741  # as the literature calls it
    quasi: SomeTexts
    sensitive: str

    def __post_init__(self) -> None:
        """Refuse a sensitive column among the quasi-identifiers: each group would have one value of it."""
        if self.sensitive in self.quasi:
            raise DeclarationError(
                f"LDiversity is about {self.sensitive}, and groups by it, too", way_out="leave it out of quasi"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it looks at."""
        return (*self.quasi, self.sensitive)


Disclosure = KAnonymity | LDiversity
