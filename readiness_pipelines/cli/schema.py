"""`readiness schema`: the columns that a source is known to have, and what to do when they change."""

from typing import Annotated, Any

import typer
from rich.text import Text

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import OUT, AsJson, count_of, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.words import check_ran, find_gated
from readiness_pipelines.commands import replay_command, run_command
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Shape
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The columns that a source is known to have; accept those it has now.")

TableArgument = Annotated[str, typer.Argument(help="A table fed by a source, as domain.table.", metavar="TABLE")]


@app.command("show")
def show_shape(table: TableArgument, as_json: AsJson = False) -> None:
    """Show the columns that a table's source is known to have, and how they changed."""
    with errors_for_people():
        settings = Settings()
        found = find_gated(table, load_domains(settings))
        shapes = Installation.open(settings).ledger.shapes(found.id)
        if as_json:
            print_json({"table": str(found.id), "shapes": list(map(_value, shapes))})
            return
        if not shapes:
            say(f"no batch of {found.id} was published yet: the first that is says what its source has")
            say_next(f"readiness run {found.id}")
            return
        columns = plain_table(f"{found.id}: what its source has")
        columns.add_column("column", overflow="fold")
        columns.add_column("type", overflow="fold")
        for name, kind in shapes[-1].columns.items():
            columns.add_row(Text(name), Text(kind))
        OUT.print(columns)
        before: Shape | None = None
        for shape in shapes:
            say(f"  {shape.at:%Y-%m-%d %H:%M} from {shape.batch} · {shape.who}: {shape.why} · {_change(before, shape)}")
            before = shape


@app.command("accept")
def accept_shape(
    table: TableArgument,
    batch: Annotated[str, typer.Option("--batch", help="The batch whose columns are normal from now on.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")],
    as_json: AsJson = False,
) -> None:
    """Accept the columns of a batch as what the source has from then on. Then the batch can be replayed."""
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        ledger, found = installation.ledger, find_gated(table, load_domains(settings))
        check_ran(found, batch, installation=installation)
        record = ledger.get(BatchRef(found.id.raw, batch))
        if record is None or not record.columns:
            raise DeclarationError(
                f"nothing of {found.id}[{batch}] was ingested: its columns are not known",
                way_out=run_command(BatchRef(found.id, batch)),
            )
        before = ledger.accepted_shape(found.id)
        arrived = {column.name: column.type for column in record.columns}
        shape = ledger.accept_shape(found.id, arrived, who=who_types(), why=reason, at=Run().clock(), batch=batch)
        replay = replay_command(BatchRef(found.id, batch), dry_run=False)
        if as_json:
            print_json({"table": str(found.id), "accepted": _value(shape), "next": replay})
            return
        say(f"{found.id} has from {shape.batch} on: {_change(before, shape)}")
        say_next(replay)


def _change(before: Shape | None, shape: Shape) -> str:
    """What one shape has that the one before had not."""
    if before is None:
        return count_of(len(shape.columns), "column")
    old, new = before.columns, shape.columns
    changes = [f"+ {name} {kind}" for name, kind in new.items() if name not in old]
    changes += [f"- {name}" for name in old if name not in new]
    changes += [f"{name}: {old[name]} → {kind}" for name, kind in new.items() if old.get(name, kind) != kind]
    return ", ".join(changes) or "no change"


def _value(shape: Shape) -> dict[str, Any]:
    return {
        "columns": dict(shape.columns),
        "batch": shape.batch,
        "who": shape.who,
        "why": shape.why,
        "at": shape.at.isoformat(),
    }
