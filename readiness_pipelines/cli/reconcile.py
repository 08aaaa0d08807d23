"""`readiness reconcile`: the proof that every row is accounted for."""

import getpass
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from readiness_pipelines.cli.output import BROKEN_EXIT, OUT, AsJson, errors_for_people, print_json_of
from readiness_pipelines.cli.paths import find_paths
from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery import Reconciliation, reconcile, repair
from readiness_pipelines.installation import Installation, Run
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
        installation = Installation.open(settings)
        found = [(one, *_reconciled(one, installation, mend=mend)) for one in find_paths(path, settings)]
        if as_json:
            print_json_of([{**asdict(seen), "path": one.name, "repaired": list(done)} for one, seen, done in found])
        else:
            for one, seen, repaired in found:
                _show(one, seen, repaired)
    if any(seen.problems for _, seen, _ in found):
        raise typer.Exit(BROKEN_EXIT)


def _reconciled(path: DataPath, installation: Installation, *, mend: bool) -> tuple[Reconciliation, tuple[str, ...]]:
    seen = reconcile(path, installation=installation)
    if not mend or not seen.problems:
        return seen, ()
    repaired = repair(path, seen, installation=installation, run=Run(who=getpass.getuser()))
    return reconcile(path, installation=installation), repaired


def _show(path: DataPath, seen: Reconciliation, repaired: tuple[str, ...]) -> None:
    for batch in repaired:
        OUT.print(f"repaired {batch}")
    for problem in seen.problems:
        OUT.print(Text.assemble((str(problem.ref), "bold red"), f": {problem.what}"))
    verdict = "everything adds up" if not seen.problems else f"{len(seen.problems)} problems"
    OUT.print(f"{path.name}: {seen.batches:,} batches, {seen.rows:,} rows looked at: {verdict}")
    if seen.problems:
        OUT.print(f"next: [bold]{seen.problems[0].way_out}[/]")
