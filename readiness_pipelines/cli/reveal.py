"""`readiness reveal`: what published tokens stand for, for who has the key, with a reason that is kept."""

import sys
from typing import Annotated

import typer

from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import AsJson, errors_for_people, print_json
from readiness_pipelines.cli.words import find_table
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings


def reveal(
    column: Annotated[str, typer.Argument(help="As domain.table.column.", metavar="DOMAIN.TABLE.COLUMN")],
    batch: Annotated[str, typer.Option("--batch", help="The batch that the tokens were published with.")],
    reason: Annotated[str, typer.Option("--reason", help="Why somebody has to know; kept for ever.")],
    who: Annotated[str | None, typer.Option("--who", help="Who looks; by default who is logged in.")] = None,
    as_json: AsJson = False,
) -> None:
    """Turn tokens back into what they stand for, for who has the key: one token a line from standard input.

    Only columns that `Token` protects can be turned back. The trail keeps who, when, why and how many before a value is
    shown, and never a value. A token that was made with another key is an error, and nothing is shown.
    """
    from readiness_pipelines.delivery.revealing import values_of_tokens  # noqa: PLC0415  # not for --help

    with errors_for_people():
        table, _, name = column.rpartition(".")
        if "." not in table:
            raise DeclarationError(f"{column!r} is no column", way_out="give domain.table.column")
        settings = Settings()
        found = find_table(table, load_domains(settings))
        tokens = [line.strip() for line in sys.stdin if line.strip()]
        values = values_of_tokens(
            found,
            name,
            tokens,
            batch=batch,
            why=reason,
            installation=Installation.open(settings),
            run=Run(who=who_types(who)),
        )
        if as_json:
            print_json([{"token": token, "value": value} for token, value in zip(tokens, values, strict=True)])
            return
        for value in values:
            typer.echo(value)
