"""The jobs of a lane: one batch from raw to product, or the same without ingesting it again."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import Lane, Table
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.orchestration.checks import check_specs
from readiness_pipelines.orchestration.freshness import freshness_check_keys
from readiness_pipelines.orchestration.keys import asset_keys, replay_job_name

SHOWN_TABLES = 5
"""So many of a lane's tables are named in its job's description."""


def lane_job(lane: Lane) -> Any:  # Dagster does not export the type
    """One batch of a lane's tables, from raw to product."""
    return dg.define_asset_job(
        name=lane.name,
        selection=_selection(lane, with_raw=True),
        description=f"One batch of {_names(lane)}, from raw to product.",
        executor_def=dg.in_process_executor,
    )


def replay_job(lane: Lane) -> Any:  # as above
    """One batch of a lane's tables, without ingesting it again."""
    return dg.define_asset_job(
        name=replay_job_name(lane),
        selection=_selection(lane, with_raw=False),
        description="One batch judged again, with its corrections and waivers, by the gate in the code.",
        executor_def=dg.in_process_executor,
    )


def batch_check_keys(tables: Iterable[Table]) -> list[dg.AssetCheckKey]:
    """The checks that a run of one batch evaluates. A run that selects assets only would evaluate freshness, too."""
    return [spec.key for table in tables for spec in check_specs(table, gate_of(table))]


def _selection(lane: Lane, *, with_raw: bool) -> dg.AssetSelection:
    selection: dg.AssetSelection = dg.AssetSelection.assets(*asset_keys(lane.tables, with_raw=with_raw))
    # Freshness is a matter of the whole table, not of the batch that runs.
    whole_table = freshness_check_keys(lane.tables)
    return selection - dg.AssetSelection.checks(*whole_table) if whole_table else selection


def _names(lane: Lane) -> str:
    first, more = lane.tables[:SHOWN_TABLES], len(lane.tables) - SHOWN_TABLES
    return ", ".join(str(table.id) for table in first) + (f" and {more} more" if more > 0 else "")
