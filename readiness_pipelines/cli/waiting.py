"""What waits, as tables for people and JSON for programs."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table as Grid
from rich.text import Text

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.guiding import say_runbook
from readiness_pipelines.cli.output import OUT, count_of, print_json, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.commands import history_command, open_command, replay_command
from readiness_pipelines.contracts import Table, answers_for
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.json_values.waiting import held_value
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.overview import broken_rules, guidance_of, waiting_record, ways_out

SHOWN_COLUMNS = 6
SHOWN_RULES = 10


def waiting_table(records: Sequence[BatchRecord]) -> Grid:
    """One line for each batch of which something waits."""
    table = plain_table("what waits")
    table.add_column("batch", no_wrap=True)
    table.add_column("table", overflow="fold")
    table.add_column("state")
    table.add_column("rows", justify="right")
    table.add_column("why", overflow="fold")
    for record in records:
        state = Text(record.state.replace("_", " "), style="bold red" if record.state == "held" else "")
        rows = f"{record.counts.quarantined:,} of {record.counts.ingested:,}"
        table.add_row(Text(record.ref.batch), str(record.ref.table), state, rows, Text(record.reason or ""))
    return table


def rows_table(batch: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Rows that wait, with the columns that fit: those that the broken rules are named after come first."""
    rules = {row.get("broken") for row in rows}
    named = [
        name for name in names if any(re.search(rf"(?:\b|_){re.escape(name)}(?:_|\b)", str(rule)) for rule in rules)
    ]
    own = [name for name in (*named, *names) if name not in ("_row", "broken")]
    shown = ["_row", *list(dict.fromkeys(own))[:SHOWN_COLUMNS]]
    shown += ["broken"] if "broken" in names else []
    more = len(names) - len(shown)
    title = f"{batch}: {count_of(len(rows), 'row')}"
    title += f", {count_of(more, 'more column')} in --json" if more > 0 else ""
    table = plain_table(title)
    for name in shown:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in shown))
    return table


def show_batch(table: Table, ref: BatchRef, *, installation: Installation, as_json: bool) -> None:
    """Why a batch waits: its rules with samples, who answers, its decisions, and the commands that could resolve it."""
    record = waiting_record(table, batch=ref.batch, installation=installation)
    counts, then = broken_rules(table, record, installation=installation)
    decisions = installation.ledger.decisions(record.ref)
    commands = list(ways_out(ref, counts)) if record.counts.quarantined else [history_command(ref)]
    guidance = guidance_of(table, now=utc_now())
    if as_json:
        print_json(
            held_value(table, record, counts, then=then, guidance=guidance, decisions=decisions, commands=commands)
        )
        return
    say((f"{record.ref} ", "bold"), (record.state.replace("_", " "), "bold red"))
    say(record.reason or "nothing waits")
    say(f"who answers: {answers_for(table)}")
    for line in guidance.lines:
        say(line)
    say_runbook(guidance)
    if then:
        say(f"what it broke by the gate {then}, which judged it; the code has another one by now:")
        say(("  → ", "bold"), replay_command(ref))
    for count in counts[:SHOWN_RULES]:
        OUT.print(_samples(count))
    for decision in decisions:
        say(f"decision {decision.id}: {decision.verb} {decision.text} · {decision.who}: {decision.why}")
    for command in (*commands, open_command(ref)):
        say(f"  {command}")


def _samples(count: RuleCount) -> Grid:
    """A rule's samples, the cells that it looks at marked."""
    breaking = "1 row breaks" if count.broken_rows == 1 else f"{count.broken_rows:,} rows break"
    title = f"{count.rule.name}: {breaking} {count.rule.reason} ({count.rule.route})"
    table = plain_table(title)
    names = list(count.samples[0]) if count.samples else []
    for name in names:
        table.add_column(Text(name), overflow="fold")
    marked = {name for name in names if not name.startswith("_") or name == "_unreadable"}
    for sample in count.samples[:3]:
        table.add_row(*(_cell(sample[name], style="red" if name in marked else "") for name in names))
    return table


def _cell(value: object, style: str = "") -> Text:
    return Text("∅" if value is None else str(value), style=style)
