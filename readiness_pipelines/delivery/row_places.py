"""Where each row of a batch is: published, in quarantine, or discarded."""

from collections.abc import Sequence

import duckdb

from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.installation import Installation


def row_places(
    table: Table, batches: Sequence[str], installation: Installation, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """Where each row of some batches is: a held batch's are in quarantine, whatever is still published of it.

    Args:
        table: The table.
        batches: The batches.
        installation: Where the tables are.
        engine: The connection that the rows will be of.

    Returns:
        ``_batch``, ``_row`` and ``place``: ``published``, ``quarantined`` or ``discarded``.
    """
    lakehouse, store, waiting = installation.lakehouse, store_of(table), table.id.quarantine
    nothing = engine.sql("SELECT NULL::VARCHAR AS _batch, NULL::BIGINT AS _row, NULL::VARCHAR AS place LIMIT 0")
    published = quarantined = nothing
    if lakehouse.exists(store):
        rows = lakehouse.relation(engine, store, batch=batches)
        published = rows.project("_batch, _row, 'published' AS place")
    if lakehouse.exists(waiting):
        rows = lakehouse.relation(engine, waiting, batch=batches)
        place = "CASE WHEN _discarded THEN 'discarded' ELSE 'quarantined' END AS place"
        quarantined = rows.project(f"_batch, _row, {place}")
    return merged_places(published, quarantined)


def merged_places(published: duckdb.DuckDBPyRelation, quarantined: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """One place for each row: one of a held batch is in both, and waits."""
    # Of the two names, that one is the greater.
    return published.union(quarantined).aggregate("_batch, _row, max(place) AS place", "_batch, _row")
