"""`readiness quarantine`: what waits, why, and what people decide about it."""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.deciding import keep_draft
from readiness_pipelines.cli.output import OUT, AsJson, count_of, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.repeating import HeldOnly, Watch, look_again
from readiness_pipelines.cli.waiting import rows_table, show_batch, waiting_tables
from readiness_pipelines.cli.words import BatchKey, OfTable, WaitingBatch, What, find, find_batch, find_waiting
from readiness_pipelines.commands import quarantine_command
from readiness_pipelines.contracts import Table
from readiness_pipelines.decisions import Approval, Correction, Discarding, Undoing, Waiver, read_cells
from readiness_pipelines.decisions import What as Decided
from readiness_pipelines.delivery import Draft
from readiness_pipelines.delivery.revealing import reveal as reveal_columns
from readiness_pipelines.errors import DeclarationError, first_line
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.json_values.waiting import waiting_value
from readiness_pipelines.masking import NOBODY, Viewer, quoted_expression
from readiness_pipelines.overview import classified_columns, quarantine_rows, waiting_batches, waiting_values
from readiness_pipelines.settings import Settings

NAMED_COLUMNS = 8
"""So many columns are named whose values are not shown; of more, their number."""

app = typer.Typer(no_args_is_help=True, help="What waits and why; correct, waive, discard, and take it back.")

Reason = Annotated[str, typer.Option("--reason", help="Why: kept with the decision for ever; needed to decide.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show which rows would change and how; keep nothing.")]
Replay = Annotated[bool, typer.Option("--replay", help="Replay the batch at once, with all that is decided here.")]
Numbers = Annotated[list[int], typer.Option("--decision", help="A decision's number; may be given more than once.")]
Reveal = Annotated[
    bool, typer.Option("--reveal", help="With values of classified columns; the trail keeps who, when, why and which.")
]
Because = Annotated[str, typer.Option("--reason", help="Why classified values are looked at: needed for --reveal.")]
Where = Annotated[str | None, typer.Option("--where", help="Which rows: a DuckDB condition over the batch's columns.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides; the user of this machine unless given.")]


@app.command("list")
def list_waiting(what: What = None, held: HeldOnly = False, watch: Watch = False, as_json: AsJson = False) -> None:
    """List the batches of which something waits, held ones first."""
    with errors_for_people():
        settings = Settings()
        chosen, installation = find(what, settings), Installation.open(settings)

        def look() -> None:
            found = waiting_batches(chosen.tables, installation=installation)
            waiting = [record for record in found if not held or record.state is BatchState.HELD]
            if as_json:
                print_json(list(map(waiting_value, waiting)))
            elif not waiting:
                say("nothing is held" if held else "nothing waits")
            else:
                for table in waiting_tables(waiting):
                    OUT.print(table)
                say_next(quarantine_command(waiting[0].ref))

        look_again(look, again=watch and not as_json)


@app.command("show")
def show(what: OfTable = None, batch: WaitingBatch = None, as_json: AsJson = False) -> None:
    """Show why a batch waits: the failing rules with samples, who answers, and what could be done."""
    with errors_for_people():
        found, ref, installation = _open("show", what, batch)
        show_batch(found, ref, installation=installation, as_json=as_json)


@app.command("rows")
def rows(
    what: OfTable = None,
    batch: WaitingBatch = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at most.")] = 20,
    reveal: Reveal = False,
    reason: Because = "",
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Show the rows that wait, with what they break; of classified columns, only what kind of values they have."""
    with errors_for_people():
        found, ref, installation = _open("rows", what, batch)
        waiting = quarantine_rows(found, batch=ref.batch, rule=rule, limit=limit, installation=installation)
        viewer = _viewer(found, ref, waiting, installation, reveal=reveal, reason=reason, who=who)
        shown = waiting_values(found, waiting, viewer)
        if as_json:
            print_json(list(shown))
            return
        OUT.print(rows_table(ref.batch, waiting.column_names, shown))
        if (hidden := classified_columns(found, waiting)) and not viewer.reveals:
            some = ", ".join(hidden) if len(hidden) <= NAMED_COLUMNS else f"{len(hidden)} classified columns"
            say(f"not shown: values of {some}; with --reveal --reason …, they are, and the trail keeps it")


@app.command("export")
def export(
    to: Annotated[Path, typer.Option("--to", help="The file to write: .csv or .parquet.")],
    what: OfTable = None,
    batch: WaitingBatch = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    reveal: Reveal = False,
    reason: Because = "",
    who: Who = None,
) -> None:
    """Write the rows that wait to a file, to be mended there and given back with `correct --file`.

    Classified columns are left out, unless they are revealed.
    """
    with errors_for_people():
        found, ref, installation = _open("export", what, batch)
        waiting = quarantine_rows(found, batch=ref.batch, rule=rule, limit=None, installation=installation)
        if not _viewer(found, ref, waiting, installation, reveal=reveal, reason=reason, who=who).reveals and (
            hidden := classified_columns(found, waiting)
        ):
            waiting = waiting.drop_columns(list(hidden))
            say(f"left out: {', '.join(hidden)}; with --reveal --reason …, they are in it, and the trail keeps it")
        _write(waiting, to)
        say(f"{count_of(waiting.num_rows, 'row')} written to {to}")
        words = ("readiness", "quarantine", "correct", str(ref.table), "--batch", ref.batch, "--file", str(to))
        say_next(f"{shlex.join(words)} --reason …")


@app.command("correct")
def correct(
    batch: BatchKey,
    what: OfTable = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="column = DuckDB expression over the columns; may be given more than once."),
    ] = None,
    where: Where = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(help="CSV or Parquet with _row and the columns to set; may be given more than once."),
    ] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    replay: Replay = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Correct rows: set columns by expressions, or cells from files. Raw keeps what arrived.

    What is given in one command is one decision after the other, kept together or not at all; where holds for each set.
    """
    with errors_for_people():
        if not set_ and not file:
            raise DeclarationError("what is to be corrected?", way_out="give --set 'column = …', or --file")
        decided: list[Decided] = [_correction(one, where) for one in set_ or ()]
        decided += [read_cells(one) for one in file or ()]
        draft, installation = _draft("correct", what, batch, decided)
        keep_draft(draft, reason, installation, who=who, dry_run=dry_run, replay=replay, as_json=as_json)


@app.command("waive")
def waive(
    batch: BatchKey,
    rule: Annotated[
        list[str],
        typer.Option(help="The rule, or 'tolerance' to publish in part what is over it; may be given more than once."),
    ],
    what: OfTable = None,
    where: Where = None,
    until: Annotated[datetime | None, typer.Option(help="When the waiver ends, in UTC.")] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    replay: Replay = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Waive rules for rows or for the batch: what breaks them is published all the same."""
    with errors_for_people():
        ends = until.replace(tzinfo=UTC) if until else None
        decided = [Waiver(rule=one, where=where, until=ends) for one in rule]
        draft, installation = _draft("waive", what, batch, decided)
        keep_draft(draft, reason, installation, who=who, dry_run=dry_run, replay=replay, as_json=as_json)


@app.command("discard")
def discard(
    batch: BatchKey,
    what: OfTable = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            help="Which rows: a DuckDB condition over the batch's columns; may be given more than once.",
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All rows of the batch; withdraws what it published.")] = False,
    reason: Reason = "",
    dry_run: DryRun = False,
    replay: Replay = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Discard rows, or the whole batch: they will not be published."""
    with errors_for_people():
        if (not where) != every:
            raise DeclarationError("which rows are to be discarded?", way_out="give --where '…', or --all")
        decided = [Discarding(where=one) for one in where or (None,)]
        draft, installation = _draft("discard", what, batch, decided)
        keep_draft(draft, reason, installation, who=who, dry_run=dry_run, replay=replay, as_json=as_json)


@app.command("undo")
def undo(
    batch: BatchKey,
    decision: Numbers,
    what: OfTable = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    replay: Replay = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Take decisions back; undoing an undoing puts it in force again."""
    with errors_for_people():
        draft, installation = _draft("undo", what, batch, [Undoing(decision=one) for one in decision])
        keep_draft(draft, reason, installation, who=who, dry_run=dry_run, replay=replay, as_json=as_json)


@app.command("approve")
def approve(
    batch: BatchKey,
    decision: Numbers,
    what: OfTable = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    replay: Replay = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Agree, as a second person, to waivers or discardings that alone do not hold."""
    with errors_for_people():
        draft, installation = _draft("approve", what, batch, [Approval(decision=one) for one in decision])
        keep_draft(draft, reason, installation, who=who, dry_run=dry_run, replay=replay, as_json=as_json)


def _correction(said: str, where: str | None) -> Correction:
    column, sign, expression = said.partition("=")
    if not sign or not expression.strip():
        raise DeclarationError(
            f"--set {quoted_expression(said)!r} sets nothing", way_out="write --set 'column = expression'"
        )
    return Correction(column=column.strip(), expression=expression.strip(), where=where)


def _draft(verb: str, what: str | None, batch: str, decisions: Sequence[Decided]) -> tuple[Draft, Installation]:
    """What is decided, about the batch that is meant."""
    settings = Settings()
    installation = Installation.open(settings)
    found, ref = find_batch(what, batch, settings, installation=installation, command=_command(verb))
    return Draft(table=found, batch=ref.batch, decisions=tuple(decisions)), installation


def _open(verb: str, what: str | None, batch: str | None) -> tuple[Table, BatchRef, Installation]:
    settings = Settings()
    installation = Installation.open(settings)
    found, ref = find_waiting(what, batch, settings, installation=installation, command=_command(verb))
    return found, ref, installation


def _command(verb: str) -> str:
    return f"readiness quarantine {verb} {{table}} --batch {{batch}}"


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
