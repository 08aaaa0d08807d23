"""Rows of JSON Lines and of JSON arrays, as text."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.errors import suggestion
from readiness_pipelines.masking import handled_classes, quoted_text
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile
from readiness_pipelines.sources.json_stream import (
    JsonSyntaxError,
    JsonText,
    JsonTooLargeError,
    NoArrayError,
    TooManyKeysError,
)
from readiness_pipelines.sources.json_values import (
    MARK,
    NestingError,
    RepeatedKeyError,
    as_json,
    parse_json,
    records_table,
)
from readiness_pipelines.sources.layout import too_many_columns
from readiness_pipelines.sources.rows import Filling, row_batch, text_schema
from readiness_pipelines.sources.text_files import encoding_shown, examine_text, is_undecodable, open_text, printable

_Row = tuple[dict[str, Any] | None, str | None, str | None, int]
"""Its values, or its text and the reason why it has none; and its size."""


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file of JSON records that is whole, with the keys of all its objects, in the order they first appear."""

    file: SourceFile
    drop: FileDrop
    columns: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        """Its columns, all text."""
        return text_schema(self.columns)

    def batches(self) -> Iterator[pa.Table]:
        """Its rows."""
        rows: list[_Row] = []
        first = 0
        filling = Filling(len(self.columns))
        for row in _rows(self.file, self.drop):
            rows.append(row)
            if filling.add(row[-1]):
                yield self._batch(rows, first)
                first += len(rows)
                rows = []
        if rows:
            yield self._batch(rows, first)

    def _batch(self, rows: list[_Row], first: int) -> pa.Table:
        records, texts, reasons, _ = (list(column) for column in zip(*rows, strict=True))
        columns = records_table(records, self.columns)
        places = range(first, first + len(rows))
        return row_batch(columns, self.columns, places=places, unreadable=texts, reasons=reasons)


def open_json(file: SourceFile, drop: FileDrop) -> JsonFile:
    """Examine a file of JSON Lines, or with an array of records, and collect its keys.

    Raises:
        FileUnreadableError: It is cut off, of another encoding, or has no records at the declared path.
    """
    facts = examine_text(file, drop.encoding, line_ends="\n" if file.format == "jsonl" else "")
    if file.format == "json" and not facts.decodable:
        raise file.unreadable(f"it is not {encoding_shown(drop.encoding)}", "declare FileDrop(encoding=…)")
    keys: dict[str, None] = {}
    for values, *_ in _rows(file, drop):
        if values is not None:
            keys.update(dict.fromkeys(values))
            if len(keys) > file.limits.most_names:
                raise too_many_columns(file, f"more than {file.limits.most_names:,} keys")
    return JsonFile(file, drop, tuple(keys))


def _rows(file: SourceFile, drop: FileDrop) -> Iterable[_Row]:
    return _lines(file, drop) if file.format == "jsonl" else _records(file, drop)


def _lines(file: SourceFile, drop: FileDrop) -> Iterator[_Row]:
    """Each line that is not blank: its values, or its text and the reason why it has none."""
    with open_text(file, drop.encoding, newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.removeprefix(MARK)
            if text.strip():
                values, reason = _parsed(text, drop, file.limits.most_nesting)
                shown = None if reason is None else printable(text.rstrip("\r\n"))
                yield values, shown, None if reason is None else f"line {number}: {reason}", len(text)


def _parsed(text: str, drop: FileDrop, most_nesting: int) -> tuple[dict[str, Any] | None, str | None]:
    if is_undecodable(text):
        return None, f"it is not {encoding_shown(drop.encoding)}"
    try:
        values = parse_json(text, most_nesting=most_nesting)
    except (RepeatedKeyError, NestingError) as error:
        return None, str(error)
    except json.JSONDecodeError as error:
        return None, f"it is not JSON ({error})"
    return (values, None) if isinstance(values, dict) else (None, "it is not a JSON object")


def _records(file: SourceFile, drop: FileDrop) -> Iterator[_Row]:
    """Each element of the file's array: its values, or its text and the reason why it has none."""
    path = drop.record_path.split(".") if drop.record_path else []
    with open_text(file, drop.encoding) as opened, _named(file, drop.record_path):
        text = JsonText(
            opened.read,
            most_characters=file.limits.most_record_bytes,
            most_nesting=file.limits.most_nesting,
            most_keys=file.limits.most_names,
        )
        for number, (element, size) in enumerate(text.records(path), start=1):
            if isinstance(element, dict):
                yield element, None, None, size
            else:
                yield None, as_json(element), f"element {number}: it is not a JSON object", size


@contextmanager
def _named(file: SourceFile, path: str | None) -> Iterator[None]:
    """Name the file in what is wrong with its JSON."""
    try:
        yield
    except JsonSyntaxError as error:
        way_out = "ask the steward to send it again; where each line is an object, declare FileDrop(format='jsonl')"
        raise file.unreadable(f"it is not JSON ({error})", way_out) from error
    except NestingError as error:
        raise file.beyond(str(error), "most_nesting", "ask the steward to send it flatter") from error
    except RepeatedKeyError as error:
        what = str(error) if handled_classes() is None else quoted_text(str(error))
        raise file.unreadable(what, "ask the steward to name each key once") from error
    except JsonTooLargeError as error:
        what = f"{error}: more than {file.limits.most_record_mb:g} MB"
        raise file.beyond(what, "most_record_mb", "check whether its record_path leads to its records") from error
    except TooManyKeysError as error:
        raise file.beyond(str(error), "most_columns", "check whether its record_path is right") from error
    except NoArrayError as error:
        raise _no_array(file, path, error) from error


def _no_array(file: SourceFile, path: str | None, error: NoArrayError) -> Exception:
    classes = handled_classes()
    # The keys of an object by person are values; where a person looks at a file alone, nothing is kept.
    known = error.known if classes is None or classes.plain else ()
    if error.missing is not None:
        return file.unreadable(
            f"its record_path {path!r} does not lead anywhere: {error.missing!r} is missing",
            suggestion(error.missing, known) or "declare another FileDrop(record_path=…)",
        )
    where = f"at {path!r}" if path else "at its top"
    above = f"{path}." if path else ""
    way_out = " or ".join(f'declare FileDrop(record_path="{above}{key}")' for key in known[:3])
    return file.unreadable(f"{where} it has no array of records", way_out or "declare FileDrop(record_path=…)")
