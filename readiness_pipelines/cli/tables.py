"""Our values as tables for people."""

from rich.table import Table
from rich.text import Text

from readiness_pipelines.delivery import Measured
from readiness_pipelines.durations import format_duration
from readiness_pipelines.gates import ChangeKind, Runner
from readiness_pipelines.overview import GateChanges, PathStatus, PathStep


def status_table(status: PathStatus) -> Table:
    """One line per batch, and a line for all; fits a terminal of 80 columns."""
    table = Table(title=f"{status.path}", title_justify="left", show_footer=True)
    table.add_column("batch", footer="all", no_wrap=True)
    for name in ("ingested", "published", "quarantined"):
        table.add_column(name, justify="right", footer=f"{getattr(status.total, name):,}")
    table.add_column("held", footer=str(sum(batch.held for batch in status.batches)))
    table.add_column("KPI", justify="right", footer=kpi_text(status.kpi))
    table.add_column("target", footer=_target(status.kpi), no_wrap=True)
    for batch in status.batches:
        seen = any(batch.tables.values())
        table.add_row(
            batch.batch,
            *(f"{getattr(batch.counts, name):,}" if seen else "–" for name in ("ingested", "published", "quarantined")),
            Text("held", style="bold red") if batch.held else "",
            kpi_text(batch.kpi),
            _target(batch.kpi),
        )
    return table


def kpi_text(measured: Measured | None) -> Text:
    """A KPI's value, green where it meets its target."""
    if measured is None or measured.value is None:
        return Text("–", style="dim")
    style = {True: "green", False: "red", None: ""}[measured.met]
    return Text(f"{measured.value:.4f}", style=style)


def path_table(name: str, steps: tuple[PathStep, ...]) -> Table:
    """The map of a path: one line per step."""
    table = Table(title=name, title_justify="left", show_lines=True)
    for column in ("step", "reads", "who answers", "rules", "may take", "late after"):
        table.add_column(column, overflow="fold")
    for step in steps:
        reads = ", ".join(step.reads)
        if step.kind == "raw" and step.source:
            reads = f"{step.source.origin}\n{reads}\n{step.source.classification}"
        tolerance = step.tolerance.quarantined_ratio if step.tolerance else None
        held = f"\nheld over {tolerance:.2%}" if tolerance is not None else ""
        table.add_row(
            f"{step.table}\n[dim]{step.kind}[/dim]",
            reads,
            "\n".join(step.answers),
            (f"{len(step.rules)} rules{held}\n[dim]{step.gate_version}[/dim]" if step.rules else "–"),
            format_duration(step.latency) if step.latency else "–",
            format_duration(step.freshness.warn_after) if step.freshness else "–",
        )
    return table


def rules_table(step: PathStep) -> Table:
    """The rules of one step."""
    table = Table(title=f"rules of {step.table}", title_justify="left")
    for column in ("rule", "kind", "where broken", "asks for", "runs in"):
        table.add_column(column, overflow="fold")
    for rule in step.rules:
        asks = Text(rule.reason)
        if rule.runs_on is not Runner.QUERY:
            asks.append(f"\n{rule.because}", style="dim")
        table.add_row(rule.name, rule.kind, rule.route, asks, rule.runs_on)
    return table


_CHANGE_STYLES = {ChangeKind.BREAKING: "bold red", ChangeKind.TIGHTENED: "yellow", ChangeKind.LOOSENED: "green"}


def changes_table(changes: GateChanges) -> Table:
    """What changed between two versions of a gate."""
    table = Table(title=f"{changes.table}: {changes.before} → {changes.after}", title_justify="left")
    for column in ("change", "of", "before", "after"):
        table.add_column(column, overflow="fold")
    for change in changes.changes:
        kind = Text(change.kind, style=_CHANGE_STYLES.get(change.kind, "dim"))
        table.add_row(kind, Text(change.what), Text(change.before), Text(change.after))
    return table


def _target(measured: Measured | None) -> str:
    return str(measured.target) if measured is not None and measured.target is not None else "–"
