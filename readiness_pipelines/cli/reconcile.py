"""`readiness reconcile`: the proof that every row is accounted for."""

import getpass
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from readiness_pipelines.cli.output import BROKEN_EXIT, OUT, AsJson, errors_for_people, print_json
from readiness_pipelines.cli.paths import find_path
from readiness_pipelines.delivery import Installation, Run, reconcile, repair
from readiness_pipelines.settings import Settings


def run_reconcile(
    path: Annotated[str | None, typer.Argument(help="The path's name; not needed where there is only one.")] = None,
    mend: Annotated[bool, typer.Option("--repair", help="Deliver what does not add up again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove from the tables themselves that every row is accounted for, once, and that the ledger agrees.

    The exit code is 1 where something does not add up.
    """
    with errors_for_people():
        settings = Settings()
        found = find_path(path, settings)
        installation = Installation.open(settings)
        seen = reconcile(found, installation=installation)
        repaired: tuple[str, ...] = ()
        if mend and seen.problems:
            repaired = repair(found, seen, installation=installation, run=Run(who=getpass.getuser()))
            seen = reconcile(found, installation=installation)
        if as_json:
            print_json({**asdict(seen), "path": found.name, "repaired": list(repaired)})
        else:
            for batch in repaired:
                OUT.print(f"repaired {batch}")
            for problem in seen.problems:
                OUT.print(Text.assemble((str(problem.ref), "bold red"), f": {problem.what}"))
            verdict = "everything adds up" if not seen.problems else f"{len(seen.problems)} problems"
            OUT.print(f"{found.name}: {seen.batches:,} batches, {seen.rows:,} rows looked at: {verdict}")
            if seen.problems:
                OUT.print(f"next: [bold]{seen.problems[0].way_out}[/]")
    if seen.problems:
        raise typer.Exit(BROKEN_EXIT)
