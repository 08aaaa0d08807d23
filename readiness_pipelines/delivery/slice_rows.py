"""Rows of a stream's raw table, as a gate that judges a part of a batch is given them."""

import duckdb

from readiness_pipelines.columns import RAW_COLUMNS, RAW_NAMES
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery.compared import watermarks_of
from readiness_pipelines.delivery.erasure.matching import matcher_of
from readiness_pipelines.delivery.erasure.searching import rows_of_persons, without_rows
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import arrived_name
from readiness_pipelines.sql import identifier


def slice_rows(
    table: GatedTable, rows: duckdb.DuckDBPyRelation, *, batch: str, installation: Installation
) -> tuple[duckdb.DuckDBPyRelation, duckdb.DuckDBPyRelation | None]:
    """Rows as they arrived, but for those of erased persons; and the watermarks that they arrived at.

    Args:
        table: The table.
        rows: Rows of its raw table, of one window.
        batch: The window.
        installation: Where the register of erased persons is.
    """
    watermarks = watermarks_of(rows)
    stored = [name for name in rows.columns if name not in RAW_NAMES]
    named = [f"{identifier(name)} AS {identifier(arrived_name(name, stored))}" for name in stored]
    arrived = rows.project(", ".join([*named, *map(identifier, RAW_COLUMNS.names)]))
    matcher = matcher_of(table, installation)
    if matcher is None:
        return arrived, watermarks
    return without_rows(arrived, rows_of_persons(arrived, matcher).get(batch, ())), watermarks
