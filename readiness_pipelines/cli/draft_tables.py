"""What a draft would do, as tables for people and JSON for programs."""

from typing import Any

from rich.text import Text

from readiness_pipelines.cli.output import OUT, count_of, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.values import counts_value
from readiness_pipelines.delivery import DraftOutcome, RowChange

SHOWN_ROWS = 20


def outcome_value(outcome: DraftOutcome) -> dict[str, Any]:
    """What a draft would do."""
    changes = outcome.changes
    return {
        "table": str(outcome.ref.table),
        "batch": outcome.ref.batch,
        "decisions": [
            {"kind": one.what.verb, "what": one.text, "rows": one.rows, "second_person": one.second_person}
            for one in outcome.decisions
        ],
        "state": outcome.state.value if outcome.state else None,
        "rows": counts_value(outcome.counts),
        "would_be": outcome.would_be.value,
        "would_be_rows": counts_value(outcome.would_count),
        "reason": outcome.reason,
        "still_broken": [{"rule": count.rule.name, "rows": count.broken_rows} for count in outcome.rules],
        "moved": [{"from": old or None, "to": new, "rows": rows} for (old, new), rows in changes.moved.items()],
        "corrected": changes.corrected,
        "changed": changes.total,
        "changed_rows": [
            {
                "_row": row.row,
                "from": row.before or None,
                "to": row.after,
                "cells": [{"column": c.column, "before": c.before, "after": c.after} for c in row.cells],
                "still_breaks": list(row.broken),
            }
            for row in changes.rows
        ],
        "downstream": [{"table": str(ref.table), "batch": ref.batch} for ref in outcome.downstream],
    }


def show_outcome(outcome: DraftOutcome) -> None:
    """Print what a draft would do: its decisions, the batch before and after, and the rows that change."""
    for one in outcome.decisions:
        touched = "the batch" if one.rows is None else count_of(one.rows, "row")
        second = ", once a second person has approved" if one.second_person else ""
        say(f"would {one.what.verb} {one.text} ({touched}{second})")
    state = "not judged" if outcome.state is None else outcome.state.replace("_", " ")
    counts, would = outcome.counts, outcome.would_count
    moves = f"{counts.published:,} → {would.published:,} rows published"
    moves += f", {counts.quarantined:,} → {would.quarantined:,} waiting"
    if counts.discarded or would.discarded:
        moves += f", {counts.discarded:,} → {would.discarded:,} discarded"
    say((str(outcome.ref), "bold"), ": ", (f"{state} → {outcome.would_be.replace('_', ' ')}", "bold"), f", {moves}")
    if outcome.reason:
        say(outcome.reason)
    changes = outcome.changes
    if changes.rows:
        shown = changes.rows[:SHOWN_ROWS]
        some = f"the first {len(shown):,} of " if changes.total > len(shown) else ""
        table = plain_table(f"what would change: {some}{count_of(changes.total, 'row')}")
        table.add_column("_row", justify="right", no_wrap=True)
        table.add_column("is", no_wrap=True)
        table.add_column("would be", no_wrap=True)
        table.add_column("cells, and what it would still break", overflow="fold")
        for row in shown:
            table.add_row(str(row.row), row.before or "raw", row.after, _cells(row))
        OUT.print(table)
    say(f"then: {', '.join(map(str, outcome.downstream)) or 'nothing'}")
    say("nothing was kept; the same without --dry-run decides, with --replay it takes effect at once")


def _cells(row: RowChange) -> Text:
    text = Text()
    for number, cell in enumerate(row.cells):
        before, after = ("∅" if value is None else str(value) for value in (cell.before, cell.after))
        text.append("; " if number else "").append(f"{cell.column} ").append(before, "red")
        text.append(" → ").append(after, "green")
    if row.broken:
        text.append("; " if row.cells else "").append(", ".join(row.broken), "red")
    return text
