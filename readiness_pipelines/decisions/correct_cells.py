"""A correction of single cells, from a file."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from readiness_pipelines.decisions.expressions import check_column, column_type, evaluate, named_view
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.masking import Classes, quoted, quoted_value
from readiness_pipelines.sql import identifier

if TYPE_CHECKING:
    from readiness_pipelines.gates import Gate  # to read decisions, no gate is built

MOST_CELLS = 200_000
"""What a ledger keeps of one file of corrections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCorrection:
    """Single cells, from a file. Raw keeps what arrived.

    Attributes:
        cells: Values by ``_row``, by column; text, or null.
        file: The file's name, for people.
        erased: The cells whose values were erased, by column: their rows are not there any more, or it cannot be
            applied.
        delivery: The delivery of the batch that it is about, by whose numbers it names rows; ``None`` where
            an older program kept it, or numbers always mean the same rows.
    """

    kind: ClassVar[str] = "correct_cells"
    verb: ClassVar[str] = "correct"

    cells: Mapping[str, Mapping[str, str | None]]
    file: str
    erased: Mapping[str, frozenset[str]] = field(default_factory=dict)
    delivery: str | None = None

    def describe(self) -> str:
        """The decision on one line, for people."""
        count = sum(len(values) for values in self.cells.values())
        return f"{count:,} cell{'' if count == 1 else 's'} of {', '.join(self.cells)} from {self.file}"

    def to_json(self) -> dict[str, Any]:
        """The decision as JSON, without its values."""
        return {"file": self.file} if self.delivery is None else {"file": self.file, "delivery": self.delivery}

    def values(self) -> dict[str, Any]:
        """The values that it names, by ``column/row``: they can be erased."""
        return {f"{column}/{row}": value for column, cells in self.cells.items() for row, value in cells.items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], erased: Mapping[str, datetime]) -> "CellCorrection":
        """The decision as it was stored, with its values as far as they are there."""
        if "cells" in content:
            return cls(cells=content["cells"], file=content["file"])  # of a ledger in which decisions kept their values
        cells: dict[str, dict[str, str | None]] = {}
        for part, value in content.items():
            if part not in ("file", "delivery"):
                column, _, row = part.rpartition("/")
                cells.setdefault(column, {})[row] = value
        gone: dict[str, set[str]] = {}
        for part in erased:
            column, _, row = part.rpartition("/")
            gone.setdefault(column, set()).add(row)
        erased_cells = {column: frozenset(rows) for column, rows in gone.items()}
        return cls(cells=cells, file=content["file"], erased=erased_cells, delivery=content.get("delivery"))

    def redacted(self, classes: Classes) -> "CellCorrection":  # noqa: ARG002  # as every kind
        """The decision: of its values, only how many there are is said anyway."""
        return self

    def erased_rows(self, rows: duckdb.DuckDBPyRelation) -> int:
        """How many of some rows have a cell whose value was erased."""
        gone = ", ".join(sorted({str(int(row)) for cells in self.erased.values() for row in cells}))
        if not gone:
            return 0
        ((count,),) = rows.filter(f"_row IN ({gone})").aggregate("count(*)").fetchall()
        return int(count)

    def check(self, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, gate: "Gate") -> int:  # noqa: ARG002  # as every kind
        """How many rows it touches.

        Raises:
            UnknownNameError: No such column.
            DeclarationError: Rows that the batch does not have, a row twice, or a value that a column cannot hold.
        """
        for column, cells in self.cells.items():
            check_column(column, rows)
            if len({int(row) for row in cells}) < len(cells):
                raise DeclarationError(
                    f"{self.file} names a row twice, as 1 and 01 do", way_out="name each row once, by its _row"
                )
        wanted = {int(row) for values in self.cells.values() for row in values}
        known = {row for (row,) in rows.project("_row").fetchall()}
        if unknown := sorted(wanted - known):
            raise DeclarationError(
                f"{self.file} names rows that the batch does not have: {', '.join(map(str, unknown[:5]))}",
                way_out="name rows by the _row that `readiness quarantine rows` shows",
            )
        try:
            evaluate(self.apply(rows, engine), *self.cells)
        except duckdb.Error as error:
            kinds = ", ".join(f"{column} {column_type(rows, column)}" for column in self.cells)
            raise DeclarationError(
                f"{self.file} has a value that its column cannot hold: {quoted(error)}",
                way_out=f"the columns are: {kinds}",
            ) from error
        return len(wanted)

    def apply(self, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """The rows, corrected.

        Raises:
            duckdb.Error: It cannot be applied to these rows.
            KeyError: A column is not there.
        """
        for name, cells in self.cells.items():
            view, values = named_view(rows), f"cells_{uuid4().hex[:12]}"
            column, kind = identifier(name), column_type(rows, name)
            # An older program kept a row that was named twice, as 1 and 01: joined to both, it would be there twice.
            by_row = {int(row): value for row, value in cells.items()}
            numbers, texts = pa.array(list(by_row), pa.int64()), pa.array(list(by_row.values()), pa.string())
            engine.register(values, pa.table({"_row": numbers, "value": texts}))
            value = f"CASE WHEN c._row IS NULL THEN r.{column} ELSE CAST(c.value AS {kind}) END"
            joined = f"{view} r LEFT JOIN {values} c ON r._row = c._row"
            rows = engine.sql(f"SELECT r.* REPLACE ({value} AS {column}) FROM {joined}")  # noqa: S608  # names are quoted
        return rows


def read_cells(file: Path) -> CellCorrection:
    """Corrections from a CSV or Parquet file with a column ``_row`` and a column for each that is to be set.

    An empty field means "no value".

    Raises:
        DeclarationError: A file that cannot be read, without ``_row``, with a row twice, or too large.
    """
    try:
        rows = pq.read_table(file).to_pylist() if file.suffix == ".parquet" else list(_csv_rows(file))
    except (OSError, ValueError, pa.ArrowException, csv.Error) as error:
        raise DeclarationError(
            f"{file} cannot be read: {quoted(error)}", way_out="give a CSV or Parquet file"
        ) from error
    if any(None in row for row in rows):
        raise DeclarationError(f"{file} has a row with more fields than columns", way_out="quote fields with commas")
    columns = [name for name in (rows[0] if rows else {}) if name != "_row"]
    if not rows or "_row" not in rows[0] or not columns:
        raise DeclarationError(
            f"{file} has no rows with a column _row and a column to set",
            way_out="begin with: readiness quarantine export BATCH",
        )
    if len(rows) * len(columns) > MOST_CELLS:
        raise DeclarationError(
            f"{file} has {len(rows) * len(columns):,} cells, more than the {MOST_CELLS:,} that a decision keeps",
            way_out="use an expression: --set 'column = …' --where …",
        )
    return CellCorrection(cells=_cells(file, rows, columns), file=file.name)


def _cells(file: Path, rows: list[dict[str, Any]], columns: list[str]) -> dict[str, dict[str, str | None]]:
    cells: dict[str, dict[str, str | None]] = {name: {} for name in columns}
    for place, row in enumerate(rows, 1):
        said = str(row["_row"]).strip()
        number = str(int(said)) if re.fullmatch("[0-9]{1,18}", said) else ""
        if not number or number in cells[columns[0]]:
            raise DeclarationError(
                f"{file} names in its row {place} the _row {quoted_value(row['_row'])}, which is not a number, or is "
                "there twice",
                way_out="name each row once, by its _row",
            )
        for name in columns:
            cells[name][number] = None if row[name] in (None, "") else str(row[name])
    return cells


def _csv_rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        yield from csv.DictReader(lines, strict=True)
