"""Values as people write them."""

from typing import TypeGuard

_SHARES = frozenset({"ratio", "share", "rate"})
_PERCENT = frozenset({"percent", "%"})
_LARGE = 1_000
"""Whole numbers from here on are shown without decimals."""
_COUNTS = frozenset({"count", "rows", ""})
_LARGEST_DRAWN = 1e300


def format_value(value: float | None, unit: str) -> str:
    """A value with its unit: ``11.4 %`` for the ratio 0.1143, ``1,234.50 EUR``, ``1,234``; ``–`` where there is none.

    Args:
        value: The value.
        unit: ``ratio`` (or ``share``, ``rate``) and ``percent`` are shown in percent, ``count`` as a whole number;
            anything else stands behind the number.
    """
    if value is None:
        return "–"
    if unit in _SHARES or unit in _PERCENT:
        percent = value * 100 if unit in _SHARES else value
        return f"{percent:,.1f} %" if abs(percent) >= 1 or percent == 0 else f"{percent:,.2g} %"
    if unit in _COUNTS:
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    number = f"{value:,.0f}" if float(value).is_integer() and abs(value) >= _LARGE else f"{value:,.2f}"
    return f"{number} {unit}"


def is_drawable(value: float | None) -> TypeGuard[float]:
    """Whether a chart has a place for a value: it is a number, and so is its distance to every other such value."""
    return value is not None and abs(value) <= _LARGEST_DRAWN
