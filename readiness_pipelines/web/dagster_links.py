"""Where Dagster's UI shows a run or a table; no link where its address is not set."""

from urllib.parse import quote

from readiness_pipelines.names import TableId


def run_link(dagster_url: str, run: str | None) -> str:
    """A run's address; "" where there is none."""
    return f"{dagster_url.rstrip('/')}/runs/{quote(run, safe='')}" if dagster_url and run else ""


def asset_link(dagster_url: str, table: TableId, batch: str | None = None) -> str:
    """A table's address, at one of its batches where it is given; "" where Dagster's address is not set."""
    if not dagster_url:
        return ""
    partition = f"?view=partitions&partition={quote(batch, safe='')}" if batch else ""
    return f"{dagster_url.rstrip('/')}/assets/{quote(table.domain)}/{quote(table.name)}{partition}"
