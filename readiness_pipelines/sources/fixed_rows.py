"""Rows of a fixed-width file, as text without the spaces around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

import pyarrow as pa

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile
from readiness_pipelines.sources.prelude import Prelude, read_prelude
from readiness_pipelines.sources.rows import Filling, row_batch, text_schema, without_blank_end
from readiness_pipelines.sources.text_files import encoding_shown, examine_text, is_undecodable, open_text, printable


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A fixed-width file that is whole, with the place of each column in a line."""

    file: SourceFile
    drop: FileDrop
    columns: tuple[str, ...]
    places: tuple[slice, ...]
    prelude: Prelude

    @property
    def schema(self) -> pa.Schema:
        """Its columns, all text."""
        return text_schema(self.columns)

    def batches(self) -> Iterator[pa.Table]:
        """Its rows."""
        tables = self._tables()
        return without_blank_end(tables, " ") if self.drop.ignore_blank else tables

    def _tables(self) -> Iterator[pa.Table]:
        rows: list[tuple[list[str | None], str | None, str | None]] = []
        first = 0
        filling = Filling(len(self.columns))
        for line, number in self._lines():
            rows.append(self._row(line, number))
            if filling.add(len(line)):
                yield self._batch(rows, first)
                first += len(rows)
                rows = []
        if rows:
            yield self._batch(rows, first)

    def _lines(self) -> Iterator[tuple[str, int]]:
        """Each line that is a row, with its number; a line without a character is none."""
        with open_text(self.file, self.drop.encoding) as lines:
            for number, line in enumerate(islice(lines, self.prelude.lines, None), start=self.prelude.lines + 1):
                text = line.rstrip("\r\n")
                if text and not (self.drop.comment and text.startswith(self.drop.comment)):
                    yield text, number

    def _row(self, line: str, number: int) -> tuple[list[str | None], str | None, str | None]:
        if is_undecodable(line):
            reason = f"line {number}: it is not {encoding_shown(self.drop.encoding)}"
        elif self.drop.widths and line[self.places[-1].stop :].strip():
            reason = f"line {number}: {len(line)} characters where the layout has {self.places[-1].stop}"
        else:
            return [line[place].strip(" \t") or None for place in self.places], None, None
        return [None] * len(self.places), printable(line), reason

    def _batch(self, rows: list[tuple[list[str | None], str | None, str | None]], first: int) -> pa.Table:
        values, texts, reasons = zip(*rows, strict=True)
        columns = [pa.array(column, pa.string()) for column in zip(*values, strict=True)]
        places = range(first, first + len(rows))
        return row_batch(columns, self.columns, places=places, unreadable=texts, reasons=reasons)


def open_fixed(file: SourceFile, drop: FileDrop) -> FixedFile:
    """Examine a fixed-width file.

    Raises:
        FileUnreadableError: It is cut off, of another encoding, or has no header.
    """
    examine_text(file, drop.encoding)
    if isinstance(drop.columns, dict):
        places = tuple(slice(start, start + width) for start, width in drop.columns.values())
    else:
        ends = tuple(accumulate(drop.widths))
        places = tuple(slice(end - width, end) for end, width in zip(ends, drop.widths, strict=True))
    with open_text(file, drop.encoding) as lines:
        prelude = read_prelude(file, drop, lines, lambda given: _split(next(given, ""), places))
    return FixedFile(file, drop, drop.column_names or prelude.header, places, prelude)


def _split(line: str, places: tuple[slice, ...]) -> list[str]:
    return [line.rstrip("\r\n")[place].strip() for place in places]
