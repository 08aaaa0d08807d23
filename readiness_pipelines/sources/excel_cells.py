"""Cells of an Excel sheet, as text the way a person sees them; formulas that were never computed are told apart."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG, WorkSheetParser

from readiness_pipelines.sources.files import SourceFile
from readiness_pipelines.sources.layout import too_many_columns

SheetRow = tuple[list[str | None], Mapping[int, str]]
"""Its cells, and the letters of those columns whose formula has no value, by their place from 0."""

_WHOLE_UP_TO = 1e15
_HOUR = timedelta(hours=1)
_NO_CODE = re.compile(r'"[^"]*"|\[[^\]]*\]|[\\_*].')
"""What in a format is no code: text in quotes, languages and colours, characters that stand for themselves."""


class _Formula(str):
    """A formula of which the workbook has no value."""

    __slots__ = ()


class _Parser(WorkSheetParser):  # type: ignore[misc]  # the library has no types
    """The library's parser; it gives no value for a formula that was never computed, as for an empty cell."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None:
            formula = element.find(FORMULA_TAG)
            # A formula that gives an empty text has an empty value of that type.
            is_text = element.get("t") == "str" and element.find(VALUE_TAG) is not None
            if formula is not None and not is_text:
                cell["value"] = _Formula(f"={formula.text or ''}")
        elif cell["data_type"] == "e" and element.get("t", "n") == "n":
            cell["value"] = element.findtext(VALUE_TAG)  # a number that is no date: the library gives #VALUE!
        return cell


def sheet_rows(sheet: Any, file: SourceFile) -> Iterator[SheetRow]:
    """The rows of a sheet of a workbook that was opened to be read only.

    Raises:
        FileUnreadableError: A row has more cells than a file may have columns.
    """
    book, after = sheet.parent, 1
    with sheet._get_source() as source:
        parser = _Parser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            for _ in range(after, number):
                yield [], {}
            if after <= number:
                yield _row(cells, sheet, file)
            after = max(after, number + 1)


def _row(cells: list[dict[str, Any]], sheet: Any, file: SourceFile) -> SheetRow:
    width = cells[-1]["column"] if cells else 0
    if width > file.limits.most_columns:
        raise too_many_columns(file, f"a row of {width:,} cells")
    row: list[str | None] = [None] * width
    uncomputed: dict[int, str] = {}
    for cell in cells:
        place = cell["column"] - 1
        if 0 <= place < width:
            row[place] = _text(cell, sheet)
            if isinstance(cell["value"], _Formula):
                uncomputed[place] = get_column_letter(place + 1)
    return row, uncomputed


def _text(cell: Mapping[str, Any], sheet: Any) -> str | None:
    value = cell["value"]
    match value:
        case None | "":
            return None
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < _WHOLE_UP_TO else repr(value)
        case datetime():
            midnight = value.time() == time()
            shows_time = not midnight or _shows_time(ReadOnlyCell(sheet, **cell).number_format)
            return value.isoformat() if shows_time else value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            hours, rest = divmod(abs(value), _HOUR)
            return f"{'-' if value < timedelta(0) else ''}{hours}:{str(rest).partition(':')[2]}"
        case _:
            return str(value)


@lru_cache(maxsize=1_000)
def _shows_time(number_format: str) -> bool:
    return "h" in _NO_CODE.sub("", number_format).lower()
