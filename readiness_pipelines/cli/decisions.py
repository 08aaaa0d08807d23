"""`readiness quarantine`: what waits, why, and what people decide about it."""

import getpass
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.output import OUT, AsJson, count_of, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.values import decision_value
from readiness_pipelines.cli.waiting import rows_table, show_batch, waiting_table, waiting_value
from readiness_pipelines.cli.words import BatchKey, TableName, What, find, find_batch
from readiness_pipelines.commands import quarantine_command, replay_command
from readiness_pipelines.contracts import Table
from readiness_pipelines.decisions import Correction, Discarding, Undoing, Waiver, read_cells
from readiness_pipelines.decisions import What as Decided
from readiness_pipelines.delivery import decide
from readiness_pipelines.errors import DeclarationError, first_line
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import quarantine_rows, waiting_batches
from readiness_pipelines.plain_rows import plain_rows
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What waits and why; correct, waive, discard, and take it back.")

Reason = Annotated[str, typer.Option("--reason", help="Why: kept with the decision for ever.")]
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
    table: TableName = None,
    as_json: AsJson = False,
) -> None:
    """Show the rows that wait, with what they break."""
    with errors_for_people():
        found, _, installation = _open("rows", batch, table)
        waiting = quarantine_rows(found, batch=batch, rule=rule, limit=limit, installation=installation)
        if as_json:
            print_json(plain_rows(waiting))
        else:
            OUT.print(rows_table(batch, waiting))


@app.command("export")
def export(
    batch: BatchKey,
    to: Annotated[Path, typer.Argument(help="The file to write: .csv or .parquet.")],
    rule: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    table: TableName = None,
) -> None:
    """Write the rows that wait to a file, to be mended there and given back with `correct --file`."""
    with errors_for_people():
        found, ref, installation = _open("export", batch, table)
        waiting = quarantine_rows(found, batch=batch, rule=rule, limit=None, installation=installation)
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
                raise DeclarationError(f"--set {set_!r} sets nothing", way_out="write --set 'column = expression'")
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


def _decide(
    verb: str, what: Decided, batch: str, reason: str, table: str | None, who: str | None, *, as_json: bool
) -> None:
    found, ref, installation = _open(verb, batch, table)
    run = Run(who=who or getpass.getuser())
    kept = decide(found, what, batch=batch, why=reason, installation=installation, run=run)
    if as_json:
        print_json({**decision_value(kept.decision), "rows": kept.rows, "next": replay_command(ref)})
        return
    touched = "the batch" if kept.rows is None else count_of(kept.rows, "row")
    say(f"decision {kept.decision.id}: {what.verb} {what.describe()} ({touched})")
    say_next(replay_command(ref))


def _open(verb: str, batch: str, table: str | None) -> tuple[Table, BatchRef, Installation]:
    settings = Settings()
    installation = Installation.open(settings)
    command = f"readiness quarantine {verb} {{batch}} --table {{table}}"
    found, ref = find_batch(batch, table, settings, installation=installation, command=command)
    return found, ref, installation


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
