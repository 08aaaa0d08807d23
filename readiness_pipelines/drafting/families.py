"""Columns that are declared together: many numbers under names that differ in a number only."""

import re
from collections.abc import Sequence

import pyarrow as pa

from readiness_pipelines.drafting.columns import ColumnDraft
from readiness_pipelines.drafting.naming import MANY
from readiness_pipelines.drafting.table import FamilyDraft


def draft_families(columns: Sequence[ColumnDraft]) -> tuple[FamilyDraft, ...]:
    """Families of columns that are all plain numbers; a family with something else in it is declared one by one."""
    families: dict[str, list[ColumnDraft]] = {}
    for column in columns:
        if column.names.family:
            families.setdefault(column.names.family, []).append(column)
    taken = {column.names.field for column in columns if not column.names.family}
    found = []
    for family, members in families.items():
        kinds = {kind for kind in (_kind(column) for column in members) if kind is not None}
        if len(members) < MANY or not kinds or not kinds <= {pa.int64(), pa.float64()}:
            continue
        prefix = "" if family == "#" else family
        words = re.sub(r"\W+", "_", prefix.lower()).strip("_") or "column"
        field = f"{words}s"
        while field in taken:
            field = f"{field}_all"
        taken.add(field)
        found.append(
            FamilyDraft(
                field=field,
                pattern=rf"^{re.escape(prefix)}\d+$",
                type=pa.float64() if pa.float64() in kinds else pa.int64(),
                columns=tuple(members),
            )
        )
    return tuple(found)


def _kind(column: ColumnDraft) -> pa.DataType | None:
    """The type of a column; ``None`` where it has no value, and any type will do."""
    if column.empty == column.rows:
        return None
    plain = not column.reading.steps and column.reading.type in (pa.int64(), pa.float64())
    return column.reading.type if plain else pa.null()
