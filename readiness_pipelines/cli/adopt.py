"""`readiness adopt`: a table whose declaration has moved."""

from typing import Annotated

import typer

from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import AsJson, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.words import find_table
from readiness_pipelines.delivery.attempts import home_of
from readiness_pipelines.domains import load_domains
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings


def adopt(
    table: Annotated[str, typer.Argument(help="The table, as domain.table.", metavar="TABLE")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")],
    as_json: AsJson = False,
) -> None:
    """Make a table belong to the declaration in this code: it has moved to another module, owner or source.

    Do it only where it is the same table: rows of another one would be overwritten.
    """
    with errors_for_people():
        settings = Settings()
        found = find_table(table, load_domains(settings))
        ledger, home = Installation.open(settings).ledger, home_of(found)
        before = ledger.claims().get(found.id)
        if before != home:
            ledger.adopt(found.id, home, who=who_types(), why=reason, at=Run().clock())
        if as_json:
            print_json({"table": str(found.id), "before": str(before) if before else None, "now": str(home)})
            return
        if before == home:
            say(f"{found.id} belongs to {home} already")
            return
        say(f"{found.id} belongs to {home}" + (f", before to {before}" if before else ""))
        say_next(f"readiness run {found.id}")
