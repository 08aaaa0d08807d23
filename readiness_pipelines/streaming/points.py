"""The points of the protocol between which a process may be killed."""

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """What has been done of a slice."""

    TAKEN = "taken"
    STAGED = "staged"
    LANDED = "landed"
    JUDGED = "judged"
    QUARANTINED = "quarantined"
    PUBLISHED = "published"
    ACKNOWLEDGED = "acknowledged"


Step = Callable[[Point], None]
