"""`readiness`: data paths from the command line."""

import gc
import signal
from collections.abc import Mapping
from typing import Annotated

import typer

from readiness_pipelines.cli.on_demand import CommandsOnDemand, Named
from readiness_pipelines.cli.output import errors_for_people
from readiness_pipelines.cli.stopping import SIGNALS, end, end_at_once

COMMANDS: Mapping[str, Named] = {
    "init": Named(
        home="readiness_pipelines.cli.init:init",
        help="Begin a project: a domain with a gate and a KPI, its test, settings, Dagster's files; it runs as it is.",
    ),
    "run": Named(
        home="readiness_pipelines.cli.run:run",
        help="Run batches from their source to the products. Without --batch or --all: what is due.",
    ),
    "stream": Named(
        home="readiness_pipelines.cli.stream:stream",
        help="Read a shard of a table's topic until it is told to end: slices are published within seconds, windows"
        " sealed.",
    ),
    "streams": Named(
        home="readiness_pipelines.cli.streams:show_streams",
        help="Show the processes that read streams: whether each is there, its position, lag, watermark and open"
        " window.",
    ),
    "status": Named(
        home="readiness_pipelines.cli.status:show_status",
        help="Show where every batch of a domain (of all, where none is named) stands: rows, what is held and why,"
        " the KPIs.",
    ),
    "replay": Named(
        home="readiness_pipelines.cli.replay:replay",
        help="Judge batches again: their corrections applied, waived rules waived, by the gate in the code.",
    ),
    "plan": Named(
        home="readiness_pipelines.cli.plan:plan",
        help="Show what the code would do to past batches: which gates and transforms differ, and what would be judged"
        " again.",
    ),
    "history": Named(
        home="readiness_pipelines.cli.history:show_history",
        help="Show all that happened to a batch, to what it was made of, and to what was made of it.",
    ),
    "reconcile": Named(
        home="readiness_pipelines.cli.reconcile:run_reconcile",
        help="Prove from the tables themselves that every row is accounted for, once, and is as it was committed.",
    ),
    "maintain": Named(
        home="readiness_pipelines.cli.maintain:run_maintain",
        help="Expire old snapshots, remove files that nothing names, prune the ledger. Running deliveries are left"
        " alone.",
    ),
    "erase": Named(
        home="readiness_pipelines.cli.erase:run_erase",
        help="Erase a person from tables, ledger and landed files, prove it by a search, and write a certificate.",
    ),
    "watch": Named(
        home="readiness_pipelines.cli.watch:run_watch",
        help="Look at every domain now: freshness, held batches, broken deliveries. Keep incidents, notify channels.",
    ),
    "serve": Named(
        home="readiness_pipelines.cli.serve:serve",
        help="Judge single records over HTTP, by the gates of the tables; new versions of them without a restart.",
    ),
    "report": Named(
        home="readiness_pipelines.cli.report:write_report",
        help="Write what happened in a domain: one HTML file that needs no server, and a Markdown twin.",
    ),
    "open": Named(
        home="readiness_pipelines.cli.open_page:open_page",
        help="Open the page of a batch (its verdict, rows, decisions, what to type), or a domain's report, in the"
        " browser.",
    ),
    "web": Named(
        home="readiness_pipelines.cli.web:serve",
        help="Serve the web page: how everything stands, what waits, decide and replay, the map, the same as JSON.",
    ),
    "scorecard": Named(
        home="readiness_pipelines.cli.scorecard:show_scorecard",
        help="Show how ready the data is: what passes, what fails, what has no evidence, with what proves it, and what"
        " next.",
    ),
    "check": Named(
        home="readiness_pipelines.cli.check:check",
        help="Check all declarations without a row of data: build every gate, try every transform. The exit code"
        " tells.",
    ),
    "suggest": Named(
        home="readiness_pipelines.cli.suggest:suggest",
        help="Suggest rules that earlier batches of a table kept, with how many of them would have broken each.",
    ),
    "scan": Named(
        home="readiness_pipelines.cli.scan:scan",
        help="Show which columns look like they are about persons, by values and names, and propose classes for them.",
    ),
    "reveal": Named(
        home="readiness_pipelines.cli.reveal:reveal",
        help="Turn tokens back into what they stand for, for who has the key: one token a line from standard input.",
    ),
    "doctor": Named(
        home="readiness_pipelines.cli.doctor:run_doctor",
        help="Check every connection, folder, version, name and declaration. The exit code is 1 where something is"
        " wrong.",
    ),
    "adopt": Named(
        home="readiness_pipelines.cli.adopt:adopt",
        help="Make a table belong to the declaration in this code: it has moved to another module, owner or source.",
    ),
    "migrate": Named(
        home="readiness_pipelines.cli.migrate:migrate",
        help="Bring the ledger to this program's version, after a backup. Safe to do again, and after a crash.",
    ),
    "audit": Named(
        home="readiness_pipelines.cli.audit:app",
        help="Verify that what happened and was decided is still as it was written.",
    ),
    "quarantine": Named(
        home="readiness_pipelines.cli.decisions:app",
        help="What waits and why; correct, waive, discard, and take it back.",
    ),
    "incidents": Named(
        home="readiness_pipelines.cli.incidents:app",
        help="What is not as promised: look, take it, close it, or silence it.",
    ),
    "lineage": Named(
        home="readiness_pipelines.cli.lineage:app",
        help="Where data comes from, what depends on it, and events about it.",
    ),
    "model": Named(
        home="readiness_pipelines.cli.model:app",
        help="Models: train, compare and promote them; what changed under them.",
    ),
    "labels": Named(
        home="readiness_pipelines.cli.labels:app",
        help="What people are to label, as tasks of Label Studio.",
    ),
    "catalog": Named(
        home="readiness_pipelines.cli.catalog:app",
        help="What data there is: find a table, see what it promises, and what it kept.",
    ),
    "domain": Named(
        home="readiness_pipelines.cli.domain:app",
        help="What is declared: the domains, their tables and products.",
    ),
    "contract": Named(
        home="readiness_pipelines.cli.contract:app",
        help="What tables promise, as ODCS files: export, import, lint; who breaks when it changes.",
    ),
    "training": Named(
        home="readiness_pipelines.cli.training:app",
        help="What models learn from: build a training set, and show it as it was.",
    ),
    "features": Named(
        home="readiness_pipelines.cli.features:app",
        help="Feature views: their latest values by key, looked up, kept and checked.",
    ),
    "schema": Named(
        home="readiness_pipelines.cli.schema:app",
        help="The columns that a source is known to have; accept those it has now.",
    ),
}
"""The commands: where they are, and what their help begins with."""


_OBJECTS_BETWEEN_LOOKS = 50_000


class _Commands(CommandsOnDemand):
    """All commands."""

    named = COMMANDS


app = typer.Typer(
    name="readiness",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Data paths for business KPIs: run them, see what is held and why.",
)


def _print_version(wanted: bool) -> None:  # how Typer calls it
    if wanted:
        from readiness_pipelines.version import __version__  # noqa: PLC0415  # looked up in what is installed

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
    # What is imported stays: to look through it for garbage again and again takes a third of a short command's time.
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    try:
        with errors_for_people():
            app()
    except typer.Exit as done:
        end(done.exit_code)
    except SystemExit as done:
        if not isinstance(done.code, int | None):
            raise  # Python prints it
        end(done.code or 0)
    end(0)
