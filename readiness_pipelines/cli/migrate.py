"""`readiness migrate`: a ledger of an older version is brought to this program's."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from readiness_pipelines.cli.output import ERR, AsJson, errors_for_people, print_json, say, say_next
from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery import bring_older_profiles
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import migrate as migrate_ledger
from readiness_pipelines.settings import Settings


def migrate(
    force: Annotated[
        bool, typer.Option("--force", help="Also while deliveries are open: where a crash left them, and nothing runs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the ledger to this program's version, after a backup. Safe to do again, and after a crash."""
    with errors_for_people():
        settings = Settings()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=ERR, disable=as_json or not ERR.is_terminal, transient=True) as progress:
            progress.add_task("backing up and migrating the ledger", total=None)
            done = migrate_ledger(settings.ledger_url, at=Run().clock(), force=force)
            profiles = bring_older_profiles(Installation.open(settings), _declared(settings))
        if as_json:
            print_json({"before": done.before, "after": done.after, "backup": done.backup, "profiles": profiles})
            return
        if profiles:
            say(f"{profiles:,} profiles were brought into the ledger, from tables beside yours that are used no more")
        if done.backup is None:
            say(f"the ledger is of version {done.after} already")
            return
        say(f"the ledger is of version {done.after}; it was of {done.before}")
        say(f"as it was, it is in {done.backup}")
        say_next("readiness doctor")


def _declared(settings: Settings) -> Sequence[Domain]:
    """The domains, as far as they can be imported: a ledger is migrated without them, too."""
    try:
        return load_domains(settings)
    except DeclarationError:
        return ()
