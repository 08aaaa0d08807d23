"""A held batch in Dagster: a failure that says why, what waits, and what to do next, in place of a stack trace."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import dagster as dg
import yaml

from readiness_pipelines.batches import BatchState
from readiness_pipelines.contracts import Table, answers_for, products_of
from readiness_pipelines.delivery import Delivery
from readiness_pipelines.orchestration.checks import broken_rules, links, next_command
from readiness_pipelines.orchestration.deciding import decision_config
from readiness_pipelines.orchestration.keys import decide_job_name
from readiness_pipelines.orchestration.rule_checks import rules_table

HELD_TAG = "readiness/held"
"""Run tag that names the table of which a batch is held."""

HELD_CODES = frozenset({BatchState.HELD.value, BatchState.EMPTY.value})
"""Codes of failures that are a gate's verdict."""

SHOWN_RULES = 10


def refuse_held(context: dg.AssetExecutionContext, table: Table, delivery: Delivery) -> None:
    """End the step of a batch of which nothing is published, and tag its run.

    Raises:
        dg.Failure: The batch is held, or empty; no run tries it again by itself.
    """
    if delivery.state.visible or delivery.state is BatchState.DISCARDED:
        return
    if delivery.state is BatchState.HELD:
        context.instance.add_run_tags(context.run.run_id, {HELD_TAG: str(table.id)})
    raise dg.Failure(
        description=f"{delivery.state}: {delivery.reason} · next: {next_command(delivery)}",
        metadata=_metadata(context, table, delivery),
        allow_retries=False,
    )


def _metadata(context: dg.AssetExecutionContext, table: Table, delivery: Delivery) -> Mapping[str, Any]:
    counts, broken = delivery.counts, broken_rules(delivery)
    metadata: dict[str, Any] = {
        "code": delivery.state.value,
        "batch": str(delivery.ref),
        "ingested_rows": counts.ingested,
        "quarantined_rows": counts.quarantined,
        "who_answers": answers_for(table),
        "next_command": next_command(delivery),
    }
    if products := products_of(table):
        metadata["products_at_risk"] = ", ".join(products)
    if broken:
        metadata["broken_rules"] = rules_table(broken[:SHOWN_RULES], counts.ingested)
    metadata |= links(delivery)
    if delivery.state is BatchState.HELD and (address := _launchpad(context, table, delivery)):
        metadata["decide_in_dagster"] = dg.MetadataValue.url(address)
    return metadata


def _launchpad(context: dg.AssetExecutionContext, table: Table, delivery: Delivery) -> str:
    """Address of the launchpad of the job that decides, filled in for a batch; "" where Dagster's page has none."""
    origin = context.run.remote_job_origin
    if origin is None:
        return ""
    config = decision_config(table.domain, table=table.name, batch=delivery.ref.batch)
    job = decide_job_name(table.domain.name)
    query = urlencode({"config": yaml.safe_dump(config, sort_keys=False)})
    return f"/locations/{origin.location_name}/jobs/{job}/playground/setup?{query}"
