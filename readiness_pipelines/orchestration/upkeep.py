"""Upkeep of the tables and the ledger, and their proof, as nightly jobs."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery import Share, audit, maintain, prove_share
from readiness_pipelines.installation import Run
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of

JOB = "maintain_tables"
NIGHTLY = "17 3 * * *"
PROOF_JOB = "prove_tables"
PROOF_NIGHTLY = "17 4 * * *"
PROBLEMS_SHOWN = 10


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
    if done.damaged:
        raise dg.Failure("\n".join(map(str, done.damaged)), allow_retries=False)


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


def prove_job(domains: Sequence[Domain]) -> dg.JobDefinition:
    """A job that proves tonight's share of the batches of some domains, and the whole trail.

    What does not add up becomes an incident of its table; the run fails, so that it is seen here, too.
    """

    @dg.op(
        name="proof",
        required_resource_keys={INSTALLATION},
        description="Judges a thirtieth of all batches again, and follows the chains of the trail.",
    )
    def proof(context: dg.OpExecutionContext) -> None:
        installation, run = installation_of(context.resources), Run(run_id=context.run_id)
        share = Share.of_night(run.clock().date())
        seen = prove_share(domains, share, installation=installation, run=run)
        problems = [f"{problem.ref}: {problem.what}" for problem in seen.problems]
        problems += audit(installation=installation).problems
        metadata: dict[str, str | int] = {
            "share": f"{share.part}/{share.parts}",
            "batches": seen.batches,
            "rows": seen.rows,
            "judged_again": seen.recomputed,
            "problems": len(problems),
        }
        context.add_output_metadata(metadata)
        if problems:
            raise dg.Failure("\n".join(problems[:PROBLEMS_SHOWN]), metadata=metadata, allow_retries=False)

    @dg.job(
        name=PROOF_JOB,
        description="Proves that tables, ledger and trail have what the last verdicts left.",
        executor_def=dg.in_process_executor,
    )
    def prove_tables() -> None:
        proof()

    return prove_tables


def prove_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Every night a thirtieth, so that every batch is proved each month."""
    return dg.ScheduleDefinition(
        name=f"{PROOF_JOB}_nightly",
        job=job,
        cron_schedule=PROOF_NIGHTLY,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night a thirtieth of all batches, so that each is proved once a month.",
    )
