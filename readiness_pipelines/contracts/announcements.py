"""Changes that break somebody, said in advance: what changes, since when that is known, and from when on it holds."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from readiness_pipelines.frozen import Frozen
from readiness_pipelines.names import TableId


class Announcement(Frozen):
    """A change of a table that its consumers know of before it comes. Declared by `Domain.announce`.

    Attributes:
        table: The table.
        what: What changes, as ``readiness contract check`` calls it: ``"column email"``.
        announced: The day on which it was announced: that on which the announcement was merged.
        effective: The first day on which the change may be there.
        why: What consumers need to know: the reason, and what to read instead.
    """

    table: TableId
    what: str = Field(min_length=1)
    announced: date
    effective: date
    why: str = Field(min_length=1)

    @model_validator(mode="after")
    def _in_advance(self) -> Self:
        if self.effective < self.announced:
            raise ValueError(f"effective ({self.effective}) comes before announced ({self.announced})")
        return self
