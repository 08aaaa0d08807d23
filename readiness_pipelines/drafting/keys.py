"""What tells the rows of a sample apart: a column, or the smallest combination of columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa

from readiness_pipelines.detection import words_of
from readiness_pipelines.drafting.columns import ColumnDraft

_KEY_WORDS = {
    "id", "key", "no", "nr", "num", "number", "nummer", "code", "uuid", "guid", "sku", "ref", "isbn", "ean",
    "identifier", "schluessel", "schlüssel", "kennung", "numero", "numéro",
}  # fmt: skip
_OTHER_WORDS = {
    "paid", "unpaid", "prepaid", "valid", "invalid", "void", "bid", "mid", "grid", "humid", "fluid", "liquid", "solid",
    "aid", "raid", "covid", "hybrid", "anno", "piano", "casino", "uno",
}  # fmt: skip
"""Words that end like ``orderid`` and ``invoiceno``, and name no key."""

_NEARLY = 0.995
_MOST_TRIED = 12
_MOST_TOGETHER = 3
_LEAST_ROWS = 2
_ROWS_A_NUMBER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDraft:
    """What is proposed as a key.

    Attributes:
        columns: The columns whose values, together, no two rows share; empty where nothing tells rows apart.
        others: Columns of which that is true as well, but which look less like a key.
    """

    columns: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def draft_key(rows: pa.Table, columns: Sequence[ColumnDraft]) -> KeyDraft:
    """Propose a key. A column that looks like one may have a few repeated values: its rows wait in quarantine.

    Args:
        rows: The sample, its columns by the names that they are published under, and ``_batch``.
        columns: Its columns.
    """
    if rows.num_rows < _LEAST_ROWS:
        return KeyDraft()
    usable = [column for column in columns if not pa.types.is_nested(column.reading.type)]
    distinct = {one.names.name: _distinct(rows, [one.names.name]) for one in usable}
    whole = [one for one in usable if distinct[one.names.name] == rows.num_rows and not one.empty]
    nearly = [
        one
        for one in usable
        if one not in whole
        and _looks_like_key(one, usable)
        and one.empty <= (1 - _NEARLY) * rows.num_rows
        and distinct[one.names.name] >= _NEARLY * rows.num_rows
    ]
    # What has no name is the number that a program gave a line of its output.
    found = sorted(whole, key=lambda one: (_rank(one, usable), not one.names.arrived)) or nearly
    if found and (_rank(found[0], usable) < _NO_KEY or found[0] in nearly):
        others = tuple(one.names.name for one in found[1:] if _rank(one, usable) < _NO_KEY)
        return KeyDraft(columns=(found[0].names.name,), others=others)
    return KeyDraft(columns=_combination(rows, usable, distinct))


_NO_KEY = 3


def _rank(column: ColumnDraft, columns: Sequence[ColumnDraft]) -> int:
    """How much a column looks like a key: the less, the more."""
    if _looks_like_key(column, columns):
        return 0
    kind = column.reading.type
    sentences = column.is_text and any(" " in text for text in (column.texts.counts if column.texts else ()))
    measured = pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if measured or pa.types.is_temporal(kind) or column.is_no_key or sentences:
        return _NO_KEY
    if column is columns[0] and column.names.arrived:
        return 1
    return 2 if column.is_text or _runs_on(column) else _NO_KEY  # amounts that happen to differ are no key


def _runs_on(column: ColumnDraft) -> bool:
    """Whether whole numbers are nearly those from one to another, as rows are numbered."""
    if not pa.types.is_integer(column.reading.type) or column.texts is None:
        return False
    numbers = [int(value) for value in column.texts.converted(column.reading).values() if isinstance(value, int)]
    return bool(numbers) and max(numbers) - min(numbers) < 2 * len(numbers)


def _looks_like_key(column: ColumnDraft, columns: Sequence[ColumnDraft]) -> bool:
    kind = column.reading.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_temporal(kind):
        return False
    words = words_of(column.names.arrived)
    named = bool(words) and (
        words[-1] in _KEY_WORDS
        or words[0] in _KEY_WORDS
        or (words[-1].endswith(("id", "nr", "no")) and words[-1] not in _OTHER_WORDS)
    )
    return named and (column is columns[0] or words[-1] not in ("no", "num"))


def _may_be_part(column: ColumnDraft, columns: Sequence[ColumnDraft], rows: int) -> bool:
    """Whether a column may be part of a key: no measure is, and numbers are one unless they are few or named so."""
    kind = column.reading.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return False
    if not pa.types.is_integer(kind) or _looks_like_key(column, columns):
        return True
    return column.texts is None or len(column.texts.counts) <= rows / _ROWS_A_NUMBER


def _distinct(rows: pa.Table, columns: Sequence[str]) -> int:
    """How many different values there are, together, those of each batch by themselves: a key is one of its batch."""
    names = ["_batch", *columns]
    return int(rows.select(list(names)).group_by(list(names)).aggregate([]).num_rows)


def _combination(rows: pa.Table, columns: Sequence[ColumnDraft], distinct: Mapping[str, int]) -> tuple[str, ...]:
    """The smallest combination of filled columns that tells rows apart: of those with most values.

    A column that tells them apart by itself is in none: with any other one beside it, it would still do so alone.
    """
    filled = [
        one.names.name
        for one in columns
        if not one.empty and distinct[one.names.name] < rows.num_rows and _may_be_part(one, columns, rows.num_rows)
    ]
    tried = sorted(filled, key=lambda name: -distinct[name])[:_MOST_TRIED]
    if not tried or rows.num_rows < _LEAST_ROWS * 5 or _distinct(rows, tried) < rows.num_rows:
        return ()
    order = {name: place for place, name in enumerate(filled)}
    for size in range(2, _MOST_TOGETHER + 1):
        for names in combinations(tried, size):
            product = 1
            for name in names:
                product *= distinct[name]
            if product >= rows.num_rows and _distinct(rows, names) == rows.num_rows:
                return tuple(sorted(names, key=order.__getitem__))
    return ()
