"""Our values as tables for people; each fits a terminal of 80 columns."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from readiness_pipelines.batches import BatchState
from readiness_pipelines.cli.output import reachable
from readiness_pipelines.contracts import Kpi, Target
from readiness_pipelines.overview import BatchStatus, LaneStatus
from readiness_pipelines.products import KpiValue, format_value

SHOWN_KPIS = 3
NEWEST = 40
"""How many batches a table shows unless asked for more."""

_ROWS = {"ingested": "ingested", "published": "published", "quarantined": "quarantined"}


def plain_table(title: str, *, lines: bool = False, footer: bool = False) -> Table:
    """A table without outer edges, which leaves its columns the width."""
    return Table(
        title=Text(title, no_wrap=True, overflow="ignore"),  # wider than the table where it must be
        title_justify="left",
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
        show_lines=lines,
        show_edge=False,
        show_footer=footer,
    )


def lane_table(lane: LaneStatus, kpis: Sequence[Kpi], *, newest: int = NEWEST) -> Table:
    """One line for each batch, and a line for all.

    Args:
        lane: The lane.
        kpis: The KPIs of its domain.
        newest: How many batches to show; 0 for all.
    """
    shown = lane.batches[-newest:] if newest else lane.batches
    older = len(lane.batches) - len(shown)
    title = f"{lane.name} ({lane.kind})" + (f": the newest {len(shown):,} of {len(lane.batches):,}" if older else "")
    table = plain_table(title, footer=True)
    table.add_column("batch", footer="now" if lane.replaces else "all", no_wrap=True)
    counted = _ROWS if lane.fed else {}
    for name, rows_heading in counted.items():
        table.add_column(rows_heading, justify="right", footer=f"{getattr(lane.total, name):,}", no_wrap=True)
    mine = [kpi for kpi in kpis if kpi.id in lane.kpis]
    computed = [table for table in lane.tables if table not in lane.kpis] if not lane.fed else []
    if computed:
        table.add_column("rows", justify="right", no_wrap=True)
    held = sum(batch.held for batch in lane.batches)
    table.add_column("held", footer=str(held) if held else "")
    for kpi in mine[:SHOWN_KPIS]:
        heading = Text(kpi.name)
        if kpi.target is not None:
            heading.append(f"\n{target_text(kpi.target, kpi.unit)}", style="dim")
        table.add_column(heading, justify="right", footer=value_text(lane.kpis[kpi.id], kpi.unit), overflow="fold")
    for batch in shown:
        rows = [record.counts.published for one in computed if (record := batch.tables[one]) is not None]
        table.add_row(
            Text(batch.batch),
            *(f"{getattr(batch.counts, name):,}" if batch.seen else "–" for name in counted),
            *([f"{sum(rows):,}" if rows else "–"] if computed else []),
            _held(batch),
            *(value_text(batch.values.get(kpi.id), kpi.unit) for kpi in mine[:SHOWN_KPIS]),
        )
    if more := mine[SHOWN_KPIS:]:
        table.caption = Text(f"{len(more)} more KPIs; next: {reachable(f'readiness status {more[0].id}')}")
        table.caption_justify = "left"
    return table


def _held(batch: BatchStatus) -> Text:
    """Whether a batch is held, or a stream's window that is open."""
    if batch.held:
        return Text("held", style="bold red")
    is_open = any(record is not None and record.state is BatchState.OPEN for record in batch.tables.values())
    return Text("open" if is_open else "", style="cyan")


def versions_table(title: str, lanes: Sequence[LaneStatus], kpis: Sequence[Kpi]) -> Table:
    """One line for each table of which every delivery replaces the whole: its newest version.

    Args:
        title: What it is about.
        lanes: Their lanes, each of one table.
        kpis: The KPIs of the domain.
    """
    units = {kpi.id: kpi.unit for kpi in kpis}
    table = plain_table(title)
    table.add_column("table", overflow="fold")
    table.add_column("newest", no_wrap=True)
    for heading in _ROWS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("held")
    table.add_column("value", justify="right")
    for lane in lanes:
        (ident,) = lane.tables
        newest = next((batch for batch in reversed(lane.batches) if batch.seen), None)
        if newest is None:
            table.add_row(ident.name, "–", *("–" for _ in _ROWS), "", "")
            continue
        record = newest.tables[ident]
        rows = ["–", f"{record.counts.published:,}", "–"] if record and ident not in units else ["", "", ""]
        table.add_row(
            ident.name,
            Text(newest.batch),
            *([f"{getattr(newest.counts, name):,}" for name in _ROWS] if lane.fed else rows),
            Text("held", style="bold red") if newest.held else "",
            value_text(newest.values.get(ident), units[ident]) if ident in units else "",
        )
    return table


def dimensions_table(kpi: Kpi, batches: Sequence[BatchStatus]) -> Table:
    """A KPI's values by its dimensions: a line for the whole and for each of their values, a column a batch."""
    shown = [batch for batch in batches if kpi.id in batch.values][-SHOWN_KPIS:]
    table = plain_table(f"{kpi.question} ({kpi.unit})")
    for name in kpi.by or ("",):
        table.add_column(name, overflow="fold")
    table.add_column("target", no_wrap=True)
    for batch in shown:
        table.add_column(Text(batch.batch, overflow="fold"), justify="right")
    cells: dict[tuple[str | None, ...], dict[str, KpiValue]] = {}
    for batch in shown:
        for value in (batch.values[kpi.id], *batch.dimensions.get(kpi.id, ())):
            cells.setdefault(tuple(value.dimensions.values()), {})[batch.batch] = value
    for values, of_batch in sorted(cells.items(), key=lambda cell: (bool(cell[0]), [one or "" for one in cell[0]])):
        target = kpi.target_of(values)
        names = [Text("∅" if one is None else one) for one in values] or [Text("all", style="bold")]
        names += [Text("")] * (max(len(kpi.by), 1) - len(names))
        table.add_row(
            *names, target_text(target, kpi.unit), *(value_text(of_batch.get(batch.batch), kpi.unit) for batch in shown)
        )
    return table


def value_text(value: KpiValue | None, unit: str) -> Text:
    """A KPI's value as people write it: green where it meets its target, red and marked where it does not."""
    if value is None or value.value is None:
        return Text("–", style="dim")
    style = {True: "green", False: "red", None: ""}[value.met]
    return Text(format_value(value.value, unit) + (" ✗" if value.met is False else ""), style=style)


def target_text(target: Target | None, unit: str) -> str:
    """A target as people write it; ``–`` where there is none."""
    return f"{target.comparison} {format_value(target.bound, unit)}" if target else "–"
