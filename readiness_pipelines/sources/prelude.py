"""What stands before the first row of a file of lines: lines to skip, the header, units."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile
from readiness_pipelines.sources.layout import too_many_columns
from readiness_pipelines.sources.text_files import encoding_shown, is_undecodable


@dataclass(frozen=True, slots=True, kw_only=True)
class Prelude:
    """The header of a file, and where its rows begin.

    Attributes:
        header: The names that the header gives; empty where the declaration gives them.
        lines: Lines before the first row.
        records: Records before the first row, the header among them, as people count them.
    """

    header: tuple[str, ...]
    lines: int
    records: int


def read_prelude(
    file: SourceFile, drop: FileDrop, lines: Iterator[str], split: Callable[[Iterator[str]], Sequence[str]]
) -> Prelude:
    """Read what stands before the first row.

    Args:
        file: The file.
        drop: How it is read.
        lines: Its lines.
        split: Makes a record of the next line or lines.

    Raises:
        FileUnreadableError: No header where there should be one, or one that cannot be read.
    """
    counted = _Counted(lines)
    for _ in range(drop.skip_lines):
        next(counted, None)
    header: tuple[str, ...] = ()
    if drop.header_line:
        first = _first_line(counted, drop.comment)
        if drop.column_names is None:
            header = _header(file, drop, first, counted, split)
        elif first is None:
            raise _no_header(file)
    for _ in range(drop.skip_after_header):
        next(counted, None)
    records = drop.skip_lines + int(drop.header_line) + drop.skip_after_header
    return Prelude(header=header, lines=counted.number, records=records)


class _Counted:
    """Lines, with the count of those that were taken."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.number = 0

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


def _first_line(lines: Iterator[str], comment: str) -> str | None:
    for line in lines:
        if line.strip("\ufeff\r\n") and not (comment and line.startswith(comment)):
            return line
    return None


def _header(
    file: SourceFile,
    drop: FileDrop,
    first: str | None,
    lines: Iterator[str],
    split: Callable[[Iterator[str]], Sequence[str]],
) -> tuple[str, ...]:
    if first is None:
        raise _no_header(file)
    if first.count(drop.delimiter) >= file.limits.most_names and not drop.widths:
        raise too_many_columns(file, f"more than {file.limits.most_names:,} columns")

    def rest() -> Iterator[str]:
        yield first.removeprefix("\ufeff")
        yield from lines

    way_out = "declare FileDrop(columns=(…)), whose names replace the header, or ask the steward to correct it"
    try:
        names = tuple(split(rest()))
    except csv.Error as error:
        raise file.unreadable(f"its header is broken ({error})", way_out) from error
    if any(map(is_undecodable, names)):
        shown = encoding_shown(drop.encoding)
        raise file.unreadable(f"its header is not {shown}", 'declare FileDrop(encoding=…), such as "latin-1"')
    return names


def _no_header(file: SourceFile) -> Exception:
    return file.unreadable("it has no header", "ask the steward to send it again: a batch of no rows has a header")
