"""What Dagster calls our tables and jobs, and the tags of our runs."""

from collections.abc import Iterable

import dagster as dg

from readiness_pipelines.contracts import GatedTable, Lane, Table
from readiness_pipelines.names import TableId

WHO_TAG = "readiness/who"
"""Run tag that names the person or service a run is for."""
AGAIN_TAG = "readiness/again"
"""Run tag, of whatever value, of a run that reads what was ingested before once more, also where it is the same."""


def asset_key(table: TableId) -> dg.AssetKey:
    """A table's asset key: domain, name."""
    return dg.AssetKey([table.domain, table.name])


def asset_keys(tables: Iterable[Table], *, with_raw: bool = True) -> list[dg.AssetKey]:
    """The asset keys of some tables, with the raw tables of those that are fed by a source."""
    keys = []
    for table in tables:
        if with_raw and isinstance(table, GatedTable):
            keys.append(asset_key(table.id.raw))
        keys.append(asset_key(table.id))
    return keys


def plain_name(table: TableId) -> str:
    """A table's name where Dagster allows no dots: for pools and for partitions that grow."""
    return f"{table.domain}__{table.name}"


def replay_job_name(lane: Lane) -> str:
    """Name of the job that judges batches of a lane again."""
    return f"{lane.name}_replay"


def decide_job_name(domain: str) -> str:
    """Name of the job that keeps a decision about a batch of a domain."""
    return f"{domain}_decide"
