"""Placeholder."""


class SlotMessages:
    """Placeholder."""
