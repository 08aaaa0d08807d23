"""`readiness`: data paths from the command line."""

import typer

from readiness_pipelines.cli import path
from readiness_pipelines.cli.run import run
from readiness_pipelines.cli.status import show_status

app = typer.Typer(
    name="readiness",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Data paths for business KPIs: run them, see what is held and why.",
)
app.command("run")(run)
app.command("status")(show_status)
app.add_typer(path.app, name="path")
