"""Rows of a JSON Lines file, as text: numbers as they are written, nested values as JSON."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.sources.files import SourceFile, inspect_text
from readiness_pipelines.sources.rows import ROWS_PER_BATCH, check_columns, row_batch


class _Number(str):
    """A number, as it is written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class JsonLinesFile:
    """A JSON Lines file that is whole, with the keys of all its objects, in the order they first appear."""

    file: SourceFile
    columns: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        """Its columns, all text."""
        return pa.schema([(name, pa.string()) for name in self.columns])

    def batches(self) -> Iterator[pa.Table]:
        """Its rows."""
        lines: list[tuple[int, dict[str, Any] | None, str | None, str | None]] = []
        for place, (number, values, text, reason) in enumerate(_lines(self.file)):
            lines.append((place, values, text, None if reason is None else f"line {number}: {reason}"))
            if len(lines) >= ROWS_PER_BATCH:
                yield self._batch(lines)
                lines = []
        if lines:
            yield self._batch(lines)

    def _batch(self, lines: list[tuple[int, dict[str, Any] | None, str | None, str | None]]) -> pa.Table:
        columns = [
            pa.array([None if values is None else _as_text(values.get(name)) for _, values, _, _ in lines], pa.string())
            for name in self.columns
        ]
        places, _, texts, reasons = zip(*lines, strict=True)
        return row_batch(columns, self.columns, places=places, unreadable=texts, reasons=reasons)


def open_json_lines(file: SourceFile) -> JsonLinesFile:
    """Look a JSON Lines file over, and collect its keys.

    Raises:
        FileUnreadableError: It is cut off, no UTF-8, or has a key that the framework adds itself.
    """
    inspect_text(file)
    keys: dict[str, None] = {}
    for _, values, _, _ in _lines(file):
        if values is not None:
            keys.update(dict.fromkeys(values))
    return JsonLinesFile(file, check_columns(file, list(keys)))


def _lines(file: SourceFile) -> Iterator[tuple[int, dict[str, Any] | None, str | None, str | None]]:
    """Each line that is not blank: its number, and its values, or its text and the reason why it has none."""
    with io.BufferedReader(file.open()) as stream:  # Arrow's own file has no lines
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(
                    line.decode("utf-8-sig"), parse_float=_Number, parse_int=_Number, parse_constant=_Number
                )
            except UnicodeDecodeError:
                yield number, None, _shown(line), "it is not UTF-8"
            except (json.JSONDecodeError, RecursionError) as error:
                yield number, None, _shown(line), f"it is not JSON ({error})"
            else:
                if isinstance(values, dict):
                    yield number, values, None, None
                else:
                    yield number, None, _shown(line), "it is not a JSON object"


def _shown(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")


def _as_text(value: Any) -> str | None:
    """A value as text: strings as they are, everything else as JSON."""
    if value is None:
        return None
    return str(value) if isinstance(value, str) else _as_json(value)


def _as_json(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_as_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_as_json(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)
