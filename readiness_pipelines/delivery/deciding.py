"""Decisions about a batch, checked against its rows before they are kept."""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery.decided import corrected
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.judging import judged_rows
from readiness_pipelines.delivery.names import Gated, batch_ref, published_table
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.gates import TOLERANCE
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import (
    CellCorrection,
    Correction,
    Decision,
    Discarding,
    Undoing,
    Waiver,
    What,
    in_force,
)

UNWAIVABLE = frozenset({"readable", "columns_present"})
"""Rules without which there is nothing to publish."""

MOST_CELLS = 200_000
"""What a ledger keeps of one file of corrections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision that was kept, and how many rows it touches; ``None`` for the whole batch."""

    decision: Decision
    rows: int | None


def decide(
    path: DataPath, table: Gated, what: What, *, batch: str, why: str, installation: Installation, run: Run
) -> Decided:
    """Check a decision against the batch's rows and keep it. It takes effect when the batch is replayed.

    Raises:
        UnknownNameError: A column or rule that is not there; names the nearest.
        DeclarationError: An expression that DuckDB refuses, reads other tables, or gives another answer every time; a
            rule that cannot be waived; a condition that no row meets.
        LedgerError: No reason, an unknown batch, or nothing to undo.
    """
    ref = batch_ref(path, published_table(path, table), batch)
    rows = None
    if not isinstance(what, Undoing):
        with _current_rows(path, table, batch=batch, installation=installation, run=run) as (current, engine):
            rows = _touched(path, table, what, current, engine)
    decision = installation.ledger.decide(ref, what, who=run.who, why=why, at=run.clock())
    return Decided(decision=decision, rows=rows)


def read_cells(file: Path) -> CellCorrection:
    """Corrections from a CSV or Parquet file with a column ``_row`` and a column for each that is to be set.

    An empty field means "no value".

    Raises:
        DeclarationError: A file that cannot be read, without ``_row``, with a row twice, or too large.
    """
    try:
        rows = pq.read_table(file).to_pylist() if file.suffix == ".parquet" else list(_csv_rows(file))
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{file} cannot be read: {error}", way_out="give a CSV or Parquet file") from error
    columns = [name for name in (rows[0] if rows else {}) if name != "_row"]
    if not rows or "_row" not in rows[0] or not columns:
        raise DeclarationError(
            f"{file} has no rows with a column _row and a column to set",
            way_out="begin with: readiness quarantine export BATCH",
        )
    cells: dict[str, dict[str, str | None]] = {name: {} for name in columns}
    for row in rows:
        number = str(row["_row"]).strip()
        if not number.isdigit() or number in cells[columns[0]]:
            raise DeclarationError(
                f"{file} names the row {row['_row']!r}, which is no number or there twice",
                way_out="name each row once, by its _row",
            )
        for name in columns:
            cells[name][number] = None if row[name] in (None, "") else str(row[name])
    if len(rows) * len(columns) > MOST_CELLS:
        raise DeclarationError(
            f"{file} has {len(rows) * len(columns):,} cells, more than the {MOST_CELLS:,} that a decision keeps",
            way_out="use an expression: --set 'column = …' --where …",
        )
    return CellCorrection(cells=cells, file=file.name)


def _csv_rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        yield from csv.DictReader(lines, strict=True)


@contextmanager
def _current_rows(
    path: DataPath, table: Gated, *, batch: str, installation: Installation, run: Run
) -> Iterator[tuple[duckdb.DuckDBPyRelation, duckdb.DuckDBPyConnection]]:
    """The batch's rows with the corrections in force: what the next decision is about."""
    ref = batch_ref(path, published_table(path, table), batch)
    decisions = in_force(installation.ledger.decisions(ref), at=run.clock())
    with installation.engine() as engine:
        given = judged_rows(path, table, batch=batch, installation=installation, engine=engine)
        yield corrected(given.rows, decisions, engine), engine


def _touched(
    path: DataPath, table: Gated, what: What, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection
) -> int | None:
    """How many rows a decision touches, after checking that it can."""
    match what:
        case Correction(column=column, expression=expression, where=where):
            _check_column(column, rows)
            _check_expression(expression, rows, engine)
            count = _count(rows, where, engine)
            kind = dict(zip(rows.columns, map(str, rows.types), strict=True))[column]
            rows.filter(where or "true").aggregate(f"count(CAST(({expression}) AS {kind}))").fetchall()
            return count
        case CellCorrection(cells=cells, file=file):
            for column in cells:
                _check_column(column, rows)
            wanted = {int(row) for values in cells.values() for row in values}
            known = {row for (row,) in rows.project("_row").fetchall()}
            if strange := sorted(wanted - known):
                raise DeclarationError(
                    f"{file} names rows that the batch does not have: {', '.join(map(str, strange[:5]))}",
                    way_out="name rows by the _row that `readiness quarantine rows` shows",
                )
            return len(wanted)
        case Waiver(rule=rule, where=where):
            names = [known.name for known in gate_of(path, table).rules]
            if rule not in (*names, TOLERANCE):
                raise UnknownNameError("rule", rule, [*names, TOLERANCE])
            if rule in UNWAIVABLE:
                raise DeclarationError(
                    f"the rule {rule!r} cannot be waived: without it there is nothing to publish",
                    way_out="discard the rows, or mend the source and run the batch again",
                )
            return None if where is None else _count(rows, where, engine)
        case Discarding(where=where):
            return None if where is None else _count(rows, where, engine)
        case _:
            return None


def _check_column(column: str, rows: duckdb.DuckDBPyRelation) -> None:
    names = [name for name in rows.columns if not name.startswith("_")]
    if column not in names:
        raise UnknownNameError("column to correct", column, names)


def _count(rows: duckdb.DuckDBPyRelation, where: str | None, engine: duckdb.DuckDBPyConnection) -> int:
    """How many rows meet a condition.

    Raises:
        DeclarationError: A condition that cannot be evaluated, or that no row meets.
    """
    if where is not None:
        _check_expression(where, rows, engine)
    try:
        ((count,),) = rows.filter(where or "true").aggregate("count(*)").fetchall()
    except duckdb.Error as error:
        raise _refused(str(where), error) from error
    if not count:
        raise DeclarationError(
            f"no row of the batch meets the condition {where!r}", way_out="look at them: readiness quarantine rows"
        )
    return int(count)


def _check_expression(text: str, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection) -> None:
    """Refuse what is not one expression over the row's own columns with the same answer every time."""
    try:
        ((tree,),) = engine.execute("SELECT json_serialize_sql($text)", {"text": f"SELECT ({text})"}).fetchall()
        parsed = json.loads(tree)
        if parsed.get("error"):
            raise _refused(text, ValueError(parsed.get("error_message", "it cannot be parsed")))
        (statement,) = parsed["statements"]
        names = set(_functions(statement["node"]["select_list"]))
        if (
            "" in names
            or len(statement["node"]["select_list"]) != 1
            or statement["node"]["from_table"]["type"] != "EMPTY"
        ):
            raise DeclarationError(
                f"{text!r} reads more than the row", way_out="use the row's own columns, without sub-queries"
            )
        volatile = engine.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            "WHERE stability IS NOT NULL AND stability <> 'CONSISTENT' AND list_contains($names, function_name)",
            {"names": sorted(names)},
        ).fetchall()
        if volatile:
            raise DeclarationError(
                f"{text!r} gives another answer every time: {', '.join(name for (name,) in volatile)}",
                way_out="use functions of the row's columns alone: a replay must give the same rows again",
            )
        rows.project(f"({text})").limit(0).fetchall()
    except duckdb.Error as error:
        raise _refused(text, error) from error


def _functions(node: Any) -> Iterator[str]:
    """The functions that a parsed expression calls; "" where it holds a sub-query."""
    if isinstance(node, dict):
        if node.get("class") == "SUBQUERY":
            yield ""
        if node.get("class") in ("FUNCTION", "WINDOW"):
            yield str(node.get("function_name", ""))
        if node.get("class") == "COLUMN_REF":
            # The time of day is written like a column: current_date.
            yield str(node.get("column_names", [""])[-1])
        for inner in node.values():
            yield from _functions(inner)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for inner in node:
            yield from _functions(inner)


def _refused(text: str, error: Exception) -> DeclarationError:
    return DeclarationError(
        f"DuckDB refuses {text!r}: {str(error).splitlines()[0]}",
        way_out="write an expression over the batch's columns, texts in single quotes: diag_1 = '8'",
    )
