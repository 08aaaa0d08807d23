"""A test of a drafted domain: that a row of the sample passes, and one that lacks a value does not."""

from collections.abc import Mapping
from datetime import date, datetime

import pyarrow as pa

from readiness_pipelines.contracts.cleansing import Categories, Dates
from readiness_pipelines.drafting.columns import ColumnDraft
from readiness_pipelines.drafting.draft import DomainDraft
from readiness_pipelines.drafting.judging import gate_of_draft
from readiness_pipelines.drafting.model import missing_words
from readiness_pipelines.drafting.python_text import value_text, wrapped
from readiness_pipelines.drafting.table import TableDraft
from readiness_pipelines.gates import DuckDbEngine, Gate, Publish
from readiness_pipelines.gates.schema.rules import rule_name
from readiness_pipelines.sql import locked_connection

_DAY, _TIME = date(1970, 1, 1), datetime(1970, 1, 1)  # noqa: DTZ001  # a wall clock's
_ROW_COLUMNS = {"_batch": "batch", "_row": 0, "_file": "drafted", "_unreadable": None, "_unreadable_reason": None}


def project_test(draft: DomainDraft) -> str:
    """The text of a test of a drafted domain. No value of a column about persons is in it: made-up ones are."""
    rows = {table.name: _tested_row(table) for table in draft.tables}
    lines = ['"""What the gates say of rows: a test of each rule that somebody would miss."""', ""]
    tested = [table for table in draft.tables if rows[table.name] is not None]
    models = ", ".join(sorted(table.model for table in draft.tables))
    if tested:
        lines += [f"from {draft.name} import {models}", ""]
        lines += ["from readiness_pipelines.gates import Gate", "from readiness_pipelines.testing import judge"]
        for table in tested:
            lines += _tests_of(table, rows[table.name] or {})
    else:
        lines += [f"from {draft.name} import domain", "", "from readiness_pipelines.delivery.gates import gate_of"]
        lines += ["", "", "def test_every_gate_can_be_built():", "    for table in domain.tables:"]
        lines += ["        assert gate_of(table).rules"]
    return "\n".join([*lines, ""])


def _tests_of(table: TableDraft, row: Mapping[str, str | None]) -> list[str]:
    constant = f"{table.name.upper()}_ROW"
    words = missing_words(table)
    gate = f"Gate({table.model}, missing={value_text(words)})" if words else f"Gate({table.model})"
    lines = ["", *wrapped(f"{constant} = {value_text(dict(row))}", ""), ""]
    lines += ["", f"def test_a_row_of_{table.name}_that_keeps_every_rule_is_published():"]
    lines += [f"    assert len(judge({gate}, {constant}).published) == 1"]
    if (column := _required(table)) is not None:
        lines += ["", "", f"def test_a_row_of_{table.name}_without_{column.names.field}_waits():"]
        lines += [f"    row = {{**{constant}, {value_text(column.names.name)}: None}}"]
        broken = rule_name(column.names.name, "not_nullable")
        lines += [f"    judge({gate}, {constant}, row).assert_breaks({{1: {value_text(broken)}}})"]
    return lines


def _required(table: TableDraft) -> ColumnDraft | None:
    """A column without which a row waits; ``None`` where there is none, or several columns are the key of a row."""
    if len(table.key.columns) > 1:
        return None  # two rows that are alike but for it would break that rule, too
    found = [one for one in table.columns if not table.nullable(one)]
    keys = [one for one in found if one.names.name in table.key.columns]
    return next(iter(keys or found), None)


def _tested_row(table: TableDraft) -> Mapping[str, str | None] | None:
    """A row that passes, with made-up values in place of those of persons; ``None`` where there is none."""
    if table.judgement.good is None:
        return None
    made_up = {
        column.names.name: _made_up(column, table.judgement.good[column.names.name])
        if column.personal or column.proposal
        else table.judgement.good[column.names.name]
        for column in table.columns
    }
    row = {**table.judgement.good, **made_up}
    return row if _passes(gate_of_draft(table), row) else None


def _passes(gate: Gate, row: Mapping[str, str | None]) -> bool:
    rows = pa.table({**{name: pa.array([value], pa.string()) for name, value in row.items()}, **_framework()})
    with locked_connection() as connection:
        return isinstance(gate.judge(rows, DuckDbEngine(connection)).outcome, Publish)


def _framework() -> dict[str, pa.Array]:
    return {
        name: pa.array([value], pa.int64() if name == "_row" else pa.string()) for name, value in _ROW_COLUMNS.items()
    }


def _made_up(column: ColumnDraft, value: str | None) -> str | None:
    if value is None:
        return None
    kind, steps = column.reading.type, column.reading.steps
    formats = next((step.formats[0] for step in steps if isinstance(step, Dates)), None)
    if pa.types.is_date(kind):
        return _DAY.strftime(formats or "%Y-%m-%d")
    if pa.types.is_timestamp(kind):
        return _TIME.strftime(formats or "%Y-%m-%d %H:%M:%S")
    if pa.types.is_string(kind):
        return "someone@example.org" if "@" in value else "someone"
    if any(isinstance(step, Categories) for step in steps) or pa.types.is_boolean(kind):
        return value
    return "1"
