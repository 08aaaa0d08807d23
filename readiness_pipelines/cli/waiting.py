"""What waits, as tables for people and JSON for programs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.table import Table as Grid
from rich.text import Text

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.cli.guiding import say_runbook
from readiness_pipelines.cli.narrow import broken_between_words, short_redacted
from readiness_pipelines.cli.output import OUT, count_of, print_json, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.commands import open_command, replay_command
from readiness_pipelines.contracts import Table, answers_for
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.json_values.waiting import held_value
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.overview import broken_rules, guidance_of, waiting_record, ways_out

SHOWN_COLUMNS = 6
MOST_WIDTH, LEAST_WIDTH = 24, 8
"""A column of a table is so wide at most, and at least."""
_GAPS = 8
SHOWN_RULES = 10


def waiting_tables(records: Sequence[BatchRecord]) -> Iterator[Grid]:
    """One line for each batch of which something waits, in one table for those of each."""
    for ident, some in groupby(records, key=lambda record: record.ref.table):
        yield _waiting_table(str(ident), list(some))


def _waiting_table(title: str, records: Sequence[BatchRecord]) -> Grid:
    table = plain_table(title)
    table.add_column("batch", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("why", no_wrap=True)
    rows = [f"{record.counts.quarantined:,} of {record.counts.ingested:,}" for record in records]
    batch = max(len("batch"), *(len(record.ref.batch) for record in records))
    left = max(OUT.width - batch - max(map(len, rows)) - len("partly") - _GAPS, LEAST_WIDTH)
    for record, waiting in zip(records, rows, strict=True):
        held = record.state is BatchState.HELD
        state = Text("held" if held else "partly", style="bold red" if held else "")
        table.add_row(Text(record.ref.batch), state, waiting, Text(broken_between_words(record.reason or "", left)))
    return table


def rows_table(batch: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Rows that wait, with the columns that fit: those that the broken rules look at come first."""
    broken = [column for column in names if _named_by(column, rows)]
    rules = max((len(part) for row in rows for part in _rules(row)), default=0)
    rules = min(max(rules, len("broken")), OUT.width // 3) if "broken" in names else 0
    left = OUT.width - max((len(str(row.get("_row"))) for row in rows), default=4) - rules - _GAPS
    shown: list[str] = []
    widths: dict[str, int] = {}
    for name in dict.fromkeys([*broken, *names]):
        if name in ("_row", "broken"):
            continue
        wanted = max([len(name), *(len(_shown(row.get(name))) for row in rows)])
        width = min(wanted, MOST_WIDTH)
        if shown and (len(shown) == SHOWN_COLUMNS or left < width + 1):
            break
        shown.append(name)
        widths[name] = max(min(width, left), LEAST_WIDTH)
        left -= widths[name] + 1
    more = len(names) - len(shown) - ("_row" in names) - ("broken" in names)
    title = f"{batch}: {count_of(len(rows), 'row')}"
    title += f", {count_of(more, 'more column')} in --json" if more > 0 else ""
    table = plain_table(title)
    table.add_column("_row", justify="right", no_wrap=True)
    if rules:
        table.add_column("broken", no_wrap=True)
    for name in shown:
        table.add_column(Text(broken_between_words(name, widths[name])), no_wrap=True)
    for row in rows:
        cells = [Text(str(row.get("_row")))]
        if rules:
            cells.append(Text("\n".join(broken_between_words(rule, rules) for rule in _rules(row)), style="red"))
        own = {name for name in broken if _named_by(name, [row])}
        for name in shown:
            text = broken_between_words(_shown(row.get(name)), widths[name])
            cells.append(Text(text, style="red" if name in own else ""))
        table.add_row(*cells)
    return table


def _rules(row: Mapping[str, Any]) -> list[str]:
    return str(row.get("broken") or "").split(", ")


def _named_by(column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a rule that one of some rows breaks is named after a column."""
    pattern = re.compile(rf"(?:\b|_){re.escape(column)}(?:_|\b)")
    return any(pattern.search(str(row.get("broken"))) for row in rows)


def _shown(value: object) -> str:
    return "∅" if value is None else short_redacted(str(value))


def show_batch(table: Table, ref: BatchRef, *, installation: Installation, as_json: bool) -> None:
    """Why a batch waits: its rules with samples, who answers, its decisions, and the commands that could resolve it."""
    record = waiting_record(table, batch=ref.batch, installation=installation)
    counts, then = broken_rules(table, record, installation=installation)
    decisions = installation.ledger.decisions(record.ref)
    commands = list(ways_out(record, counts))
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
        _show_samples(count)
    for decision in decisions:
        say(f"decision {decision.id}: {decision.verb} {decision.text} · {decision.who}: {decision.why}")
    for command in (*commands, open_command(ref)):
        say(f"  {command}")


def _show_samples(count: RuleCount) -> None:
    """A rule and what it requires, with samples: the cells that it looks at are marked."""
    breaking = "1 row breaks" if count.broken_rows == 1 else f"{count.broken_rows:,} rows break"
    say((count.rule.name, "bold"), f": {breaking} {count.rule.reason} ({count.rule.route})")
    if not count.samples:
        return
    of_one_file = len({sample.get("_file") for sample in count.samples}) == 1
    names = [name for name in count.samples[0] if name != "_file" or not of_one_file]
    table = plain_table("")
    table.title = None
    for name in names:
        table.add_column(Text(name), overflow="fold")
    marked = {name for name in names if not name.startswith("_") or name == "_unreadable"}
    for sample in count.samples[:3]:
        table.add_row(*(_cell(sample[name], style="red" if name in marked else "") for name in names))
    OUT.print(table)


def _cell(value: object, style: str = "") -> Text:
    return Text(_shown(value), style=style)
