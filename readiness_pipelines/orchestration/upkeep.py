"""Upkeep of the tables and the ledger as a nightly job."""

from datetime import UTC, datetime

import dagster as dg

from readiness_pipelines.delivery import maintain
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of

JOB = "maintain_tables"
NIGHTLY = "17 3 * * *"


@dg.op(required_resource_keys={INSTALLATION}, description="Expires snapshots, removes orphans, prunes the ledger.")
def maintenance(context: dg.OpExecutionContext) -> None:
    """Do what `readiness maintain` does, with its defaults."""
    done = maintain(installation_of(context.resources), now=datetime.now(UTC))
    context.add_output_metadata(
        {
            "expired_snapshots": sum(table.expired_snapshots for table in done.tables),
            "removed_files": sum(table.removed_files for table in done.tables),
            "removed_mb": sum(table.removed_bytes for table in done.tables) / 1e6,
            "tables": len(done.tables),
        }
    )


@dg.job(name=JOB, description="Upkeep of all tables and of the ledger.", executor_def=dg.in_process_executor)
def maintain_job() -> None:
    """One pass over all tables."""
    maintenance()


maintain_schedule = dg.ScheduleDefinition(
    name=f"{JOB}_nightly",
    job=maintain_job,
    cron_schedule=NIGHTLY,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night, so that a delivery costs the same after a thousand batches as after ten.",
)
