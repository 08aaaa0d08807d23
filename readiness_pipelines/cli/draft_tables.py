"""What a draft would do, as tables for people and JSON for programs."""

from rich.text import Text

from readiness_pipelines.cli.output import OUT, count_of, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.contracts import Kpi, Table, downstream
from readiness_pipelines.delivery import DraftOutcome, RowChange
from readiness_pipelines.products import format_value

SHOWN_ROWS = 20


def show_outcome(outcome: DraftOutcome, table: Table) -> None:
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
        listed = plain_table(f"what would change: {some}{count_of(changes.total, 'row')}")
        listed.add_column("_row", justify="right", no_wrap=True)
        listed.add_column("is", no_wrap=True)
        listed.add_column("would be", no_wrap=True)
        listed.add_column("cells, and what it would still break", overflow="fold")
        for row in shown:
            listed.add_row(str(row.row), row.before or "raw", row.after, _cells(row))
        OUT.print(listed)
    _show_kpis(outcome, table)
    say(f"then: {', '.join(map(str, outcome.downstream)) or 'nothing'}")
    say("nothing was kept; the same without --dry-run decides, with --replay it takes effect at once")


def _show_kpis(outcome: DraftOutcome, table: Table) -> None:
    """The KPIs of each batch before and after, as far as they were foretold."""
    if outcome.kpis is None:
        return
    if outcome.kpis.left_out:
        say(f"not all KPIs are foretold: {outcome.kpis.left_out}")
    units = {one.id: one.unit for one in downstream(table) if isinstance(one, Kpi)}
    for change in outcome.kpis.changes:
        for batch in change.batches:
            before, after = (side.get(batch) for side in (change.before, change.after))
            was, would_be = (
                "no value" if one is None else one.suppressed or format_value(one.value, units[change.kpi])
                for one in (before, after)
            )
            missed = ", misses its target" if after is not None and after.met is False else ""
            say(f"{change.kpi} {batch}: {was} → ", (would_be, "bold"), missed)


def _cells(row: RowChange) -> Text:
    text = Text()
    for number, cell in enumerate(row.cells):
        before, after = ("∅" if value is None else str(value) for value in (cell.before, cell.after))
        text.append("; " if number else "").append(f"{cell.column} ").append(before, "red")
        text.append(" → ").append(after, "green")
    if row.broken:
        text.append("; " if row.cells else "").append(", ".join(row.broken), "red")
    return text
