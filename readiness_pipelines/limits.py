"""What a file may demand of the machine that reads it: more is refused by name, before memory or time is gone."""

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one file; each has a setting of its name.

    Attributes:
        most_columns: Columns that are read.
        most_record_mb: Size of one line, record or cell, in megabytes.
        most_unpacked_mb: Size of what a packed file unpacks to, in megabytes.
        most_unpacked_ratio: That size over the packed one, for what unpacks to more than `FREE_UNPACKED_MB`.
        most_nesting: Levels of arrays and objects within each other.
    """

    most_columns: int = 2_000
    most_record_mb: float = 16
    most_unpacked_mb: float = 65_536
    most_unpacked_ratio: float = 100
    most_nesting: int = 100

    @property
    def most_record_bytes(self) -> int:
        """The size of one line, record or cell, in bytes."""
        return int(self.most_record_mb * MEGABYTE)

    @property
    def most_names(self) -> int:
        """Columns that a file may name, those among them that are ignored: more are not even listed."""
        return 50 * self.most_columns

    def most_unpacked_bytes(self, packed: int) -> int:
        """What so many packed bytes may unpack to."""
        by_ratio = max(self.most_unpacked_ratio * packed, FREE_UNPACKED_MB * MEGABYTE)
        return int(min(by_ratio, self.most_unpacked_mb * MEGABYTE))


FREE_UNPACKED_MB = 64
"""So much may come of anything: a small file of the same row again and again packs well, and harms nobody."""


def setting_of(limit: str) -> str:
    """The variable that sets a limit."""
    return f"READINESS_{limit.upper()}"
