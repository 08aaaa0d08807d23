"""What a judgement counts: broken rows by rule with samples, and cells by cleansing step."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.gates.judge.batch_view import READABLE, BatchView
from readiness_pipelines.gates.judge.bits import Bit
from readiness_pipelines.gates.judge.dropped import DEDUPLICATE, DroppedRows
from readiness_pipelines.gates.judge.layout import cleansing_counters
from readiness_pipelines.gates.judge.violations import BrokenRows
from readiness_pipelines.gates.schema.rules import Rule
from readiness_pipelines.gates.schema.tests import Checked, GateTest, Readable
from readiness_pipelines.gates.verdict.verdict import CleansedCount, RuleCount
from readiness_pipelines.plain_rows import plain_rows

SAMPLE_ROWS = 10
SAMPLE_COLUMNS = 10
SAMPLE_LENGTH = 1_000
"""Characters, or bytes, of a cell that a sample shows."""
CUT = "…"
FIGURES_AT_ONCE = 300
"""So many are one query: 6,000, of 2,000 rules that are broken, took 20 seconds, nearly all of them to plan."""


def count_cleansed(view: BatchView, dropped: DroppedRows) -> tuple[CleansedCount, ...]:
    """Count the cells that each cleansing step changed, in one pass over the cleansed columns."""
    counters = cleansing_counters(view.layout)
    counts: list[CleansedCount] = []
    if counters:
        sums = [f"count(*) FILTER (WHERE _changed_{index})" for index in range(len(counters))]
        cells = _figures(view, sums, f"{view.rows} WHERE {READABLE}")
        counts = [CleansedCount(column=c, step=s, cells=n) for (c, s), n in zip(counters, cells, strict=True)]
    if dropped.key:
        counts.append(CleansedCount(column=dropped.key, step=DEDUPLICATE, cells=dropped.repeated))
    return tuple(counts)


def count_rules(view: BatchView, broken: BrokenRows, *, rows: int) -> Iterator[tuple[Rule, RuleCount]]:
    """Count the broken rows of every rule that has bits, with samples of the rows as they arrived."""
    by_rule: dict[str, list[Bit]] = {}
    for bit in broken.bits:
        by_rule.setdefault(bit.test.rule.name, []).append(bit)
    if not by_rule:
        return
    figures: list[str] = []
    for bits in by_rule.values():
        for bit in bits if (any_bit := " OR ".join(bit.is_set for bit in bits if bit.place in broken.places)) else ():
            figures.append(f"count(*) FILTER (WHERE {bit.is_set})")
        if any_bit:
            figures.append(f"count(*) FILTER (WHERE {any_bit})")
            figures.append(view.engine.sql.least_rows(SAMPLE_ROWS, broken.table, any_bit))
    answer = _figures(view, figures, broken.table)
    plain: list[tuple[list[Bit], int, list[int], dict[str, int]]] = []
    for bits in by_rule.values():
        if not any(bit.place in broken.places for bit in bits):
            plain.append((bits, 0, [], {}))
            continue
        columns = {bit.column.name if bit.column else "": next(answer) for bit in bits}
        count, sample = next(answer), next(answer)
        plain.append((bits, count, sample, {n: c for n, c in columns.items() if c} if len(bits) > 1 else {}))
    shown_of = {bits[0].test.rule.name: _sample_columns(view, bits, columns) for bits, _, _, columns in plain}
    arrived = _as_arrived(
        view,
        {row for _, _, sample, _ in plain for row in sample},
        {name for bits, _, sample, _ in plain if sample for name in shown_of[bits[0].test.rule.name]},
    )
    for bits, count, sample, columns in plain:
        rule = bits[0].test.rule
        shown = ["_row", "_file", *shown_of[rule.name]]
        chosen = sorted(sample)[: _sample_size(bits[0].test)]
        yield (
            rule,
            RuleCount(
                rule=rule,
                broken_rows=rows if rule.name in broken.batch else count,
                columns=columns,
                samples=tuple({name: arrived[row].get(name) for name in shown} for row in chosen),
                detail=broken.batch.get(rule.name, ""),
                waived_rows=broken.waived.get(rule.name),
            ),
        )


def _figures(view: BatchView, figures: list[str], source: str) -> Iterator[Any]:
    """What aggregates over some rows come to, in their order: some of them a query."""
    for first in range(0, len(figures), FIGURES_AT_ONCE):
        some = ", ".join(figures[first : first + FIGURES_AT_ONCE])
        yield from view.engine.fetch(f"SELECT {some} FROM {source}")[0]


def _as_arrived(view: BatchView, rows: set[int], columns: set[str]) -> dict[int, dict[str, Any]]:
    """Some columns of rows as they arrived, by ``_row``; of a large cell its beginning."""
    if not rows:
        return {}
    sql = view.engine.sql
    arrived = [field for field in view.engine.schema(view.source) if field.name in columns]
    shown = ", ".join(["_row", "_file", *(_beginning(field, sql) for field in arrived)])
    chosen = ", ".join(str(row) for row in sorted(rows))
    table = view.engine.arrow(f"SELECT {shown} FROM {view.source} WHERE _row IN ({chosen})")
    return {row["_row"]: {name: _cut(value) for name, value in row.items()} for row in plain_rows(table)}


def _beginning(field: pa.Field, sql: Dialect) -> str:
    """SQL: a text, or its beginning where it is long; other values as they are."""
    name = sql.identifier(field.name)
    if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
        return name
    cut = f"concat(left({name}, {SAMPLE_LENGTH}), {sql.literal(CUT)})"
    return f"CASE WHEN length({name}) > {SAMPLE_LENGTH} THEN {cut} ELSE {name} END AS {name}"


def _cut(value: Any) -> Any:
    """A value, or its beginning where it is long: bytes as bytes, lists and records as text."""
    if isinstance(value, bytes):
        return value[:SAMPLE_LENGTH]
    if isinstance(value, list | dict) and len(text := str(value)) > SAMPLE_LENGTH:
        return text[:SAMPLE_LENGTH] + CUT
    return value


def _sample_columns(view: BatchView, bits: list[Bit], columns: Mapping[str, int]) -> list[str]:
    """The columns that a rule's samples show: its own, or those that broke where it is about many."""
    test = bits[0].test
    if isinstance(test, Readable):
        return ["_unreadable", "_unreadable_reason"]
    if columns:
        return sorted(columns, key=lambda name: -columns[name])[:SAMPLE_COLUMNS]
    if bits[0].column:
        return [bits[0].column.name]
    return list(test.rule.columns or view.names)[:SAMPLE_COLUMNS]


def _sample_size(test: GateTest) -> int:
    size = test.check.n_failure_cases if isinstance(test, Checked) else None
    return SAMPLE_ROWS if size is None else size
