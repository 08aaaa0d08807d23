"""`readiness`: data paths from the command line."""

import signal
import sys
from typing import Annotated

import typer

from readiness_pipelines import __version__
from readiness_pipelines.cli import audit, decisions, domain, incidents, schema
from readiness_pipelines.cli.adopt import adopt
from readiness_pipelines.cli.check import check
from readiness_pipelines.cli.doctor import run_doctor
from readiness_pipelines.cli.history import show_history
from readiness_pipelines.cli.maintain import run_maintain
from readiness_pipelines.cli.migrate import migrate
from readiness_pipelines.cli.output import errors_for_people
from readiness_pipelines.cli.reconcile import run_reconcile
from readiness_pipelines.cli.replay import replay
from readiness_pipelines.cli.report import write_report
from readiness_pipelines.cli.run import run
from readiness_pipelines.cli.status import show_status
from readiness_pipelines.cli.stopping import SIGNALS, end_at_once
from readiness_pipelines.cli.watch import run_watch

app = typer.Typer(
    name="readiness",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Data paths for business KPIs: run them, see what is held and why.",
)
app.command("run")(run)
app.command("status")(show_status)
app.command("replay")(replay)
app.command("history")(show_history)
app.command("reconcile")(run_reconcile)
app.command("maintain")(run_maintain)
app.command("watch")(run_watch)
app.command("report")(write_report)
app.command("check")(check)
app.command("doctor")(run_doctor)
app.command("adopt")(adopt)
app.command("migrate")(migrate)
app.add_typer(audit.app, name="audit")
app.add_typer(decisions.app, name="quarantine")
app.add_typer(incidents.app, name="incidents")
app.add_typer(domain.app, name="domain")
app.add_typer(schema.app, name="schema")


def _print_version(wanted: bool) -> None:  # how Typer calls it
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # its callback prints it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Data paths for business KPIs: run them, see what is held and why."""


def main() -> None:
    """Run the command line: what a user can put right never ends in a traceback, and neither does a signal."""
    for number in SIGNALS:
        signal.signal(number, end_at_once)
    try:
        with errors_for_people():
            app()
    except typer.Exit as done:
        sys.exit(done.exit_code)
