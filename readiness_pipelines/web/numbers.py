"""Numbers that somebody sends: in an address, in a form, in JSON."""

LARGEST = 2**63 - 1
"""Rows of streams are numbered up to there, and the ledger has no larger number."""
_MOST_DIGITS = len(str(LARGEST))
"""Of thousands of digits, Python makes no number at all."""


def whole_number(text: str) -> int | None:
    """A number from 0 on, as it is written in digits; ``None`` where it is not one, or larger than ours are."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        return None
    number = int(text)
    return number if number <= LARGEST else None
