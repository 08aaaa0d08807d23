"""What is proposed for a column, and what that rests on; never a value."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from readiness_pipelines.contracts.classification import Classified


class Certainty(StrEnum):
    """``SURE``: values, or name and values together, say so. ``LIKELY``: the name, or some of the values."""

    SURE = "sure"
    LIKELY = "likely"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a proposal rests on.

    Attributes:
        hint: The part of the column's name that says so; "" where it says nothing.
        checked: What was checked of the values; "" where nothing was.
        matched: Values that passed.
        sampled: Values that were looked at.
    """

    hint: str = ""
    checked: str = ""
    matched: int = 0
    sampled: int = 0

    @property
    def share(self) -> float | None:
        """The share of the values that passed; ``None`` where there were none."""
        return self.matched / self.sampled if self.sampled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A class that a column should perhaps have.

    Attributes:
        column: The column.
        path: Where in it the values are; the column's name for the column itself.
        what: What they look like, in the plural: "e-mail addresses".
        classified: The class.
        certainty: How sure that is.
        evidence: What it rests on.
    """

    column: str
    path: str
    what: str
    classified: Classified
    certainty: Certainty
    evidence: Evidence

    @property
    def because(self) -> str:
        """The evidence, for people: "99 % of 1,000 sampled values pass, by their syntax; its name says email"."""
        parts = []
        if self.evidence.sampled and self.evidence.checked:
            share = f"{_percent(self.evidence.matched, self.evidence.sampled)} of {self.evidence.sampled:,} sampled"
            parts.append(f"{share}, by {self.evidence.checked}")
        elif not self.evidence.sampled:
            parts.append("no values in the sample")
        if self.evidence.hint:
            parts.append(f"by {self.evidence.hint!r} in its name")
        return "; ".join(parts)

    def __str__(self) -> str:
        looks = "looks like" if self.certainty is Certainty.SURE else "may be"
        return f"column {self.path} {looks} {self.what} ({self.because})"

    def to_json(self) -> dict[str, Any]:
        """The proposal, for programs."""
        return {
            "column": self.column,
            "path": self.path,
            "what": self.what,
            "class": str(self.classified),
            "certainty": self.certainty.value,
            "hint": self.evidence.hint,
            "checked": self.evidence.checked,
            "matched": self.evidence.matched,
            "sampled": self.evidence.sampled,
        }


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return f"{share:.0f} %" if part in (0, whole) or 1 <= share <= 99 else f"{share:.1f} %"  # noqa: PLR2004  # percent
