"""A plan and its evaluation as sections of lines and small tables, for a terminal, for Markdown, and as JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table as RichTable
from rich.text import Text

from readiness_pipelines.batches import BatchState, in_order
from readiness_pipelines.cli.output import OUT, count_batches, count_of, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.contracts import Kpi, Table
from readiness_pipelines.delivery import EvaluatedBatch, Evaluation, KpiChange
from readiness_pipelines.json_values.status import counts_value, kpi_change_value
from readiness_pipelines.lakehouse import WAY_OUT_OF_OTHER_TYPES
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import Plan, TablePlan
from readiness_pipelines.products import combined, format_value
from readiness_pipelines.reports.markdown import escape_markdown

SHOWN = 20
"""So many batches are listed; all are in the JSON."""

_NUMBERS = frozenset({"published", "out", "in"})
_STYLES = {"breaking": "bold red", "tightened": "yellow", "loosened": "green", "cosmetic": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines, and a table below them.

    Attributes:
        title: What it is about; "" for none.
        lines: What is said first.
        columns: The table's columns; none for no table.
        rows: Its rows.
    """

    title: str
    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def plan_sections(plan: Plan, undeclared: Mapping[TableId, int]) -> Iterator[Section]:
    """What would change, table by table, and what follows from it.

    Args:
        plan: The plan.
        undeclared: The tables that are not in the code any more, with how many batches each has.
    """
    for table in plan.tables:
        yield from _table_sections(table)
    if undeclared:
        yield Section(
            title="Not declared any more",
            lines=[f"{table}: its {count_batches(count)} stay as they are" for table, count in undeclared.items()],
        )
    if not plan.decides:
        words = " but words for people" if any(table.gates for table in plan.tables) else ""
        yield Section(title="", lines=[f"no batch would be judged again: nothing changes{words}"])
        return
    lines = [f"{count_batches(len(plan.batches))} would be judged again"]
    if plan.readers:
        names = ", ".join(map(str, plan.readers))
        lines.append(f"up to {count_batches(len(plan.downstream))} computed from them would follow, of {names}")
    if plan.products:
        lines.append(f"KPIs touched: {', '.join(map(str, plan.products))}")
    yield Section(title="What follows", lines=lines)


def _table_sections(table: TablePlan) -> Iterator[Section]:
    for gate in table.gates:
        before = "the words of its gate" if gate.before == gate.after else f"gate {gate.before} → {gate.after}"
        yield Section(
            title=f"{table.table}: {before}",
            lines=[] if gate.changes else ["nothing that can be compared by rule"],
            columns=("change", "of", "before", "after") if gate.changes else (),
            rows=[(one.kind.value, one.what, one.before, one.after) for one in gate.changes],
        )
    if table.transforms:
        yield Section(
            title=f"{table.table}: what it is computed by",
            columns=("of", "before", "after"),
            rows=[(one.what, one.before, one.after) for one in table.transforms],
        )
    if table.refused:
        types = [
            f"breaking: column {one.column} is {one.there} in the table, and {one.given} in the code: no batch can be "
            "published so"
            for one in table.refused
        ]
        yield Section(title=f"{table.table}: types that it cannot hold", lines=[*types, WAY_OUT_OF_OTHER_TYPES])
    lines = []
    if table.stuck:
        lines.append(
            f"{table.table}: {count_batches(table.stuck)} cannot be judged again: what they are made of is gone"
        )
    if table.unknown:
        lines.append(f"{table.table}: of {count_batches(table.unknown)} it is not known what computed them; they stay")
    if lines:
        yield Section(title="", lines=lines)


def evaluation_sections(plan: Plan, found: Evaluation, tables: Mapping[TableId, Table]) -> Iterator[Section]:
    """What would move, and what the KPIs would be."""
    different = [one for one in found.judged if one.differs or one.error]
    yield Section(title="Evaluated", lines=list(_summary(plan, found)))
    if different:
        newest = different[::-1][:SHOWN]
        more = f": the newest {len(newest)} of {len(different):,}" if len(different) > len(newest) else ""
        yield Section(
            title=f"Batches that would come out otherwise{more}",
            lines=["out: rows that would go to quarantine; in: rows that would be published"],
            columns=("batch", "would be", "published", "out", "in"),
            rows=[_batch_row(one) for one in newest],
        )
    followed = [one for one in found.followed if one.differs or one.error]
    if found.followed:
        names = dict.fromkeys(str(one.ref.table) for one in followed)
        where = f": {', '.join(names)}" if names else ""
        yield Section(
            title="",
            lines=[f"{count_batches(len(found.followed))} computed again, {len(followed):,} with other rows{where}"],
        )
    broken = [one for one in (*found.judged, *found.followed) if one.error]
    if broken:
        yield Section(title="", lines=[f"{one.ref} breaks: {one.error}" for one in broken[:SHOWN]])
    for change in found.kpis:
        kpi = tables[change.kpi]
        if isinstance(kpi, Kpi):
            yield _kpi_section(kpi, change)


def _summary(plan: Plan, found: Evaluation) -> Iterator[str]:
    judged = found.judged
    differing = sum(one.differs for one in judged)
    yield f"{len(judged):,} of {count_batches(len(plan.batches))}; {differing:,} would come out otherwise"
    moved = [one.moved for one in judged if one.moved is not None]
    quarantined = sum(one.to_quarantine for one in moved)
    published = sum(one.to_published for one in moved)
    if moved:
        yield f"{_rows(quarantined)} would move to quarantine, {_rows(published)} to published"
    if discarded := sum(one.to_discarded for one in moved):
        yield f"{_rows(discarded)} would be discarded"
    if restored := sum(one.from_discarded for one in moved):
        yield f"{_rows(restored)} would be discarded no longer"
    held = sum(_is_held(one.after.state) and not _is_held(one.before.state) for one in judged)
    freed = sum(_is_held(one.before.state) and not _is_held(one.after.state) for one in judged)
    if held or freed:
        yield f"{count_batches(held)} would be held, {count_batches(freed)} would be held no longer"
    evaluated, of_all = (sum(one.counts.ingested for one in some) for some in (_evaluated(plan, found), plan.batches))
    if len(judged) < len(plan.batches) and moved and evaluated:
        factor = of_all / evaluated
        yield (
            f"of all, by rows, about {_rows(round(quarantined * factor))} to quarantine and "
            f"{_rows(round(published * factor))} to published; --all tells"
        )


def _evaluated(plan: Plan, found: Evaluation) -> list[Any]:
    refs = {one.ref for one in found.judged}
    return [one for one in plan.batches if one.ref in refs]


def _is_held(state: BatchState | None) -> bool:
    return state is BatchState.HELD


def _rows(count: int) -> str:
    return count_of(count, "row")


def _batch_row(one: EvaluatedBatch) -> tuple[str, ...]:
    before, after = one.before, one.after
    state = _state(after.state) if before.state == after.state else f"{_state(before.state)} → {_state(after.state)}"
    rows = f"{before.counts.published:,} → {after.counts.published:,}"
    moved = [f"{one.moved.to_quarantine:,}", f"{one.moved.to_published:,}"] if one.moved else ["–", "–"]
    return (str(one.ref), "breaks" if one.error else state, rows, *moved)


def _state(state: BatchState | None) -> str:
    return state.replace("_", " ") if state else "not there"


def _kpi_section(kpi: Kpi, change: KpiChange) -> Section:
    """A KPI's values of the batches where they differ most, and of all that were evaluated together."""
    batches = list(dict.fromkeys([*change.before, *change.after]))
    numbers = {batch: [_number(side.get(batch)) for side in (change.before, change.after)] for batch in batches}
    differing = [batch for batch in batches if numbers[batch][0] != numbers[batch][1]]
    most = sorted(differing, key=lambda batch: -abs((numbers[batch][1] or 0) - (numbers[batch][0] or 0)))[:SHOWN]
    shown = [batch for batch in in_order(kpi.batches, differing) if batch in most]
    rows = [(batch, *(format_value(number, kpi.unit) for number in numbers[batch])) for batch in shown]
    whole = [combined(kpi, list(side.values())) for side in (change.before, change.after)]
    if len(batches) > 1 and any(whole):
        before, after = (format_value(_number(one), kpi.unit) for one in whole)
        rows.append((f"all {len(batches):,} evaluated", before, after))
    less = f"; those {len(shown)} that differ most" if len(shown) < len(differing) else ""
    return Section(
        title=f"{kpi.id}: {kpi.question}",
        lines=[
            f"another value in {len(differing):,} of {count_batches(len(batches))} that were computed again{less}",
        ],
        columns=("batch", "before", "after") if rows else (),
        rows=rows,
    )


def _number(value: Any) -> float | None:
    return None if value is None else value.value


def print_sections(sections: Iterable[Section]) -> None:
    """Print sections on a terminal; what is long is folded."""
    for section in sections:
        if section.title:
            say((section.title, "bold"))
        for line in section.lines:
            say(f"  {line}" if section.title else line)
        if section.columns:
            OUT.print(_table(section))
        OUT.print()


def _table(section: Section) -> RichTable:
    table = plain_table("")
    table.title = None
    for name in section.columns:
        table.add_column(name, overflow="fold", justify="right" if name in _NUMBERS else "left")
    for row in section.rows:
        table.add_row(Text(row[0], style=_STYLES.get(row[0], "")), *map(Text, row[1:]))
    return table


def markdown_of(sections: Iterable[Section]) -> str:
    """Sections as Markdown, for a pull request."""
    parts: list[str] = []
    for section in sections:
        if section.title:
            parts.append(f"### {escape_markdown(section.title)}")
        if section.lines:
            parts.append("\n".join(f"- {escape_markdown(line)}" for line in section.lines))
        if section.columns:
            lines = [section.columns, ["---"] * len(section.columns), *section.rows]
            parts.append("\n".join(f"| {' | '.join(map(escape_markdown, line))} |" for line in lines))
    return "\n\n".join(parts)


def plan_value(plan: Plan, undeclared: Mapping[TableId, int]) -> dict[str, Any]:
    """A plan as JSON."""
    return {
        "undeclared": {str(table): count for table, count in undeclared.items()},
        "changes": plan.decides,
        "tables": [
            {
                "table": str(table.table),
                "gates": [
                    {"before": gate.before, "after": gate.after, "changes": [asdict(one) for one in gate.changes]}
                    for gate in table.gates
                ],
                "transforms": [asdict(one) for one in table.transforms],
                "batches": [one.ref.batch for one in table.batches],
                "stuck": table.stuck,
                "unknown": table.unknown,
                "refused_types": [asdict(one) for one in table.refused],
            }
            for table in plan.tables
        ],
        "readers": list(map(str, plan.readers)),
        "kpis": list(map(str, plan.products)),
        "downstream": [{"table": str(one.ref.table), "batch": one.ref.batch} for one in plan.downstream],
    }


def evaluation_value(found: Evaluation) -> dict[str, Any]:
    """An evaluation as JSON."""
    return {
        "judged": list(map(_evaluated_value, found.judged)),
        "followed": list(map(_evaluated_value, found.followed)),
        "kpis": list(map(kpi_change_value, found.kpis)),
    }


def _evaluated_value(one: EvaluatedBatch) -> dict[str, Any]:
    sides = {"before": one.before, "after": one.after}
    return {
        "table": str(one.ref.table),
        "batch": one.ref.batch,
        **{
            name: {"state": side.state, "rows": counts_value(side.counts), "reason": side.reason}
            for name, side in sides.items()
        },
        "moved": asdict(one.moved) if one.moved else None,
        "differs": one.differs,
        "error": one.error or None,
    }
