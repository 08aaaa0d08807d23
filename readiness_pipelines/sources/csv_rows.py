"""Rows of a CSV file, as text.

Arrow parses files without quotes. It is lenient with broken quoting (``"4"5`` becomes ``45``, an open quote swallows
the rest of the file), so files with quotes, and files that are not UTF-8 throughout, are parsed strictly, record by
record.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pacsv

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile, inspect_text
from readiness_pipelines.sources.rows import ROWS_PER_BATCH, check_columns, printable, row_batch

BLOCK_BYTES = 4 << 20
MAX_RECORD_LINES = 1_000
MAX_FIELD_CHARACTERS = 16 << 20


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file that is whole, with its header."""

    file: SourceFile
    drop: FileDrop
    columns: tuple[str, ...]
    strictly: bool

    @property
    def schema(self) -> pa.Schema:
        """Its columns, all text."""
        return pa.schema([(name, pa.string()) for name in self.columns])

    def batches(self) -> Iterator[pa.Table]:
        """Its rows."""
        return _strict_batches(self) if self.strictly else _arrow_batches(self)


def open_csv(file: SourceFile, drop: FileDrop) -> CsvFile:
    """Look a CSV file over.

    Raises:
        FileUnreadableError: It is cut off, no UTF-8, has no header, or one whose names cannot be told apart.
    """
    facts = inspect_text(file, quote=drop.quote)
    with _text(file) as lines:
        try:
            header = next(_dialect(lines, drop), None)
        except csv.Error as error:
            raise file.unreadable(f"its header is broken ({error})", "ask the steward to mend the header") from error
    if not header:
        raise file.unreadable("it has no header", "ask the steward to send it again: a batch of no rows has a header")
    if any("\udc80" <= character <= "\udcff" for name in header for character in name):
        raise file.unreadable("its header is not UTF-8", "ask the steward for UTF-8, then run the batch again")
    return CsvFile(file, drop, check_columns(file, header), strictly=facts.quoted or not facts.utf8)


def _text(file: SourceFile) -> io.TextIOWrapper:
    return io.TextIOWrapper(file.open(), encoding="utf-8-sig", errors="surrogateescape", newline="")


def _dialect(lines: Iterator[str], drop: FileDrop) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=drop.delimiter, quotechar=drop.quote, strict=True)


def _arrow_batches(source: CsvFile) -> Iterator[pa.Table]:
    invalid: deque[pacsv.InvalidRow] = deque()

    def keep(row: pacsv.InvalidRow) -> str:
        invalid.append(row)
        return "skip"

    place = 0
    with source.file.open() as stream:
        reader = pacsv.open_csv(
            stream,
            # Only a single thread knows the number of a row.
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=list(source.columns), skip_rows=1
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=source.drop.delimiter, quote_char=False, invalid_row_handler=keep
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=source.schema, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
            ),
        )
        for batch in reader:
            skipped = []
            places: list[int] | range = range(place, place + batch.num_rows)
            if invalid:
                places = []
                while len(places) < batch.num_rows or (invalid and invalid[0].number - 2 == place):
                    if invalid and invalid[0].number - 2 == place:
                        skipped.append((place, invalid.popleft()))
                    else:
                        places.append(place)
                    place += 1
            else:
                place += batch.num_rows
            yield row_batch(batch.columns, source.columns, places=places)
            if skipped:
                yield _unreadable_batch(
                    source, [(at, row.text, _count_reason(at + 2, row.actual_columns, source)) for at, row in skipped]
                )
    if invalid:
        rest = [(row.number - 2, row.text, _count_reason(row.number, row.actual_columns, source)) for row in invalid]
        yield _unreadable_batch(source, rest)


def _strict_batches(source: CsvFile) -> Iterator[pa.Table]:
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    good: list[list[str]] = []
    places: list[int] = []
    bad: list[tuple[int, str, str]] = []
    width = len(source.columns)
    for place, (fields, text, reason) in enumerate(_records(source)):
        if fields is None or len(fields) != width:
            bad.append((place, printable(text), reason or _count_reason(place + 2, len(fields or ()), source)))
        else:
            good.append(fields)
            places.append(place)
        if len(good) + len(bad) >= ROWS_PER_BATCH:
            yield from _flush(source, good, places, bad)
            good, places, bad = [], [], []
    yield from _flush(source, good, places, bad)


def _flush(
    source: CsvFile, good: list[list[str]], places: list[int], bad: list[tuple[int, str, str]]
) -> Iterator[pa.Table]:
    if good:
        columns = [pa.array([value or None for value in column], pa.string()) for column in zip(*good, strict=True)]
        yield row_batch(columns, source.columns, places=places)
    if bad:
        yield _unreadable_batch(source, bad)


def _records(source: CsvFile) -> Iterator[tuple[list[str] | None, str, str]]:
    """Each record after the header: its fields and text, or its text and the reason why it has no fields."""
    with _text(source.file) as lines:
        pending: deque[str] = deque()
        header_left = True
        while True:
            taken: list[str] = []
            try:
                for fields in _dialect(_feed(lines, pending, taken), source.drop):
                    text = "".join(taken)
                    taken.clear()
                    if header_left:
                        header_left = False
                    elif not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
                        yield None, text.rstrip("\r\n"), "it is not UTF-8"
                    elif fields:
                        yield fields, text.rstrip("\r\n"), ""
            except (csv.Error, _UnclosedError) as error:
                # The line that opened the quote is broken; those after it are read again by themselves.
                pending.extendleft(reversed(taken[1:]))
                yield None, taken[0].rstrip("\r\n"), f"broken quoting: {error}"
                continue
            return


class _UnclosedError(Exception):
    """A quote was opened and not closed for too many lines."""


def _feed(lines: Iterator[str], pending: deque[str], taken: list[str]) -> Iterator[str]:
    while (line := pending.popleft() if pending else next(lines, None)) is not None:
        taken.append(line)
        if len(taken) > MAX_RECORD_LINES:
            raise _UnclosedError(f"a quote is open for {MAX_RECORD_LINES:,} lines")
        yield line


def _count_reason(record: int, found: int, source: CsvFile) -> str:
    return f"record {record}: {found} fields where the header has {len(source.columns)}"


def _unreadable_batch(source: CsvFile, rows: list[tuple[int, str, str]]) -> pa.Table:
    nothing = [pa.nulls(len(rows), pa.string()) for _ in source.columns]
    places, texts, reasons = zip(*rows, strict=True)
    numbered = [
        reason if reason.startswith("record ") else f"record {place + 2}: {reason}"
        for place, reason in zip(places, reasons, strict=True)
    ]
    return row_batch(nothing, source.columns, places=places, unreadable=texts, reasons=numbered)
