"""What a broken rule does."""

from enum import StrEnum


class Route(StrEnum):
    """What happens where a rule is broken.

    ``WARN`` publishes the rows and counts them; ``QUARANTINE`` keeps the rows back; ``HOLD`` keeps the batch back.
    """

    WARN = "warn"
    QUARANTINE = "quarantine"
    HOLD = "hold"
