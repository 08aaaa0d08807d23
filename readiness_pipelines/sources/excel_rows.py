"""Rows of an Excel sheet, as text: whole numbers without a point, dates as ISO has them."""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from readiness_pipelines.errors import DeclarationError, suggestion
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import ARCHIVE_ERRORS, SourceFile, unpacks_too_far
from readiness_pipelines.sources.json_values import as_json
from readiness_pipelines.sources.rows import Filling, row_batch, text_schema, without_blank_end

if TYPE_CHECKING:
    from readiness_pipelines.sources.excel_cells import SheetRow

_ERRORS: tuple[type[Exception], ...] = (
    *ARCHIVE_ERRORS,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    SyntaxError,
    zipfile.LargeZipFile,
)
"""What the library raises for workbooks that are not as they should be: broken XML is a `SyntaxError`."""


@dataclass(frozen=True, slots=True)
class ExcelFile:
    """A sheet with its header.

    Attributes:
        file: The workbook.
        drop: How it is read.
        columns: Names of the columns that are read.
        positions: Their places in a row of the sheet.
        before: Rows of the sheet before the first row of data.
        width: Cells of a row that has as many as the header.
    """

    file: SourceFile
    drop: FileDrop
    columns: tuple[str, ...]
    positions: tuple[int, ...]
    before: int
    width: int

    @property
    def schema(self) -> pa.Schema:
        """Its columns, all text."""
        return text_schema(self.columns)

    def batches(self) -> Iterator[pa.Table]:
        """Its rows."""
        tables = self._tables()
        return without_blank_end(tables, " ") if self.drop.ignore_blank else tables

    def _tables(self) -> Iterator[pa.Table]:
        rows: list[SheetRow] = []
        first = 0
        filling = Filling(len(self.columns))
        with _sheet(self.file, self.drop) as sheet:
            for row in islice(sheet, self.before, None):
                rows.append(row)
                if filling.add(sum(map(len, filter(None, row[0])))):
                    yield self._batch(rows, first)
                    first += len(rows)
                    rows = []
        if rows:
            yield self._batch(rows, first)

    def _batch(self, rows: "list[SheetRow]", first: int) -> pa.Table:
        named = zip(self.positions, self.columns, strict=True)
        read = {at for at, name in named if not self.drop.ignores(name)}
        texts: list[str | None] = []
        reasons: list[str | None] = []
        for number, (row, uncomputed) in enumerate(rows, start=self.before + first + 1):
            reason = None
            if extra := sum(cell is not None for cell in row[self.width :]):
                reason = f"{extra} cells beyond the {self.width} columns of the header"
            elif letters := [letter for at, letter in uncomputed.items() if at in read]:
                reason = _uncomputed(*letters)
            texts.append(None if reason is None else as_json(row))
            reasons.append(None if reason is None else f"row {number}: {reason}")
            if reason is not None:
                row.clear()
        columns = [
            pa.array([row[at] if at < len(row) else None for row, _ in rows], pa.string()) for at in self.positions
        ]
        places = range(first, first + len(rows))
        return row_batch(columns, self.columns, places=places, unreadable=texts, reasons=reasons)


def open_excel(file: SourceFile, drop: FileDrop) -> ExcelFile:
    """Examine a workbook's sheet.

    Raises:
        FileUnreadableError: It is damaged, not an .xlsx file, or has no such sheet or no header.
        DeclarationError: The library that reads Excel is not installed.
    """
    named: list[str | None] = []
    valued: set[int] = set()
    before = drop.skip_lines + int(drop.header_line) + drop.skip_after_header
    with _sheet(file, drop) as sheet:
        for number, (row, uncomputed) in enumerate(sheet):
            if number == drop.skip_lines and drop.header_line:
                if uncomputed and not drop.column_names:
                    raise file.unreadable(f"in the header {_uncomputed(*uncomputed.values())}", "send it with values")
                named = row
            elif number >= before:
                valued.update(at for at, cell in enumerate(row) if cell is not None)
    if drop.header_line and not any(named):
        raise file.unreadable(
            f"row {drop.skip_lines + 1} of the sheet is not a header", "declare FileDrop(skip_lines=…)"
        )
    if drop.column_names:
        positions, names = tuple(range(len(drop.column_names))), drop.column_names
    else:
        while named and named[-1] is None and len(named) - 1 not in valued:
            named = named[:-1]
        # A column without a name and without a value is only formatted.
        positions = tuple(at for at, name in enumerate(named) if name is not None or at in valued)
        names = tuple(named[at] or "" for at in positions)
    width = len(names) if drop.column_names else len(named)
    return ExcelFile(file, drop, names, positions, before, width)


def _uncomputed(letter: str, *others: str) -> str:
    """Why a row with formulas that have no values cannot be read."""
    formulas = f"the formula in column {letter} was"
    if others:
        formulas = f"{len(others) + 1} formulas, the first one in column {letter}, were"
    return f"{formulas} never computed: open the workbook in Excel and save it"


@contextmanager
def _sheet(file: SourceFile, drop: FileDrop) -> "Iterator[Iterator[SheetRow]]":
    try:
        import openpyxl  # noqa: PLC0415  # an extra

        from readiness_pipelines.sources.excel_cells import sheet_rows  # noqa: PLC0415  # it needs the extra
    except ImportError:
        raise DeclarationError(
            f"{file.name} is an Excel file, and the library that reads it is not installed",
            way_out="pip install 'readiness-pipelines[excel]'",
        ) from None
    try:
        with file.open_anywhere() as source, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that do not matter for values
            _check_size(file, source)
            book = openpyxl.load_workbook(source, read_only=True, data_only=True)
            try:
                if drop.sheet is not None and drop.sheet not in book.sheetnames:
                    raise file.unreadable(f"it has no sheet {drop.sheet!r}", suggestion(drop.sheet, book.sheetnames))
                sheet = book[drop.sheet] if drop.sheet else book.worksheets[0]
                yield sheet_rows(sheet, file)
            finally:
                book.close()
    except _ERRORS as error:
        raise file.damaged(error, "damaged or not an .xlsx file") from error


def _check_size(file: SourceFile, source: Any) -> None:
    """Refuse a workbook, which is a zip, that unpacks too far."""
    with zipfile.ZipFile(source) as archive:
        unpacked = sum(one.file_size for one in archive.infolist())
    source.seek(0)
    if unpacked > file.limits.most_unpacked_bytes(file.packed_bytes):
        raise unpacks_too_far(file, unpacked)
