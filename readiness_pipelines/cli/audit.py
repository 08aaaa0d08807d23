"""`readiness audit verify`: the proof that nobody rewrote what happened."""

import typer

from readiness_pipelines.cli.output import BROKEN_EXIT, AsJson, errors_for_people, print_json, say
from readiness_pipelines.delivery import Audit, audit
from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Verify that what happened and was decided is still as it was written.")


@app.callback()
def _audit() -> None:
    """Verify that what happened and was decided is still as it was written."""


@app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Follow the chain through everything append-only, and hold it against what the tables' snapshots name of it.

    The first broken link is named. The exit code is 1 where something is wrong.
    """
    with errors_for_people():
        found = audit(installation=Installation.open(Settings()))
        if as_json:
            print_json(_value(found))
        else:
            _show(found)
    if found.problems:
        raise typer.Exit(BROKEN_EXIT)


def _show(found: Audit) -> None:
    for chain in found.chains:
        say(f"{chain.table}: {chain.rows:,} rows", *([] if chain.broken or not chain.rows else [", all linked"]))
    say(f"{found.anchors:,} snapshots of tables name the rows that were the last when they were committed")
    for problem in found.problems:
        say((problem, "bold red"))
    if found.problems:
        say("the trail is not as it was written: compare it with a backup of the ledger, as the runbook says")
    else:
        say("the trail is as it was written")


def _value(found: Audit) -> dict[str, object]:
    return {
        "chains": [
            {
                "table": chain.table,
                "rows": chain.rows,
                "broken_at": chain.broken.id if chain.broken else None,
                "missing_guards": list(chain.missing_guards),
            }
            for chain in found.chains
        ],
        "anchors": found.anchors,
        "problems": list(found.problems),
    }
