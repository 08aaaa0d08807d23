"""Shapes: the columns with which a table's source was accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.chain import append_row
from readiness_pipelines.ledger.keys import is_table
from readiness_pipelines.ledger.tables import SHAPES
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Columns that were accepted as those of a table's source; never changed afterwards.

    Attributes:
        columns: The columns' types, as text, by name.
        batch: The batch that had them first.
        who: Who accepted them: a person, or ``readiness`` for the first ones that it saw.
        why: The reason.
        at: When, in UTC.
    """

    columns: Mapping[str, str]
    batch: str
    who: str
    why: str
    at: datetime


def accepted_shape(connection: Connection, table: TableId) -> Shape | None:
    """The shape that was accepted last; ``None`` before the first."""
    query = select(SHAPES).where(is_table(SHAPES, table)).order_by(SHAPES.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _shape(row)


def shapes_of(connection: Connection, table: TableId) -> tuple[Shape, ...]:
    """All shapes of a table, oldest first."""
    return tuple(map(_shape, connection.execute(select(SHAPES).where(is_table(SHAPES, table)).order_by(SHAPES.c.id))))


def add_shape(connection: Connection, table: TableId, shape: Shape) -> Shape:
    """Accept a shape; what is accepted already is not accepted twice. Returns what holds now.

    Raises:
        LedgerError: No reason.
    """
    if not shape.why.strip():
        raise LedgerError(f"accepting the columns of {table} has no reason", way_out='give one: --reason "…"')
    before = accepted_shape(connection, table)
    if before is not None and dict(before.columns) == dict(shape.columns):
        return before
    values = {"columns": dict(shape.columns), "who": shape.who, "why": shape.why, "at": shape.at}
    append_row(connection, SHAPES, {"table_name": str(table), "batch": shape.batch, **values})
    return shape


def _shape(row: Any) -> Shape:
    return Shape(columns=row.columns, batch=row.batch, who=row.who, why=row.why, at=row.at)
