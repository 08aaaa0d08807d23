"""What is declared, for people and for programs: the steps of a domain, their rules, and what changed in a gate."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from readiness_pipelines.cli.output import count_of
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.durations import format_duration
from readiness_pipelines.gates import ChangeKind, Runner
from readiness_pipelines.overview import GateChanges, MapStep


def map_table(name: str, steps: Sequence[MapStep]) -> Table:
    """The map of a domain: one row for each step; fits a terminal of 80 columns."""
    table = plain_table(name, lines=True)
    table.add_column("step", no_wrap=True)
    table.add_column("what is declared", overflow="fold")
    for step in steps:
        names = Text.assemble(f"{step.table}\n", (f"{step.kind}, {step.batches}", "dim"))
        table.add_row(names, Text("\n".join(_declared(step))))
    return table


def _declared(step: MapStep) -> Iterator[str]:
    """What a step reads, who answers for it, its rules and its promises, a line each."""
    if step.kind == "raw" and step.source:
        yield f"{step.source.origin} ({step.source.classification})"
    yield f"reads {', '.join(step.reads)}"
    if step.compares:
        yield f"compares with {', '.join(step.compares)}"
    yield step.answers
    if step.rules:
        tolerance = step.tolerance.quarantined_ratio if step.tolerance else None
        rolling = f" of the last {over:,} rows" if step.tolerance and (over := step.tolerance.over) else ""
        held = f", held over {tolerance:.2%}{rolling}" if tolerance is not None else ""
        yield f"{count_of(len(step.rules), 'rule')}{held} ({step.gate_version})"
    late = step.freshness.warn_after if step.freshness else None
    promises = {"may take": step.latency, "late after": late}
    if kept := [f"{words} {format_duration(one)}" for words, one in promises.items() if one]:
        yield ", ".join(kept)


def rules_table(step: MapStep) -> Table:
    """The rules of one step."""
    table = plain_table(f"rules of {step.table}")
    for column in ("rule", "kind", "where broken", "requires", "runs in"):
        table.add_column(column, overflow="fold")
    for rule in step.rules:
        requires = Text(rule.reason)
        if rule.runs_on is not Runner.QUERY:
            requires.append(f"\n{rule.because}", style="dim")
        table.add_row(Text(rule.name), rule.kind, rule.route, requires, rule.runs_on)
    return table


_CHANGE_STYLES = {ChangeKind.BREAKING: "bold red", ChangeKind.TIGHTENED: "yellow", ChangeKind.LOOSENED: "green"}


def changes_table(changes: GateChanges) -> Table:
    """What changed between two versions of a gate."""
    table = plain_table(f"{changes.table}: {changes.before} → {changes.after}")
    for column in ("change", "of", "before", "after"):
        table.add_column(column, overflow="fold")
    for change in changes.changes:
        kind = Text(change.kind, style=_CHANGE_STYLES.get(change.kind, "dim"))
        table.add_row(kind, Text(change.what), Text(change.before), Text(change.after))
    return table
