"""Rows that people are to label, as tasks of Label Studio; what they say comes back by `LabelStudio`."""

from collections.abc import Sequence
from typing import Any

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery import store_of
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.errors import DeclarationError, UnknownNameError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation
from readiness_pipelines.plain_rows import plain_rows
from readiness_pipelines.sql import identifier

OF_TABLE, OF_BATCH, OF_ROW = "of_table", "of_batch", "of_row"
"""What a task carries beside the columns that are shown: which row it is about."""


def label_tasks(
    table: Table, batch: str, *, show: Sequence[str], installation: Installation, most: int | None = None
) -> list[dict[str, Any]]:
    """The published rows of a batch as tasks for Label Studio: ``{"data": {…}}`` each.

    Args:
        table: The table.
        batch: The batch.
        show: The columns that people see. Values of classified ones do not leave the lakehouse.
        installation: Where the tables are.
        most: So many rows at most, drawn by a hash of where they are: the same ones each time.

    Raises:
        UpstreamNotPublishedError: The batch is not published.
        UnknownNameError: The table has no such column.
        DeclarationError: A column that is classified.
    """
    ref = BatchRef(table.id, batch)
    record = installation.ledger.get(ref)
    if record is None or not record.state.visible:
        raise UpstreamNotPublishedError(f"nothing of {ref} is published", way_out=f"readiness run {table.id}")
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, store_of(table), batch=[batch])
        for name in show:
            if name not in rows.columns:
                raise UnknownNameError(f"column of {table.id}", name, rows.columns)
            if not (found := class_of(table, name)).level.shown:
                raise DeclarationError(
                    f"column {name} of {table.id} is {found}: it is not shown outside of the lakehouse",
                    way_out="leave it out, or derive a column without what tells who it is, and have that reviewed",
                )
        chosen = rows.order("hash(_row), _row").limit(most) if most is not None else rows
        columns = ", ".join(["_row", *map(identifier, show)])
        found_rows = chosen.order("_row").project(columns).to_arrow_table()
    return [
        {"data": {OF_TABLE: str(table.id), OF_BATCH: batch, OF_ROW: row["_row"], **{name: row[name] for name in show}}}
        for row in plain_rows(found_rows)
    ]
