"""What the gate of a drafted model says of the sample: the page's own text is what judges it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.drafting.model import missing_words, model_text, step_names
from readiness_pipelines.drafting.table import FailingRule, Judgement, TableDraft
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
    return Gate(module[table.model], name=table.name, missing=missing_words(table))


def judge_draft(table: TableDraft, rows: pa.Table) -> Judgement:
    """Judge the sample, each of its batches by itself.

    Args:
        table: What is proposed.
        rows: The sample as raw rows, ``_row`` counted over all of it.

    Raises:
        GateBuildError: The model cannot become a gate.
    """
    gate = gate_of_draft(table)
    held: dict[str, str] = {}
    shares: dict[str, float] = {}
    failed = 0
    broken: dict[str, FailingRule] = {}
    waiting: list[int] = []
    for batch in pc.unique(rows.column("_batch")).to_pylist() or [""]:
        with locked_connection() as connection:
            engine = DuckDbEngine(connection)
            of_batch = rows.filter(pc.equal(rows.column("_batch"), batch))
            verdict = gate.judge(of_batch, engine)
            if isinstance(verdict.outcome, Hold):
                held[batch] = verdict.outcome.reason
            failed += verdict.failed_rows
            shares[batch] = verdict.failed_rows / max(of_batch.num_rows, 1)
            if verdict.quarantined_rows:
                waiting += engine.collect(verdict.quarantined).column("_row").to_pylist()
        for count in verdict.rules:
            if count.broken_rows:
                before = broken.get(count.rule.name)
                broken[count.rule.name] = _added(before, _broken(count, table))
    return Judgement(
        held=held,
        shares=shares,
        rows=rows.num_rows,
        failed=failed,
        broken=tuple(broken.values()),
        good=_good_row(table, rows, waiting),
    )


def _added(before: FailingRule | None, more: FailingRule) -> FailingRule:
    if before is None:
        return more
    values = tuple(dict.fromkeys((*before.values, *more.values)))[:_MOST_VALUES]
    return replace(before, rows=before.rows + more.rows, values=values)


def _broken(count: RuleCount, table: TableDraft) -> FailingRule:
    columns = tuple(count.rule.columns)
    shown: tuple[str, ...] = ()
    # A value of a person's column stays where it is; an empty one is no value.
    if len(columns) == 1 and columns[0] not in table.personal:
        values = [row.get(columns[0]) for row in count.samples]
        shown = tuple(dict.fromkeys(shortened(str(value)) for value in values if value is not None))[:_MOST_VALUES]
    return FailingRule(
        rule=count.rule.name,
        columns=columns,
        rows=count.broken_rows,
        reason=count.rule.reason,
        values=shown,
    )


def _good_row(table: TableDraft, rows: pa.Table, waiting: Sequence[int]) -> Mapping[str, str | None] | None:
    """The first row that passes, as text."""
    passed = rows.filter(pc.invert(pc.is_in(rows.column("_row"), value_set=pa.array(waiting, pa.int64()))))
    if not passed.num_rows:
        return None
    first = passed.slice(0, 1)
    found: dict[str, str | None] = {}
    families = (column for family in table.families for column in family.columns)
    for column in (*table.columns, *families):
        values = first.column(column.names.name)
        if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
            return None
        found[column.names.name] = as_text(values).to_pylist()[0]
    return found
