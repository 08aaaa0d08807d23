"""How evidence is written: counts, values and lists, short enough for one line."""

from collections.abc import Iterable

MOST_VALUE = 30


def shortened(value: str, most: int = MOST_VALUE) -> str:
    """A value as Python writes it, cut where it is long; no character that would end a line."""
    return repr(value if len(value) <= most else f"{value[: most - 1]}…")


def values_shown(values: Iterable[str], most: int = 3) -> str:
    """Some values, the first few of them."""
    found = list(values)
    return ", ".join(map(shortened, found[:most])) + (", …" if len(found) > most else "")


def rows_shown(count: int) -> str:
    """``1 row``, ``2 rows``."""
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
