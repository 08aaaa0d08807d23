"""What waits, as tables for people and JSON for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from rich.table import Table
from rich.text import Text

from readiness_pipelines.cli.output import OUT, print_json
from readiness_pipelines.cli.values import counts_value
from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, Decision, describe
from readiness_pipelines.overview import judged_rules, waiting_record

SHOWN_COLUMNS = 6
SHOWN_RULES = 10


def batch_value(record: BatchRecord) -> dict[str, Any]:
    """Where a batch stands."""
    return {
        "batch": record.ref.batch,
        "table": record.ref.table,
        "state": record.state.value,
        **counts_value(record.counts),
        "reason": record.reason,
        "gate_version": record.gate_version,
        "since": record.updated_at.isoformat(),
    }


def waiting_table(path: str, records: Sequence[BatchRecord]) -> Table:
    """One line for each batch of which something waits."""
    table = Table(title=f"{path}: what waits", title_justify="left")
    table.add_column("batch", no_wrap=True)
    table.add_column("table")
    table.add_column("state")
    table.add_column("rows", justify="right")
    table.add_column("why", overflow="fold")
    for record in records:
        state = Text(record.state.replace("_", " "), style="bold red" if record.state == "held" else "")
        rows = f"{record.counts.quarantined:,} of {record.counts.ingested:,}"
        table.add_row(record.ref.batch, record.ref.table, state, rows, Text(record.reason or ""))
    return table


def rows_table(batch: str, rows: pa.Table) -> Table:
    """Rows that wait, with the columns that fit."""
    names = rows.column_names
    shown = ["_row", *[name for name in names if name not in ("_row", "broken")][:SHOWN_COLUMNS], "broken"]
    more = len(names) - len(shown)
    title = f"{batch}: {rows.num_rows:,} rows" + (f", {more} more columns in --json" if more > 0 else "")
    table = Table(title=title, title_justify="left")
    for name in shown:
        table.add_column(name, overflow="fold")
    for row in rows.to_pylist():
        table.add_row(*(Text("∅" if row.get(name) is None else str(row[name])) for name in shown))
    return table


def show_batch(path: DataPath, table: GatedTable, batch: str, *, installation: Installation, as_json: bool) -> None:
    """Why a batch waits: its rules with samples, its steward, its decisions, and the commands that could resolve it."""
    record = waiting_record(path, table, batch=batch, installation=installation)
    counts = judged_rules(path, table, batch=batch, installation=installation)
    decisions = installation.ledger.decisions(record.ref)
    commands = _commands(batch, counts)
    if as_json:
        print_json(
            {
                **batch_value(record),
                "steward": str(table.source.steward),
                "rules": [_rule_value(count) for count in counts],
                "decisions": [_decision_value(decision) for decision in decisions],
                "commands": commands,
            }
        )
        return
    OUT.print(Text.assemble((f"{record.ref} ", "bold"), (record.state.replace("_", " "), "bold red")))
    OUT.print(Text(record.reason or "nothing waits"))
    OUT.print(f"who answers: {table.source.steward}")
    for count in counts[:SHOWN_RULES]:
        OUT.print(_samples(count))
    for decision in decisions:
        OUT.print(
            Text(f"decision {decision.id}: {decision.kind} {describe(decision.what)} · {decision.who}: {decision.why}")
        )
    for command in commands:
        OUT.print(Text(f"  {command}"))


def _samples(count: RuleCount) -> Table:
    """A rule's samples, the cells that it looks at marked."""
    title = Text(f"{count.rule.name}: {count.broken_rows:,} rows break {count.rule.reason} ({count.rule.route})")
    table = Table(title=title, title_justify="left", show_edge=False)
    names = list(count.samples[0]) if count.samples else []
    for name in names:
        table.add_column(name)
    marked = {name for name in names if not name.startswith("_") or name == "_unreadable"}
    for sample in count.samples[:3]:
        cells = (Text("∅" if sample[n] is None else str(sample[n]), style="red" if n in marked else "") for n in names)
        table.add_row(*cells)
    return table


def _commands(batch: str, counts: Sequence[RuleCount]) -> list[str]:
    first = next((count for count in counts if count.rule.columns), None)
    column = first.rule.columns[0] if first else "COLUMN"
    rule = counts[0].rule.name if counts else "RULE"
    return [
        f"readiness quarantine rows {batch} --rule {rule}",
        f'readiness quarantine correct {batch} --set "{column} = …" --where "…" --reason "…"',
        f'readiness quarantine waive {batch} --rule {rule} --reason "…"',
        f'readiness quarantine discard {batch} --where "…" --reason "…"',
        f"readiness replay --batch {batch} --dry-run",
    ]


def _rule_value(count: RuleCount) -> Mapping[str, Any]:
    return {
        "rule": count.rule.name,
        "asks": count.rule.reason,
        "route": count.rule.route.value,
        "rows": count.broken_rows,
        "columns": dict(count.columns),
        "samples": [dict(sample) for sample in count.samples],
    }


def _decision_value(decision: Decision) -> Mapping[str, Any]:
    return {
        "decision": decision.id,
        "kind": decision.kind,
        "what": describe(decision.what),
        "who": decision.who,
        "why": decision.why,
        "at": decision.at.isoformat(),
    }
