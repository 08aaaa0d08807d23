"""`readiness quarantine`: what waits, why, and what people decide about it."""

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import OUT, AsJson, count_of, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.waiting import rows_table, show_batch, waiting_table
from readiness_pipelines.cli.words import BatchKey, TableName, What, find, find_batch
from readiness_pipelines.commands import approve_command, quarantine_command, replay_command
from readiness_pipelines.contracts import Table
from readiness_pipelines.decisions import Approval, Correction, Discarding, Undoing, Waiver, read_cells
from readiness_pipelines.decisions import What as Decided
from readiness_pipelines.delivery import decide
from readiness_pipelines.delivery.revealing import reveal as reveal_columns
from readiness_pipelines.errors import DeclarationError, first_line
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.json_values.status import decision_value
from readiness_pipelines.json_values.waiting import waiting_value
from readiness_pipelines.masking import NOBODY, Viewer, quoted_expression
from readiness_pipelines.overview import classified_columns, quarantine_rows, waiting_batches, waiting_values
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What waits and why; correct, waive, discard, and take it back.")

Reason = Annotated[str, typer.Option("--reason", help="Why: kept with the decision for ever.")]
Reveal = Annotated[
    bool, typer.Option("--reveal", help="With values of classified columns; the trail keeps who, when, why and which.")
]
Because = Annotated[str, typer.Option("--reason", help="Why classified values are looked at: needed for --reveal.")]
Where = Annotated[str | None, typer.Option("--where", help="Which rows: a DuckDB condition over the batch's columns.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides; the user of this machine unless given.")]


@app.command("list")
def list_waiting(what: What = None, as_json: AsJson = False) -> None:
    """List the batches of which something waits."""
    with errors_for_people():
        settings = Settings()
        chosen = find(what, settings)
        waiting = waiting_batches(chosen.tables, installation=Installation.open(settings))
        if as_json:
            print_json(list(map(waiting_value, waiting)))
            return
        if not waiting:
            say("nothing waits")
            return
        OUT.print(waiting_table(waiting))
        say_next(quarantine_command(waiting[0].ref))


@app.command("show")
def show(batch: BatchKey, table: TableName = None, as_json: AsJson = False) -> None:
    """Show why a batch waits: the failing rules with samples, who answers, and what could be done."""
    with errors_for_people():
        found, ref, installation = _open("show", batch, table)
        show_batch(found, ref, installation=installation, as_json=as_json)


@app.command("rows")
def rows(
    batch: BatchKey,
    rule: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at most.")] = 20,
    reveal: Reveal = False,
    reason: Because = "",
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Show the rows that wait, with what they break; of classified columns, only what kind of values they have."""
    with errors_for_people():
        found, ref, installation = _open("rows", batch, table)
        waiting = quarantine_rows(found, batch=batch, rule=rule, limit=limit, installation=installation)
        viewer = _viewer(found, ref, waiting, installation, reveal=reveal, reason=reason, who=who)
        shown = waiting_values(found, waiting, viewer)
        if as_json:
            print_json(list(shown))
            return
        OUT.print(rows_table(batch, waiting.column_names, shown))
        if (hidden := classified_columns(found, waiting)) and not viewer.reveals:
            say(f"not shown: values of {', '.join(hidden)}; with --reveal --reason …, they are, and the trail keeps it")


@app.command("export")
def export(
    batch: BatchKey,
    to: Annotated[Path, typer.Argument(help="The file to write: .csv or .parquet.")],
    rule: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    reveal: Reveal = False,
    reason: Because = "",
    table: TableName = None,
    who: Who = None,
) -> None:
    """Write the rows that wait to a file, to be mended there and given back with `correct --file`.

    Classified columns are left out, unless they are revealed.
    """
    with errors_for_people():
        found, ref, installation = _open("export", batch, table)
        waiting = quarantine_rows(found, batch=batch, rule=rule, limit=None, installation=installation)
        if not _viewer(found, ref, waiting, installation, reveal=reveal, reason=reason, who=who).reveals and (
            hidden := classified_columns(found, waiting)
        ):
            waiting = waiting.drop_columns(list(hidden))
            say(f"left out: {', '.join(hidden)}; with --reveal --reason …, they are in it, and the trail keeps it")
        _write(waiting, to)
        say(f"{count_of(waiting.num_rows, 'row')} written to {to}")
        words = ("readiness", "quarantine", "correct", batch, "--table", str(ref.table), "--file", str(to))
        say_next(f"{shlex.join(words)} --reason …")


@app.command("correct")
def correct(
    batch: BatchKey,
    reason: Reason,
    set_: Annotated[str | None, typer.Option("--set", help="column = DuckDB expression over the columns.")] = None,
    where: Where = None,
    file: Annotated[Path | None, typer.Option(help="CSV or Parquet with _row and the columns to set.")] = None,
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Correct rows: set a column by an expression, or cells from a file. Raw keeps what arrived."""
    with errors_for_people():
        if (set_ is None) == (file is None):
            raise DeclarationError("what is to be corrected?", way_out="give --set 'column = …', or --file")
        what: Decided
        if set_ is not None:
            column, sign, expression = set_.partition("=")
            if not sign or not expression.strip():
                raise DeclarationError(
                    f"--set {quoted_expression(set_)!r} sets nothing", way_out="write --set 'column = expression'"
                )
            what = Correction(column=column.strip(), expression=expression.strip(), where=where)
        else:
            what = read_cells(file or Path())
        _decide("correct", what, batch, reason, table, who, as_json=as_json)


@app.command("waive")
def waive(
    batch: BatchKey,
    reason: Reason,
    rule: Annotated[str, typer.Option(help="The rule, or 'tolerance' to publish in part what is over it.")],
    where: Where = None,
    until: Annotated[datetime | None, typer.Option(help="When the waiver ends, in UTC.")] = None,
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Waive a rule for rows or for the batch: what breaks it is published all the same."""
    with errors_for_people():
        ends = until.replace(tzinfo=UTC) if until else None
        _decide("waive", Waiver(rule=rule, where=where, until=ends), batch, reason, table, who, as_json=as_json)


@app.command("discard")
def discard(
    batch: BatchKey,
    reason: Reason,
    where: Where = None,
    every: Annotated[bool, typer.Option("--all", help="All rows of the batch; withdraws what it published.")] = False,
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Discard rows, or the whole batch: they will not be published."""
    with errors_for_people():
        if (where is None) != every:
            raise DeclarationError("which rows are to be discarded?", way_out="give --where '…', or --all")
        _decide("discard", Discarding(where=where), batch, reason, table, who, as_json=as_json)


@app.command("undo")
def undo(
    batch: BatchKey,
    reason: Reason,
    decision: Annotated[int, typer.Option(help="The decision's number.")],
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Take a decision back; undoing an undoing puts it in force again."""
    with errors_for_people():
        _decide("undo", Undoing(decision=decision), batch, reason, table, who, as_json=as_json)


@app.command("approve")
def approve(
    batch: BatchKey,
    reason: Reason,
    decision: Annotated[int, typer.Option(help="The decision's number.")],
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Agree, as a second person, to a waiver or discarding that alone does not hold."""
    with errors_for_people():
        _decide("approve", Approval(decision=decision), batch, reason, table, who, as_json=as_json)


def _decide(
    verb: str, what: Decided, batch: str, reason: str, table: str | None, who: str | None, *, as_json: bool
) -> None:
    found, ref, installation = _open(verb, batch, table)
    run = Run(who=who_types(who))
    kept = decide(found, what, batch=batch, why=reason, installation=installation, run=run)
    waits = getattr(kept.decision.what, "second_person", False)
    following = approve_command(ref, kept.decision.id) if waits else replay_command(ref)
    if as_json:
        print_json({**decision_value(kept.decision), "rows": kept.rows, "second_person": waits, "next": following})
        return
    touched = "the batch" if kept.rows is None else count_of(kept.rows, "row")
    say(f"decision {kept.decision.id}: {what.verb} {kept.decision.text} ({touched})")
    if waits:
        bound = found.domain.second_person_over
        say(f"it touches more than {bound:,} rows: it holds once somebody else than {run.who} approves it")
    say_next(following)


def _open(verb: str, batch: str, table: str | None) -> tuple[Table, BatchRef, Installation]:
    settings = Settings()
    installation = Installation.open(settings)
    command = f"readiness quarantine {verb} {{batch}} --table {{table}}"
    found, ref = find_batch(batch, table, settings, installation=installation, command=command)
    return found, ref, installation


def _viewer(
    table: Table, ref: BatchRef, rows: Any, installation: Installation, *, reveal: bool, reason: str, who: str | None
) -> Viewer:
    """Who looks at rows that wait; where they see classified values, the trail has it."""
    columns = classified_columns(table, rows)
    if not reveal or not columns:
        return NOBODY
    run = Run(who=who_types(who))
    return reveal_columns(ref, columns=columns, rows=rows.num_rows, why=reason, installation=installation, run=run)


def _write(rows: Any, to: Path) -> None:
    import duckdb  # noqa: PLC0415  # only an export needs it

    from readiness_pipelines.sql import locked_connection  # noqa: PLC0415  # as above

    if to.suffix not in (".csv", ".parquet"):
        raise DeclarationError(f"{to} ends in {to.suffix!r}", way_out="name a .csv or .parquet file")
    try:
        with locked_connection(str(to.resolve().parent)) as connection:
            relation = connection.from_arrow(rows)
            if to.suffix == ".csv":
                relation.write_csv(str(to), header=True)
            else:
                relation.write_parquet(str(to))
    except duckdb.Error as error:
        raise DeclarationError(
            f"{to} cannot be written: {first_line(error)}", way_out="name a file in a folder that can be written to"
        ) from error
