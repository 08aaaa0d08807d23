"""What Dagster calls our tables, and the tags of our runs."""

import dagster as dg

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery import raw_table
from readiness_pipelines.names import TableId

WHO_TAG = "readiness/who"
"""Run tag that names the person or service a run is for."""


def asset_key(table: TableId) -> dg.AssetKey:
    """A table's asset key: namespace, name."""
    return dg.AssetKey([table.domain, table.name])


def raw_keys(path: DataPath) -> list[dg.AssetKey]:
    """The asset keys of a path's raw tables."""
    return [asset_key(raw_table(table)) for table in path.tables if isinstance(table, GatedTable)]
