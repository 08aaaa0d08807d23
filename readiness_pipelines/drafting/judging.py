"""What the gate of a drafted model says of the sample: the page's own text is what judges it."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.drafting.model import model_text, step_names
from readiness_pipelines.drafting.table import Broken, Judgement, TableDraft
from readiness_pipelines.drafting.words import shortened
from readiness_pipelines.gates import DuckDbEngine, Gate, Hold, RuleCount
from readiness_pipelines.sources.unify import as_text
from readiness_pipelines.sql import locked_connection

_MOST_VALUES = 3


def gate_of_draft(table: TableDraft) -> Gate:
    """The gate that the page will have, without its tolerance.

    Raises:
        GateBuildError: The model cannot become a gate.
    """
    names = ", ".join(["cleanse", *sorted(step_names(table))])
    text = (
        "import pandera.pyarrow as pa\nimport pyarrow as arrow\n"
        f"from readiness_pipelines import {names}\n\n{model_text(table)}\n"
    )
    module: dict[str, Any] = {"__name__": f"drafted_{table.name}"}
    # The text is what is written as the page, in which each name and value is a quoted one.
    exec(compile(text, f"{table.name} (drafted)", "exec"), module)  # noqa: S102
    return Gate(module[table.model], name=table.name, missing=tuple(table.options.get("missing", ())))


def judge_draft(table: TableDraft, rows: pa.Table) -> Judgement:
    """Judge the sample.

    Args:
        table: What is proposed.
        rows: The sample as raw rows, ``_row`` counted over all of it.

    Raises:
        GateBuildError: The model cannot become a gate.
    """
    gate = gate_of_draft(table)
    with locked_connection() as connection:
        engine = DuckDbEngine(connection)
        verdict = gate.judge(rows, engine)
        held = verdict.outcome.reason if isinstance(verdict.outcome, Hold) else ""
        waiting = engine.collect(verdict.quarantined).column("_row") if verdict.failed_rows and not held else None
    return Judgement(
        held=held,
        rows=verdict.ingested_rows,
        failed=verdict.failed_rows,
        broken=tuple(_broken(count, table) for count in verdict.rules if count.broken_rows),
        good=None if held else _good_row(table, rows, waiting),
    )


def _broken(count: RuleCount, table: TableDraft) -> Broken:
    columns = tuple(count.rule.columns)
    shown: tuple[str, ...] = ()
    # A value of a person's column stays where it is; an empty one is no value.
    if len(columns) == 1 and columns[0] not in table.personal:
        values = [row.get(columns[0]) for row in count.samples]
        shown = tuple(dict.fromkeys(shortened(str(value)) for value in values if value is not None))[:_MOST_VALUES]
    return Broken(
        rule=count.rule.name,
        columns=columns,
        rows=count.broken_rows,
        reason=count.rule.reason,
        values=shown,
    )


def _good_row(table: TableDraft, rows: pa.Table, waiting: pa.ChunkedArray | None) -> Mapping[str, str | None] | None:
    """The first row that passes, as text."""
    passed = rows if waiting is None else rows.filter(pc.invert(pc.is_in(rows.column("_row"), value_set=waiting)))
    if not passed.num_rows:
        return None
    first = passed.slice(0, 1)
    found: dict[str, str | None] = {}
    for column in table.columns:
        values = first.column(column.names.name)
        if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
            return None
        found[column.names.name] = as_text(values).to_pylist()[0]
    return found
