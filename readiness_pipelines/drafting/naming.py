"""Names: what arrives under any name, as names of columns, fields, tables and classes that Python can write."""

import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from readiness_pipelines.columns import RESERVED_COLUMNS

MOST_TABLE_NAME = 40
MANY = 20
"""So many columns that are called alike, but for a number, are declared by a pattern."""

_NUMBERED = re.compile(r"([^\d_][^\d]*|)\d+")

PAGE_NAMES = frozenset({
    "Categories", "Classification", "DailyBatches", "Dates", "Domain", "FileDrop", "Freshness", "HourlyBatches",
    "MonthlyBatches", "NullTokens", "Numbers", "Source", "SqlQuery", "StaticBatches", "Steward", "Tolerance", "Trim",
    "Versions", "arrow", "cleanse", "domain", "pa",
})  # fmt: skip
"""What a drafted page calls something already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnName:
    """The names of one column.

    Attributes:
        arrived: As the reader finds it, without blanks around it and with accents composed.
        name: As it is published.
        field: The attribute of the Pandera model: another one than `name` where Python, or Pandera, has that word.
        family: What its name begins with, where many columns are called so and a number; "" for others.
    """

    arrived: str
    name: str
    field: str
    family: str = ""


def column_names(arrived: Sequence[str]) -> tuple[ColumnName, ...]:
    """Names for columns: those that arrived where they can be written as they are, others spelled so.

    Names that differ in letter case only get a number: queries do not tell them apart.
    """
    taken: set[str] = set()
    found = []
    shown_names = [unicodedata.normalize("NFC", given).strip() for given in arrived]
    families = Counter(match[1] for shown in shown_names if (match := _NUMBERED.fullmatch(shown)))
    for place, shown in enumerate(shown_names, start=1):
        match = _NUMBERED.fullmatch(shown)
        if match and families[match[1]] >= MANY and shown.casefold() not in taken:
            # They keep their names: nobody writes hundreds of new ones.
            taken.add(shown.casefold())
            found.append(ColumnName(arrived=shown, name=shown, field=_spelled(shown, place), family=match[1] or "#"))
            continue
        name = _free(shown if _can_be_written(shown) else _spelled(shown, place), taken)
        taken.add(name.casefold())
        found.append(ColumnName(arrived=shown, name=name, field=f"{name}_" if name in _taken_words() else name))
    return tuple(found)


def _can_be_written(name: str) -> bool:
    plain = name.isidentifier() and unicodedata.normalize("NFKC", name) == name
    return plain and not name.startswith("_") and name.lower() not in RESERVED_COLUMNS


def _spelled(name: str, place: int) -> str:
    words = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name).lower()).strip("_")
    spelled = re.sub("_{2,}", "_", words)[:60]
    if not spelled:
        return f"column_{place}"
    return spelled if spelled.isidentifier() else f"column_{spelled}"


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free.casefold() in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _taken_words() -> frozenset[str]:
    """What a field of a model cannot be called: Python's words, Pandera's methods, and what the page imports."""
    import pandera.pyarrow as pa  # noqa: PLC0415  # a command that drafts nothing does not load it

    return frozenset({*keyword.kwlist, *dir(pa.DataFrameModel), *PAGE_NAMES})


def table_name(stems: Sequence[str], taken: Iterable[str]) -> str:
    """A table's name, from the names of its files without their dates.

    Args:
        stems: The names, without what tells them apart.
        taken: Names that other tables, and the page itself, have.
    """
    plain = unicodedata.normalize("NFKD", stems[0].lower()).encode("ascii", "ignore").decode()
    words = re.sub("_+", "_", re.sub(r"[^a-z0-9]+", "_", plain)).strip("_")[:MOST_TABLE_NAME].strip("_")
    if not words or not words[0].isalpha():
        words = f"table_{words}".rstrip("_")
    if keyword.iskeyword(words) or words in PAGE_NAMES:
        words = f"{words}_table"
    return _free(words, {one.casefold() for one in taken})


def class_name(table: str, taken: Iterable[str]) -> str:
    """The name of a table's model: ``order_lines`` becomes ``OrderLine``."""
    words = [word for word in table.split("_") if word]
    last = words[-1]
    if last.endswith("ies") and len(last) > len("ties"):
        last = f"{last[:-3]}y"
    elif last.endswith("s") and not last.endswith(("ss", "us", "is")) and len(last) > len("abs"):
        last = last[:-1]
    name = "".join(word.capitalize() for word in (*words[:-1], last))
    return f"{name}Row" if name in taken else name
