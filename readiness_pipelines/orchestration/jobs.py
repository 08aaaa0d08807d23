"""The jobs of a lane: one batch from raw to product, or the same without ingesting it again."""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from readiness_pipelines.contracts import Lane
from readiness_pipelines.orchestration.keys import asset_keys, replay_job_name

SHOWN_TABLES = 5
"""So many of a lane's tables are named in its job's description."""


Assets = Mapping[dg.AssetKey, dg.AssetsDefinition]
"""All assets of a code location, by key."""


def lane_job(lane: Lane, assets: Assets, resources: Mapping[str, dg.ResourceDefinition]) -> dg.JobDefinition:
    """One batch of a lane's tables, from raw to product."""
    description = f"One batch of {_names(lane)}, from raw to product."
    return asset_job(lane.name, asset_keys(lane.tables), description, assets, resources)


def replay_job(lane: Lane, assets: Assets, resources: Mapping[str, dg.ResourceDefinition]) -> dg.JobDefinition:
    """One batch of a lane's tables, without ingesting it again."""
    description = "One batch judged again, with its corrections and waivers, by the gate in the code."
    keys = asset_keys(lane.tables, with_raw=False)
    return asset_job(replay_job_name(lane), keys, description, assets, resources)


def asset_job(
    name: str,
    keys: Sequence[dg.AssetKey],
    description: str,
    assets: Assets,
    resources: Mapping[str, dg.ResourceDefinition],
) -> dg.JobDefinition:
    """A job over some assets, resolved against them and what they read.

    Dagster would resolve each job against all assets of the code location, when it loads: with 500 tables, twenty
    seconds.
    """
    chosen = [assets[key] for key in keys]
    read = {key for asset in chosen for key in asset.dependency_keys}
    beside = [assets[key] for key in sorted(read.difference(keys)) if key in assets]
    # Without checks in its plan: see `report_unplanned`.
    selection = dg.AssetSelection.assets(*keys).without_checks()
    unresolved = dg.define_asset_job(name, selection=selection, description=description)
    return unresolved.resolve(
        asset_graph=AssetGraph.from_assets([*chosen, *beside]),
        default_executor_def=dg.in_process_executor,
        resource_defs=resources,
    )


def _names(lane: Lane) -> str:
    first, more = lane.tables[:SHOWN_TABLES], len(lane.tables) - SHOWN_TABLES
    return ", ".join(str(table.id) for table in first) + (f" and {more} more" if more > 0 else "")
