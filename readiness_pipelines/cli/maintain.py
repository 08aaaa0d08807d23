"""`readiness maintain`: upkeep of the tables and the ledger."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from readiness_pipelines.cli.output import BROKEN_EXIT, OUT, AsJson, errors_for_people, print_json, say, show_error
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.delivery import ORPHAN_AGE, RETENTION, Maintenance, maintain
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import KEPT_SNAPSHOTS
from readiness_pipelines.settings import Settings


def run_maintain(
    retention_days: Annotated[int, typer.Option(min=0, help="Keep snapshots so long.")] = RETENTION.days,
    most_snapshots: Annotated[int, typer.Option(min=1, help="Keep at most so many for each table.")] = KEPT_SNAPSHOTS,
    orphan_hours: Annotated[
        int, typer.Option(min=0, help="Remove files that nothing names when they are older than this.")
    ] = int(ORPHAN_AGE.total_seconds() // 3600),
    as_json: AsJson = False,
) -> None:
    """Expire old snapshots, remove files that nothing names, prune the ledger. Running deliveries are left alone."""
    with errors_for_people():
        done = maintain(
            Installation.open(Settings()),
            now=datetime.now(UTC),
            retention=timedelta(days=retention_days),
            orphan_age=timedelta(hours=orphan_hours),
            most_snapshots=most_snapshots,
        )
        if as_json:
            print_json(
                {
                    "tables": [{**asdict(one), "table": str(one.table)} for one in done.tables],
                    "damaged": [error.what for error in done.damaged],
                    "forgotten_attempts": done.forgotten_attempts,
                    "removed_spills": done.removed_spills,
                    "removed_clones": done.removed_clones,
                }
            )
        else:
            _show(done)
    if done.damaged:
        raise typer.Exit(BROKEN_EXIT)


def _show(done: Maintenance) -> None:
    table = plain_table("maintenance")
    for column in ("table", "expired snapshots", "kept", "removed files", "MB"):
        table.add_column(column, justify="left" if column == "table" else "right", overflow="fold")
    for one in done.tables:
        table.add_row(
            str(one.table),
            f"{one.expired_snapshots:,}",
            f"{one.kept_snapshots:,}",
            f"{one.removed_files:,}",
            f"{one.removed_bytes / 1e6:,.1f}",
        )
    OUT.print(table)
    if removed := done.removed_spills + done.removed_clones:
        say(f"{removed:,} temporary folders that killed processes had left are removed")
    for error in done.damaged:
        show_error(error.what, error.way_out, error.code)
