"""`readiness`: data paths from the command line."""

import typer

from readiness_pipelines.cli import decisions, incidents, path
from readiness_pipelines.cli.doctor import run_doctor
from readiness_pipelines.cli.history import show_history
from readiness_pipelines.cli.maintain import run_maintain
from readiness_pipelines.cli.reconcile import run_reconcile
from readiness_pipelines.cli.replay import replay
from readiness_pipelines.cli.report import write_report
from readiness_pipelines.cli.run import run
from readiness_pipelines.cli.status import show_status
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
app.command("doctor")(run_doctor)
app.add_typer(decisions.app, name="quarantine")
app.add_typer(incidents.app, name="incidents")
app.add_typer(path.app, name="path")
