"""Rows of JSON Lines and of JSON arrays, as text."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.errors import suggestion
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile
from readiness_pipelines.sources.json_values import NestingError, RepeatedKeyError, as_json, parse_json, records_table
from readiness_pipelines.sources.rows import ROWS_PER_BATCH, row_batch, text_schema
from readiness_pipelines.sources.text_files import encoding_shown, examine_text, is_undecodable, open_text, printable

_Row = tuple[dict[str, Any] | None, str | None, str | None]


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
        for row in _rows(self.file, self.drop):
            rows.append(row)
            if len(rows) >= ROWS_PER_BATCH:
                yield self._batch(rows, first)
                first += len(rows)
                rows = []
        if rows:
            yield self._batch(rows, first)

    def _batch(self, rows: list[_Row], first: int) -> pa.Table:
        records, texts, reasons = (list(column) for column in zip(*rows, strict=True))
        columns = records_table(records, self.columns)
        places = range(first, first + len(rows))
        return row_batch(columns, self.columns, places=places, unreadable=texts, reasons=reasons)


def open_json(file: SourceFile, drop: FileDrop) -> JsonFile:
    """Examine a file of JSON Lines, or with an array of records, and collect its keys.

    Raises:
        FileUnreadableError: It is cut off, of another encoding, or has no records at the declared path.
    """
    examine_text(file, drop.encoding)
    keys: dict[str, None] = {}
    for values, _, _ in _rows(file, drop):
        if values is not None:
            keys.update(dict.fromkeys(values))
    return JsonFile(file, drop, tuple(keys))


def _rows(file: SourceFile, drop: FileDrop) -> Iterable[_Row]:
    return _lines(file, drop) if file.format == "jsonl" else _records(file, drop)


def _lines(file: SourceFile, drop: FileDrop) -> Iterator[_Row]:
    """Each line that is not blank: its values, or its text and the reason why it has none."""
    with open_text(file, drop.encoding, newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.removeprefix("\ufeff")
            if text.strip():
                values, reason = _parsed(text, drop)
                shown = None if reason is None else printable(text.rstrip("\r\n"))
                yield values, shown, None if reason is None else f"line {number}: {reason}"


def _parsed(text: str, drop: FileDrop) -> tuple[dict[str, Any] | None, str | None]:
    if is_undecodable(text):
        return None, f"it is not {encoding_shown(drop.encoding)}"
    try:
        values = parse_json(text)
    except (RepeatedKeyError, NestingError) as error:
        return None, str(error)
    except json.JSONDecodeError as error:
        return None, f"it is not JSON ({error})"
    return (values, None) if isinstance(values, dict) else (None, "it is not a JSON object")


def _records(file: SourceFile, drop: FileDrop) -> Iterator[_Row]:
    """Each element of the file's array: its values, or its text and the reason why it has none."""
    with open_text(file, drop.encoding) as opened:
        text = opened.read().removeprefix("\ufeff")
    if is_undecodable(text):
        raise file.unreadable(f"it is not {encoding_shown(drop.encoding)}", "declare FileDrop(encoding=…)")
    try:
        document = parse_json(text)
    except json.JSONDecodeError as error:
        way_out = "ask the steward to send it again; where each line is an object, declare FileDrop(format='jsonl')"
        raise file.unreadable(f"it is not JSON ({error})", way_out) from error
    except NestingError as error:
        raise file.unreadable(str(error), "ask the steward to send it flatter") from error
    except RepeatedKeyError as error:
        raise file.unreadable(str(error), "ask the steward to name each key once") from error
    for number, element in enumerate(_array(file, document, drop.record_path), start=1):
        if isinstance(element, dict):
            yield element, None, None
        else:
            yield None, as_json(element), f"element {number}: it is not a JSON object"


def _array(file: SourceFile, document: Any, path: str | None) -> list[Any]:
    for key in path.split(".") if path else ():
        if not isinstance(document, dict) or key not in document:
            known = document if isinstance(document, dict) else ()
            raise file.unreadable(
                f"its record_path {path!r} does not lead anywhere: {key!r} is missing",
                suggestion(key, known) or "declare another FileDrop(record_path=…)",
            )
        document = document[key]
    if isinstance(document, list):
        return document
    arrays = [key for key, value in document.items() if isinstance(value, list)] if isinstance(document, dict) else []
    where = f"at {path!r}" if path else "at its top"
    above = f"{path}." if path else ""
    way_out = " or ".join(f'declare FileDrop(record_path="{above}{key}")' for key in arrays[:3])
    raise file.unreadable(f"{where} it has no array of records", way_out or "declare FileDrop(record_path=…)")
