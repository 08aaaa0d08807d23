"""Decisions whose values were erased: that they were made, by whom and why, is still known."""

from collections.abc import Mapping
from datetime import datetime


def last_erased(erased: Mapping[str, datetime]) -> datetime | None:
    """When the last of a decision's values was erased; ``None`` where all are there."""
    return max(erased.values(), default=None)
