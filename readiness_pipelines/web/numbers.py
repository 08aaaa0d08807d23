"""Numbers that somebody sends: in an address, in a form, in JSON."""

MOST_DIGITS = 15
"""More has no number of ours; of thousands of digits, Python makes no number at all."""


def whole_number(text: str) -> int | None:
    """A number from 0 on, as it is written in digits; ``None`` where it is not one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
