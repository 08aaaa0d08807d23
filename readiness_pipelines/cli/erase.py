"""`readiness erase`: a person erased, counted without, or erased again after a restore."""

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.delivery.erasure.certificate import Certificate
from readiness_pipelines.delivery.erasure.requests import (
    apply_register,
    count_rows,
    erase,
    export_register,
    import_register,
    resume,
)
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError, ErasureOpenError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import EVERYWHERE
from readiness_pipelines.settings import Settings

STANDARD_INPUT = Path("-")


def run_erase(
    table: Annotated[
        str, typer.Argument(help="domain.table, or domain.table.column; by default all that name persons.")
    ] = EVERYWHERE,
    subject_file: Annotated[
        Path | None,
        typer.Option(help="A file with the values that name the person, a line each; - for standard input."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why: kept for ever, so without the value.")] = "",
    ground: Annotated[str, typer.Option("--ground", help="The legal ground: gdpr-17.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the rows, by place, and change nothing.")] = False,
    resumed: Annotated[bool, typer.Option("--resume", help="Finish the requests that are open.")] = False,
    applied: Annotated[
        bool, typer.Option("--apply-register", help="Erase everybody again whom the register knows: after a restore.")
    ] = False,
    export_to: Annotated[Path | None, typer.Option("--export-register", help="Write the register to a file.")] = None,
    import_from: Annotated[
        Path | None, typer.Option("--import-register", help="Take in a register that was written to a file.")
    ] = None,
    accept: Annotated[
        str,
        typer.Option(
            "--accept-remainder",
            help="Why landed files that cannot be written anew, tables that are not declared any more, or reasons, may "
            "keep the person; kept for ever.",
        ),
    ] = "",
    who: Annotated[str | None, typer.Option("--who", help="Who acts; the user of this machine unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person from tables, ledger and landed files, prove it by a search, and write a certificate.

    The values that name the person are asked for, or read from a file: never from the command line, which shells keep.
    The same command again finishes what was cut off. The exit code is 2 while traces are left.
    """
    with errors_for_people():
        settings = Settings()
        installation, domains = Installation.open(settings), load_domains(settings)
        run = Run(who=who_types(who))
        step = _quiet if as_json else _say_step
        if export_to is not None:
            export_to.write_text(export_register(installation), encoding="utf-8")
            say(f"the register is in {export_to}; keep its key, too, but elsewhere")
            return
        if import_from is not None:
            new = import_register(import_from.read_text(encoding="utf-8"), installation=installation)
            typer.echo(f"{new:,} values are new in the register", err=True)
            if not applied:
                return
        if applied:
            why = reason or "a backup was restored"
            done = apply_register(domains, why=why, installation=installation, run=run, step=step, accept=accept)
            _show([done], as_json=as_json)
        elif resumed:
            _show(resume(domains, installation=installation, run=run, step=step, accept=accept), as_json=as_json)
        elif dry_run:
            values = _values(subject_file)
            found = count_rows(domains, values, scope=table, installation=installation, at=run.clock())
            _show_counts(found, as_json=as_json)
        else:
            values = _values(subject_file)
            certificate = erase(
                domains,
                values,
                scope=table,
                why=reason,
                ground=ground,
                installation=installation,
                run=run,
                step=step,
                accept=accept,
            )
            _show([certificate], as_json=as_json)


def _values(file: Path | None) -> list[str]:
    """What names the person, a value each.

    Raises:
        DeclarationError: There is nobody to ask.
    """
    if file is None:
        if not sys.stdin.isatty():
            raise DeclarationError(
                "there is nobody to ask for the value", way_out="give it by a file: --subject-file …, or - for a pipe"
            )
        text = getpass.getpass("value that names the person (not shown): ")
    else:
        text = sys.stdin.read() if file == STANDARD_INPUT else file.read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _show(done: Sequence[Certificate], *, as_json: bool) -> None:
    """Print certificates.

    Raises:
        ErasureOpenError: Something is left to do.
    """
    if as_json:
        print_json([one.to_json() for one in done])
    elif not done:
        say("no request is open")
    for one in done if not as_json else ():
        typer.echo(one.to_markdown())
    if left := [one for one in done if one.open_ends]:
        count = sum(len(one.open_ends) for one in left)
        way_out = "put them right, then run the same command again"
        if all(set(one.open_ends) <= set(one.acceptable) for one in left):
            way_out += '; or let somebody answer for what is kept: --accept-remainder "why"'
        raise ErasureOpenError(
            f"erasure {left[0].erasure} is not done: {count:,} things are left, and named above", way_out=way_out
        )


def _show_counts(found: dict[str, dict[str, int]], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        say("no row is of the person")
        return
    table = plain_table("rows of the person")
    for column in ("place", "batch or file", "rows"):
        table.add_column(column, justify="right" if column == "rows" else "left", overflow="fold")
    for place, counts in sorted(found.items()):
        for name, rows in sorted(counts.items()):
            table.add_row(place, name, f"{rows:,}")
    OUT.print(table)


def _say_step(what: str) -> None:
    typer.echo(f"{what} …", err=True)


def _quiet(_what: str) -> None:
    """Programs read the result alone."""
