"""How a file of delimited text is written: its encoding, delimiter, header, and what stands around its rows."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from readiness_pipelines.drafting.readings import NULL_WORDS
from readiness_pipelines.drafting.words import shortened
from readiness_pipelines.sql import literal, utc_connection

DELIMITERS = (",", ";", "\t", "|")
_TYPED = re.compile(r"[+-]?[$€£]?\s*[\d.,:/\-+TZ %']*\d[\d.,:/\-+TZ %'eE]*|true|false", re.IGNORECASE)
_LINES = 2_000
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """Options of a reader, and why.

    Attributes:
        options: Arguments of `FileDrop`, those that are not its defaults.
        notes: A line for people by option.
        ascii_only: Whether the text is the same in every encoding.
    """

    options: dict[str, Any]
    notes: dict[str, str]
    ascii_only: bool = True


def guess_encoding(start: bytes) -> Guesses:
    """The encoding of a text, from its first bytes: by its mark, as UTF-8, as UTF-16 by its zeros, else Windows'.

    Which of the many one-byte encodings a text has cannot be known from a few bytes: that is said.
    """
    mark = next((name for bom, name in _MARKS.items() if start.startswith(bom)), None)
    if mark is not None:
        options = {} if mark == "utf-8" else {"encoding": mark}
        return Guesses(options=options, notes={"encoding": "by the file's mark"}, ascii_only=False)
    zeros = [start[half::2].count(0) for half in (0, 1)]
    if max(zeros) > len(start) // 8:
        name = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
        note = f"every second byte of most characters is 0: {name.upper()} without a mark"
        return Guesses(options={"encoding": name}, notes={"encoding": note}, ascii_only=False)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # its last character may be cut
    except UnicodeDecodeError as error:
        undefined = any(byte in start for byte in b"\x81\x8d\x8f\x90\x9d")
        name = "latin-1" if undefined else "cp1252"
        line = start[: error.start].rpartition(b"\n")[2] + start[error.start :].partition(b"\n")[0]
        letters = sorted({letter for letter in line.decode(name) if not letter.isascii()})
        note = f"not UTF-8; as {name} it has {' '.join(letters[:5])}: look whether these letters are meant"
        return Guesses(options={"encoding": name}, notes={"encoding": note}, ascii_only=False)
    return Guesses(options={}, notes={}, ascii_only=start.isascii())


def guess_dialect(text: str) -> Guesses:
    """The dialect of delimited text.

    Args:
        text: Its beginning, decoded.
    """
    lines = text.splitlines()[:_LINES]
    options: dict[str, Any] = {}
    notes: dict[str, str] = {}
    if (comment := _comment(lines)) is not None:
        options["comment"] = comment
        notes["comment"] = "lines that begin with it stand before the header"
        lines = [line for line in lines if not line.startswith(comment)]
    delimiter = _delimiter([line for line in lines if line.strip()])
    records = [record for record in csv.reader(lines, delimiter=delimiter) if record]
    if delimiter != ",":
        options["delimiter"] = delimiter
    if not records:
        return Guesses(options=options, notes=notes)
    width, often = Counter(map(len, records)).most_common(1)[0]
    if delimiter != ",":
        notes["delimiter"] = f"{often:,} of the first {len(records):,} lines have {width} fields by it"
    title = next((place for place, record in enumerate(records) if len(record) == width), 0)
    if title and not comment:
        # Blank lines before the header are passed over by the reader itself; titles are not.
        options["skip_lines"] = _line_of(lines, delimiter, records[title])
        notes["skip_lines"] = f"the header has {width} fields, the lines above it fewer"
    records = [record for record in records[title:] if len(record) == width]
    return _with_names(records, Guesses(options=options, notes=notes))


def _with_names(records: Sequence[list[str]], found: Guesses) -> Guesses:
    """Whether the first line has the names, and names for columns that have none of their own."""
    options, notes = dict(found.options), dict(found.notes)
    first, rest = records[0], records[1:]
    typed = [
        place
        for place in range(len(first))
        if (cells := [record[place] for record in rest if record[place].strip()])
        and sum(_is_typed(cell) for cell in cells) > len(cells) * 0.8
    ]
    alike = not typed and any(
        _looks_like_rows(first[place], [record[place] for record in rest]) for place in range(len(first))
    )
    if alike or (typed and all(_is_typed(first[place]) or not first[place].strip() for place in typed)):
        options["header"] = False
        options["columns"] = tuple(f"column_{place}" for place in range(1, len(first) + 1))
        notes["columns"] = "the first line looks like the others: it has values, and the columns have no names yet"
        return Guesses(options=options, notes=notes)
    if len(rest) > 1 and _is_units(rest[0], rest[1:], typed):
        options["skip_after_header"] = 1
        # Without what it has: where it is a row after all, these are somebody's values.
        notes["skip_after_header"] = "a line of units: it has words where the others have numbers"
        rest = rest[1:]
    names = [name.strip() for name in first]
    blank = [place for place, name in enumerate(names) if not name]
    repeated = {name for name in names if name and names.count(name) > 1}
    if blank and not repeated and not any(record[place].strip() for record in rest for place in blank):
        options["ignore"] = ("",)
        notes["ignore"] = "columns without a name and without a value"
    elif len(blank) == 1 and not repeated:
        options["rename"] = {"": f"column_{blank[0] + 1}"}
        notes["rename"] = "a column without a name"
    elif blank or repeated:
        seen: Counter[str] = Counter()
        columns = []
        for place, name in enumerate(names, start=1):
            seen[name.lower()] += 1
            number = f"_{seen[name.lower()]}" if name and seen[name.lower()] > 1 else ""
            columns.append(f"{name or f'column_{place}'}{number}")
        options["columns"] = tuple(columns)
        why = "columns without a name" if blank else f"{shortened(', '.join(sorted(repeated)))} more than once"
        notes["columns"] = f"in place of the header's names, which have {why}"
    return Guesses(options=options, notes=notes)


def _is_units(line: Sequence[str], rows: Sequence[Sequence[str]], typed: Collection[int]) -> bool:
    """Whether a line has units in place of numbers.

    In doubt it is a row: one that is skipped is lost, and one too many is seen. A row may lack its numbers, say so in a
    word, or have one odd word among its texts.
    """
    words = {place: word for place in typed if (word := line[place].strip())}
    if not words or any(_is_typed(word) or word in NULL_WORDS for word in words.values()):
        return False
    if any(row[place].strip() == word for place, word in words.items() for row in rows):
        return False
    return len(words) > 1 or not any(cell.strip() for place, cell in enumerate(line) if place not in typed)


def _looks_like_rows(cell: str, others: Sequence[str]) -> bool:
    """Whether a cell has digits at the same places as most of those below it."""
    shape = _shape(cell)
    return "0" in shape and len(others) > 1 and sum(_shape(other) == shape for other in others) > len(others) / 2


def _shape(cell: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\d+", "0", cell))


def _is_typed(cell: str) -> bool:
    return _TYPED.fullmatch(cell.strip()) is not None


def _comment(lines: Sequence[str]) -> str | None:
    """The sign of comments, where the file begins with some."""
    return "#" if lines and lines[0].startswith("#") and any(not line.startswith("#") for line in lines) else None


def _delimiter(lines: Sequence[str]) -> str:
    """What DuckDB's sniffer says, if the lines agree with it; else what most lines agree about."""
    sniffed = _sniffed(lines)
    found = max((sniffed, *DELIMITERS) if sniffed in DELIMITERS else DELIMITERS, key=lambda one: _agreement(lines, one))
    if _agreement(lines, found):
        return found
    # Blanks delimit only where values with blanks in them are quoted: words do not make columns.
    quoted = bool(lines) and all('"' in line for line in lines) and _agreement(lines, " ") >= 1
    return " " if quoted else sniffed or found


def _agreement(lines: Sequence[str], delimiter: str) -> float:
    """How many lines have as many fields as most have, if these are several."""
    try:
        widths = Counter(len(record) for record in csv.reader(lines, delimiter=delimiter) if record)
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width, often = widths.most_common(1)[0]
    return 0.0 if width == 1 else often / widths.total() + width / 10_000


def _sniffed(lines: Sequence[str]) -> str | None:
    with TemporaryDirectory() as folder, utc_connection() as connection:
        file = Path(folder, "start.csv")
        file.write_text("\n".join(lines), encoding="utf-8", errors="replace")
        try:
            query = f"SELECT Delimiter FROM sniff_csv({literal(str(file))})"
            ((found,),) = connection.execute(query).fetchall()
        except (duckdb.Error, ValueError):
            return None  # whatever it cannot make out, the lines are looked at all the same
    return str(found) if len(str(found)) == 1 and not str(found).isalnum() and str(found) not in "\"'.-" else None


def _line_of(lines: Sequence[str], delimiter: str, record: list[str]) -> int:
    """The number of lines before a record that stands on one line."""
    for place, line in enumerate(lines):
        if next(csv.reader([line], delimiter=delimiter), []) == record:
            return place
    return 0
