"""A job that keeps decisions about a batch together and asks for one replay; or only shows what they would do."""

from typing import Any

import dagster as dg

from readiness_pipelines.contracts import Domain, GatedTable, Table
from readiness_pipelines.delivery import Draft, DraftOutcome, decide_together, dry_run
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.identity import UNPROVED, who_acts
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.orchestration.decision_config import DraftConfig, WholeDraftConfig, decision_of
from readiness_pipelines.orchestration.failures import as_failures
from readiness_pipelines.orchestration.keys import WHO_TAG, decide_job_name
from readiness_pipelines.orchestration.metadata import record_table
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of
from readiness_pipelines.settings import Settings

BATCH_HINT = "the batch, as the asset's page names it"
REASON_HINT = "the reason, kept for ever"
WHO_HINT = "your name"


def decide_job(domain: Domain) -> dg.JobDefinition:
    """Keeps decisions that are given as configuration, and asks for the batch to be replayed, once."""

    def decide_in_run(context: dg.OpExecutionContext, config: WholeDraftConfig) -> None:
        with as_failures():
            installation = installation_of(context.resources)
            draft = Draft(
                table=_chosen_table(domain, config.table),
                batch=config.batch,
                decisions=tuple(map(decision_of, config.decisions)),
            )
            run = Run(run_id=context.run.run_id, who=_who(context.run.tags.get(WHO_TAG, ""), config.who))
            with as_failures(draft.table):
                if config.dry_run:
                    _show(context, dry_run(draft, installation=installation, run=run))
                else:
                    _keep(context, draft, config.why, installation=installation, run=run)

    plain = all(classes_of(table).plain for table in domain.tables)
    decide_in_run.__annotations__["config"] = DraftConfig if plain else WholeDraftConfig
    name = f"{domain.name}_decision"
    decision = dg.op(name=name, required_resource_keys={INSTALLATION})(decide_in_run)

    @dg.job(
        name=decide_job_name(domain.name),
        description=(
            "Correct, waive, discard, undo or approve, with a reason: one or more decisions about a batch, kept "
            "together and replayed once. With dry_run, only what they would do is shown."
        ),
        executor_def=dg.in_process_executor,
        config=decision_config(domain, table=_example_table(domain)),
    )
    def decide_about() -> None:
        decision()

    return decide_about


def decision_config(domain: Domain, *, table: str, batch: str = BATCH_HINT, rule: str = "tolerance") -> dict[str, Any]:
    """Run configuration with all that is required filled in, for the launchpad: a dry run of one waiver.

    Args:
        domain: The domain.
        table: The table's name in the domain.
        batch: The batch.
        rule: The rule to waive.
    """
    decisions = [{"action": "waive", "rule": rule}]
    given = {"table": table, "batch": batch, "why": REASON_HINT, "who": WHO_HINT, "dry_run": True}
    return {"ops": {f"{domain.name}_decision": {"config": {**given, "decisions": decisions}}}}


def _keep(context: dg.OpExecutionContext, draft: Draft, why: str, *, installation: Installation, run: Run) -> None:
    if draft.decisions:
        kept = decide_together([draft], why=why, installation=installation, run=run, replay=True)
        for one in kept.decisions:
            touched = "the whole batch" if one.rows is None else f"{one.rows:,} rows"
            context.log.info(f"decision {one.decision.id}: {one.decision.verb} {one.decision.text} ({touched})")
        for number in kept.second_person:
            context.log.warning(f"decision {number} holds once somebody else than {run.who} approves it")
        (request,) = kept.requests
    else:
        request = installation.ledger.request_replay(draft.ref, who=run.who, why=why, at=run.clock())
    context.log.info(f"request {request.id} is for the replay of {draft.ref}")
    context.add_output_metadata({"decisions": len(draft.decisions), "replay_request": request.id})


def _show(context: dg.OpExecutionContext, outcome: DraftOutcome) -> None:
    """What a draft would do, as the run's output."""
    changes = outcome.changes
    moves = ", ".join(f"{rows:,} rows from {old or 'raw'} to {new}" for (old, new), rows in changes.moved.items())
    state = f"{outcome.state or 'not judged'} → {outcome.would_be}"
    said = f"{state}; {moves or 'no row moves'}; {changes.corrected:,} rows get other values"
    context.log.info(f"{outcome.ref}: {said}. Nothing was kept: set dry_run to false to decide.")
    metadata: dict[str, Any] = {
        "would_be": state,
        "reason": outcome.reason or "every row passes",
        "published_rows": outcome.would_count.published,
        "quarantined_rows": outcome.would_count.quarantined,
        "discarded_rows": outcome.would_count.discarded,
        "computed_again": ", ".join(map(str, outcome.downstream)) or "nothing",
    }
    if outcome.decisions:
        metadata["decisions"] = record_table(
            [
                {"action": one.what.verb, "what": one.text, "rows": one.rows, "second_person": one.second_person}
                for one in outcome.decisions
            ]
        )
    if changes.rows:
        metadata["changed_rows"] = record_table(
            [
                {
                    "row": row.row,
                    "was": row.before or "raw",
                    "would_be": row.after,
                    "cells": "; ".join(f"{cell.column}: {cell.before} → {cell.after}" for cell in row.cells),
                    "still_breaks": ", ".join(row.broken),
                }
                for row in changes.rows
            ]
        )
    if outcome.rules:
        metadata["still_broken"] = record_table(
            [{"rule": count.rule.name, "rows": count.broken_rows} for count in outcome.rules]
        )
    context.add_output_metadata(metadata)


def _who(tag: str, said: str) -> str:
    """Who decides: whom the run's tag proves, else whom the launchpad names, unproved.

    Raises:
        NotAuthenticatedError: Nothing proves it, and the settings require that.
    """
    if tag and not tag.endswith(UNPROVED):
        return tag
    if not said.strip() or said == WHO_HINT:
        raise DeclarationError("nobody is named who decides", way_out="write your name under who")
    return who_acts(Settings().identity, token="", said=said)


def _example_table(domain: Domain) -> str:
    """The table that the launchpad names until somebody names another."""
    return next((table.name for table in domain.tables if isinstance(table, GatedTable)), domain.tables[0].name)


def _chosen_table(domain: Domain, name: str) -> Table:
    if name:
        return domain.table(name)
    gated = [table for table in domain.tables if isinstance(table, GatedTable)]
    if len(gated) != 1:
        names = ", ".join(table.name for table in domain.tables)
        raise DeclarationError(
            f"{domain.name} has {len(gated)} sources: no table is named", way_out=f"give one of: {names}"
        )
    return gated[0]
