"""`readiness quarantine`: what waits, why, and what people decide about it."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json
from readiness_pipelines.cli.paths import find_path, find_paths
from readiness_pipelines.cli.waiting import batch_value, rows_table, show_batch, waiting_table
from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery import Decided, decide, read_cells
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Correction, Discarding, Undoing, Waiver, What, describe
from readiness_pipelines.overview import quarantine_rows, waiting_batches
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What waits and why; correct, waive, discard, and take it back.")

Batch = Annotated[str, typer.Argument(help="The batch.")]
PathName = Annotated[str | None, typer.Option("--path", help="The path; not needed where there is only one.")]
TableName = Annotated[str | None, typer.Option("--table", help="The table; not needed where the path has one source.")]
Reason = Annotated[str, typer.Option("--reason", help="Why: kept with the decision for ever.")]
Where = Annotated[str | None, typer.Option("--where", help="Which rows: a DuckDB condition over the batch's columns.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides; the user of this machine unless given.")]


@app.command("list")
def list_waiting(path: PathName = None, as_json: AsJson = False) -> None:
    """List the batches of which something waits, of all paths where none is named."""
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        found = {one.name: waiting_batches(one, installation=installation) for one in find_paths(path, settings)}
        if as_json:
            print_json([batch_value(record) for waiting in found.values() for record in waiting])
            return
        for name, waiting in found.items():
            OUT.print(waiting_table(name, waiting) if waiting else f"nothing of {name} waits")
        if first := next((waiting[0] for waiting in found.values() if waiting), None):
            OUT.print(f"next: [bold]readiness quarantine show {first.ref.batch}[/]")


@app.command("show")
def show(batch: Batch, path: PathName = None, table: TableName = None, as_json: AsJson = False) -> None:
    """Show why a batch waits: the failing rules with samples, who answers, and what could be done."""
    with errors_for_people():
        found, installation = _open(path, batch)
        show_batch(found, _table(found, table), batch, installation=installation, as_json=as_json)


@app.command("rows")
def rows(
    batch: Batch,
    rule: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    limit: Annotated[int, typer.Option(help="How many rows at most.")] = 20,
    path: PathName = None,
    table: TableName = None,
    as_json: AsJson = False,
) -> None:
    """Show the rows that wait, with what they break."""
    with errors_for_people():
        found, installation = _open(path, batch)
        gated = _table(found, table)
        waiting = quarantine_rows(found, gated, batch=batch, rule=rule, limit=limit, installation=installation)
        if as_json:
            print_json(waiting.to_pylist())
        else:
            OUT.print(rows_table(batch, waiting))


@app.command("export")
def export(
    batch: Batch,
    to: Annotated[Path, typer.Argument(help="The file to write: .csv or .parquet.")],
    rule: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    path: PathName = None,
    table: TableName = None,
) -> None:
    """Write the rows that wait to a file, to be mended there and given back with `correct --file`."""
    with errors_for_people():
        found, installation = _open(path, batch)
        gated = _table(found, table)
        waiting = quarantine_rows(found, gated, batch=batch, rule=rule, limit=None, installation=installation)
        _write(waiting, to)
        OUT.print(f"{waiting.num_rows:,} rows are in {to}")
        OUT.print(f"next: [bold]readiness quarantine correct {batch} --file {to} --reason …[/]")


@app.command("correct")
def correct(
    batch: Batch,
    reason: Reason,
    set_: Annotated[str | None, typer.Option("--set", help="column = DuckDB expression over the columns.")] = None,
    where: Where = None,
    file: Annotated[Path | None, typer.Option(help="CSV or Parquet with _row and the columns to set.")] = None,
    path: PathName = None,
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Correct rows: set a column by an expression, or cells from a file. Raw keeps what arrived."""
    with errors_for_people():
        if (set_ is None) == (file is None):
            raise DeclarationError("what is to be corrected?", way_out="give --set 'column = …', or --file")
        what: What
        if set_ is not None:
            column, sign, expression = set_.partition("=")
            if not sign or not expression.strip():
                raise DeclarationError(f"--set {set_!r} sets nothing", way_out="write --set 'column = expression'")
            what = Correction(column=column.strip(), expression=expression.strip(), where=where)
        else:
            what = read_cells(file or Path())
        _decide(what, batch, reason, path, table, who, as_json=as_json)


@app.command("waive")
def waive(
    batch: Batch,
    reason: Reason,
    rule: Annotated[str, typer.Option(help="The rule, or 'tolerance' to publish in part what is over it.")],
    where: Where = None,
    until: Annotated[datetime | None, typer.Option(help="When the waiver ends, in UTC.")] = None,
    path: PathName = None,
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Waive a rule for rows or for the batch: what breaks it is published all the same."""
    with errors_for_people():
        ends = until.replace(tzinfo=UTC) if until else None
        _decide(Waiver(rule=rule, where=where, until=ends), batch, reason, path, table, who, as_json=as_json)


@app.command("discard")
def discard(
    batch: Batch,
    reason: Reason,
    where: Where = None,
    every: Annotated[bool, typer.Option("--all", help="All rows of the batch; withdraws what it published.")] = False,
    path: PathName = None,
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Discard rows, or the whole batch: they will not be published."""
    with errors_for_people():
        if (where is None) != every:
            raise DeclarationError("which rows are to be discarded?", way_out="give --where '…', or --all")
        _decide(Discarding(where=where), batch, reason, path, table, who, as_json=as_json)


@app.command("undo")
def undo(
    batch: Batch,
    reason: Reason,
    decision: Annotated[int, typer.Option(help="The decision's number.")],
    path: PathName = None,
    table: TableName = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Take a decision back; undoing an undoing puts it in force again."""
    with errors_for_people():
        _decide(Undoing(decision=decision), batch, reason, path, table, who, as_json=as_json)


def _decide(
    what: What, batch: str, reason: str, path: str | None, table: str | None, who: str | None, *, as_json: bool
) -> None:
    found, installation = _open(path, batch)
    run = Run(who=who or getpass.getuser())
    decided = decide(found, _table(found, table), what, batch=batch, why=reason, installation=installation, run=run)
    if as_json:
        print_json(_decided_value(decided))
        return
    touched = "the batch" if decided.rows is None else f"{decided.rows:,} rows"
    OUT.print(Text(f"decision {decided.decision.id}: {decided.decision.kind} {describe(what)} ({touched})"))
    OUT.print(f"next: [bold]readiness replay --batch {batch} --dry-run[/]")


def _decided_value(decided: Decided) -> dict[str, Any]:
    decision = decided.decision
    return {
        "decision": decision.id,
        "kind": decision.kind,
        "batch": decision.ref.batch,
        "table": decision.ref.table,
        "what": describe(decision.what),
        "rows": decided.rows,
        "who": decision.who,
        "why": decision.why,
    }


def _open(path: str | None, batch: str) -> tuple[DataPath, Installation]:
    settings = Settings()
    return find_path(path, settings, batches=[batch]), Installation.open(settings)


def _table(path: DataPath, name: str | None) -> GatedTable:
    """The table of a name; the only one fed by a source where no name is given."""
    gated = {table.name: table for table in path.tables if isinstance(table, GatedTable)}
    if name is None and len(gated) == 1:
        return next(iter(gated.values()))
    if name is None:
        raise DeclarationError("which table?", way_out=f"give --table with one of: {', '.join(gated)}")
    if name not in gated:
        raise UnknownNameError(f"table of path {path.name} that is fed by a source", name, gated)
    return gated[name]


def _write(rows: Any, to: Path) -> None:
    import duckdb  # noqa: PLC0415  # only an export needs it

    with duckdb.connect() as connection:
        relation = connection.from_arrow(rows)
        match to.suffix:
            case ".csv":
                relation.write_csv(str(to), header=True)
            case ".parquet":
                relation.write_parquet(str(to))
            case other:
                raise DeclarationError(f"{to} ends in {other!r}", way_out="name a .csv or .parquet file")
