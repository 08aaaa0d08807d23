"""A share of all batches: the whole is proved night by night, a part each."""

from dataclasses import dataclass
from datetime import date
from zlib import crc32

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.errors import DeclarationError

NIGHTS = 30
"""In so many nights every batch is proved once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One of several parts of all batches, by their names: the same batch is always in the same part.

    Attributes:
        part: Which part, from 1.
        parts: How many there are.
    """

    part: int = 1
    parts: int = 1

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Read ``3/30``.

        Raises:
            DeclarationError: Something else.
        """
        part, _, parts = text.partition("/")
        if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
            raise DeclarationError(f"{text!r} is not a share of the batches", way_out="write 3/30: the third of thirty")
        return cls(part=int(part), parts=int(parts))

    @classmethod
    def of_night(cls, day: date) -> "Share":
        """The part of a night, of `NIGHTS`."""
        return cls(part=day.toordinal() % NIGHTS + 1, parts=NIGHTS)

    def __contains__(self, ref: BatchRef) -> bool:
        """Whether a batch of a table is in this part."""
        return crc32(str(ref).encode()) % self.parts == self.part - 1


ALL = Share()
"""All batches."""
