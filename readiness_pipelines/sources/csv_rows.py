"""Rows of a CSV file, as text.

Arrow parses files without quotes. It is lenient with broken quoting (``"4"5`` becomes ``45``, an open quote swallows
the rest of the file), so files with quotes, with comments, of one column, and files that cannot be decoded throughout
are parsed strictly, record by record.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile
from readiness_pipelines.sources.prelude import Prelude, read_prelude
from readiness_pipelines.sources.rows import Filling, row_batch, text_schema, without_blank_end
from readiness_pipelines.sources.text_files import (
    SHORT_LINE,
    encoding_shown,
    examine_text,
    is_undecodable,
    is_utf8,
    open_text,
    printable,
    text_codec,
)

BLOCK_BYTES = 4 << 20
MAX_RECORD_LINES = 1_000


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file that is whole, with its header."""

    file: SourceFile
    drop: FileDrop
    columns: tuple[str, ...]
    prelude: Prelude
    strictly: bool

    @property
    def schema(self) -> pa.Schema:
        """Its columns, all text."""
        return text_schema(self.columns)

    def batches(self) -> Iterator[pa.Table]:
        """Its rows."""
        if self.strictly:
            return _strict_batches(self)
        tables = _arrow_batches(self)
        return without_blank_end(tables, self.drop.delimiter) if self.drop.ignore_blank else tables


def open_csv(file: SourceFile, drop: FileDrop) -> CsvFile:
    """Examine a CSV file.

    Raises:
        FileUnreadableError: It is cut off, of another encoding, or has no header.
    """
    facts = examine_text(file, drop.encoding, quote=drop.quote)
    # It is one for the whole process, and no limit of ours: lines and records are measured here.
    csv.field_size_limit(max(csv.field_size_limit(), file.limits.most_record_bytes))
    with open_text(file, drop.encoding) as lines:
        prelude = read_prelude(file, drop, lines, lambda given: next(_dialect(_bounded(given, file), drop), []))
        empty = next(lines, None) is None  # which Arrow refuses
    columns = drop.column_names or prelude.header
    simple = len(columns) > 1 and not drop.comment and drop.delimiter.isascii() and facts.longest_line <= SHORT_LINE
    strictly = facts.quoted or not facts.decodable or not simple or empty
    return CsvFile(file, drop, columns, prelude, strictly)


def _dialect(lines: Iterator[str], drop: FileDrop) -> Iterator[list[str]]:
    if not drop.quote:
        return csv.reader(lines, delimiter=drop.delimiter, quotechar=None, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=drop.delimiter, quotechar=drop.quote, strict=True)


def _arrow_batches(source: CsvFile) -> Iterator[pa.Table]:
    invalid: deque[pacsv.InvalidRow] = deque()

    def keep(row: pacsv.InvalidRow) -> str:
        invalid.append(row)
        return "skip"

    place, first = 0, source.prelude.lines + 1
    with _utf8(source) as stream:
        reader = pacsv.open_csv(
            stream,
            # Only a single thread knows the number of a row.
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=BLOCK_BYTES,
                column_names=[str(index) for index in range(len(source.columns))],
                skip_rows=source.prelude.lines,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=source.drop.delimiter, quote_char=False, invalid_row_handler=keep
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={str(index): pa.string() for index in range(len(source.columns))},
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
        for batch in reader:
            skipped = []
            places: list[int] | range = range(place, place + batch.num_rows)
            if invalid:
                places = []
                while len(places) < batch.num_rows or (invalid and invalid[0].number - first == place):
                    if invalid and invalid[0].number - first == place:
                        skipped.append((place, invalid.popleft()))
                    else:
                        places.append(place)
                    place += 1
            else:
                place += batch.num_rows
            yield row_batch(batch.columns, source.columns, places=places)
            if skipped:
                yield _unreadable_batch(
                    source, [(at, row.text, _count_reason(at, row.actual_columns, source)) for at, row in skipped]
                )
    if invalid:
        rest = [
            (row.number - first, row.text, _count_reason(row.number - first, row.actual_columns, source))
            for row in invalid
        ]
        yield _unreadable_batch(source, rest)


def _utf8(source: CsvFile) -> Any:
    stream, encoding = source.file.open(), source.drop.encoding
    return stream if is_utf8(encoding) else pa.transcoding_input_stream(stream, text_codec(encoding), "utf-8")


def _strict_batches(source: CsvFile) -> Iterator[pa.Table]:
    good: list[list[str]] = []
    places: list[int] = []
    bad: list[tuple[int, str, str]] = []
    width = len(source.columns)
    filling = Filling(width)
    for place, (fields, text, reason) in enumerate(_kept_records(source)):
        if fields is None or len(fields) != width:
            bad.append((place, printable(text), reason or _count_reason(place, len(fields or ()), source)))
        else:
            good.append(fields)
            places.append(place)
        if filling.add(len(text)):
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


def _kept_records(source: CsvFile) -> Iterator[tuple[list[str] | None, str, str]]:
    """Records, without those of nothing but delimiters after the last that has more; quotes are more."""
    if not source.drop.ignore_blank:
        yield from _records(source)
        return
    # Millions of them are a few kinds, and take no memory.
    waiting: list[tuple[tuple[list[str] | None, str, str], int]] = []
    for record in _records(source):
        if record[1].strip(source.drop.delimiter):
            for blank, count in waiting:
                yield from repeat(blank, count)
            waiting = []
            yield record
        elif waiting and waiting[-1][0] == record:
            waiting[-1] = (record, waiting[-1][1] + 1)
        else:
            waiting.append((record, 1))


def _records(source: CsvFile) -> Iterator[tuple[list[str] | None, str, str]]:
    """Each record after the header: its fields and text, or its text and the reason why it has no fields."""
    drop = source.drop
    with open_text(source.file, drop.encoding) as opened:
        lines = islice(opened, source.prelude.lines, None)
        pending: deque[str] = deque()
        while True:
            taken: list[str] = []
            try:
                for fields in _dialect(_feed(lines, pending, taken, source), drop):
                    text = "".join(taken)
                    taken.clear()
                    if is_undecodable(text):
                        yield None, text.rstrip("\r\n"), f"it is not {encoding_shown(drop.encoding)}"
                    elif fields:
                        yield fields, text.rstrip("\r\n"), ""
                    elif len(source.columns) == 1:
                        # The empty line of a file with one column is a row without a value.
                        yield [""], "", ""
            except csv.Error as error:
                # The line that opened the quote is broken; those after it are read again by themselves.
                pending.extendleft(reversed(taken[1:]))
                yield None, taken[0].rstrip("\r\n"), f"broken quoting: {error}"
                continue
            return


class _UnclosedError(csv.Error):
    """A quote was opened and not closed for too long."""


def _feed(lines: Iterator[str], pending: deque[str], taken: list[str], source: CsvFile) -> Iterator[str]:
    comment, size = source.drop.comment, 0
    while (line := pending.popleft() if pending else next(lines, None)) is not None:
        if comment and not taken and line.startswith(comment):
            continue
        size = len(line) if not taken else size + len(line)
        taken.append(line)
        _check_open(len(taken), size, source.file)
        yield line


def _bounded(lines: Iterator[str], file: SourceFile) -> Iterator[str]:
    """The lines of one record."""
    size = 0
    for number, line in enumerate(lines, start=1):
        size += len(line)
        _check_open(number, size, file)
        yield line


def _check_open(lines: int, size: int, file: SourceFile) -> None:
    """Give up a record that does not end: the rest of the file would be taken for it."""
    if lines > MAX_RECORD_LINES:
        raise _UnclosedError(f"a quote is open for {MAX_RECORD_LINES:,} lines")
    if lines > 1 and size > file.limits.most_record_bytes:
        raise _UnclosedError(f"a quote is open for {file.limits.most_record_mb:g} MB (READINESS_MOST_RECORD_MB)")


def _number(place: int, source: CsvFile) -> int:
    return place + source.prelude.records + 1


def _count_reason(place: int, found: int, source: CsvFile) -> str:
    return f"record {_number(place, source)}: {found} fields where the header has {len(source.columns)}"


def _unreadable_batch(source: CsvFile, rows: list[tuple[int, str, str]]) -> pa.Table:
    nothing = [pa.nulls(len(rows), pa.string()) for _ in source.columns]
    places, texts, reasons = zip(*rows, strict=True)
    numbered = [
        reason if reason.startswith("record ") else f"record {_number(place, source)}: {reason}"
        for place, reason in zip(places, reasons, strict=True)
    ]
    return row_batch(nothing, source.columns, places=places, unreadable=texts, reasons=numbered)
