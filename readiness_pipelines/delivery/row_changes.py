"""Which rows of a batch a draft would change: their values, or where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.decisions import CellCorrection, Correction, Decision, corrected
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.drafts import CheckedDraft
from readiness_pipelines.delivery.judging import JudgedBatch
from readiness_pipelines.delivery.row_places import merged_places, row_places
from readiness_pipelines.gates import Rows
from readiness_pipelines.installation import Installation
from readiness_pipelines.masking import Listing, Viewer
from readiness_pipelines.plain_rows import plain_rows
from readiness_pipelines.sql import identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """A cell before and after, as whoever looks may see it."""

    column: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """A row before and after.

    Attributes:
        row: Its number in the batch.
        before: Where it is: ``published``, ``quarantined`` or ``discarded``; "" where no gate has judged it yet.
        after: Where it would be.
        cells: The cells that would have other values.
        broken: The rules that it would still break; none of a row that would be published.
    """

    row: int
    before: str
    after: str
    cells: tuple[CellChange, ...]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """The rows of a batch that a draft would change.

    Attributes:
        moved: How many rows would be elsewhere, by ``(before, after)``.
        corrected: How many rows would have other values.
        rows: Some of them: those with other values first, then those discarded, then those that only move.
        total: How many there are in all.
    """

    moved: Mapping[tuple[str, str], int]
    corrected: int
    rows: tuple[RowChange, ...]
    total: int

    def arriving(self, place: str) -> int:
        """How many rows would come to a place that are elsewhere now."""
        return sum(rows for (_, after), rows in self.moved.items() if after == place)


def row_changes(
    checked: CheckedDraft, judged: JudgedBatch, *, installation: Installation, limit: int, viewer: Viewer
) -> RowChanges:
    """The rows that a draft would change.

    Args:
        checked: The draft.
        judged: Its batch, judged with the draft.
        installation: Where the rows are now.
        limit: How many rows are listed.
        viewer: Who looks at their values.
    """
    table, engine = checked.draft.table, judged.engine
    row_places(table, [checked.draft.batch], installation, engine).create_view("draft_places_before")
    _places_after(judged).create_view("draft_places_after")
    columns = _corrected_columns(checked.before, checked.after, judged.given.rows.columns)
    corrected(judged.given.rows, checked.before, engine).create_view("draft_rows_before")
    corrected(judged.given.rows, checked.after, engine).create_view("draft_rows_after")
    compared = [f"(v._row IS NOT NULL AND v.{_name(name)} IS DISTINCT FROM w.{_name(name)})" for name in columns]
    differs = " OR ".join(compared) or "false"
    cells = "".join(
        f", v.{_name(name)} AS before_{n}, w.{_name(name)} AS after_{n}, {compared[n]} AS differs_{n}"
        for n, name in enumerate(columns)
    )
    changed = engine.sql(
        "SELECT a._row, coalesce(b.place, '') AS before, a.place AS after, "
        f"({differs}) AS corrected{cells} FROM draft_places_after a "
        "LEFT JOIN draft_places_before b ON b._row = a._row "
        "LEFT JOIN draft_rows_before v ON v._row = a._row LEFT JOIN draft_rows_after w ON w._row = a._row "
        f"WHERE b.place IS DISTINCT FROM a.place OR {differs}"
    )
    counts = changed.aggregate("before, after, corrected, count(*)", "before, after, corrected").fetchall()
    moved: dict[tuple[str, str], int] = {}
    for before, after, _, rows in counts:
        if before != after:
            moved[before, after] = moved.get((before, after), 0) + rows
    some = plain_rows(changed.order("corrected DESC, after = 'discarded' DESC, _row").limit(limit).to_arrow_table())
    return RowChanges(
        moved=moved,
        corrected=sum(rows for *_, is_corrected, rows in counts if is_corrected),
        rows=tuple(_listed(some, columns, judged, Listing(classes_of(table), viewer))),
        total=sum(rows for *_, rows in counts),
    )


def _name(column: str) -> str:
    return identifier(column)


def _corrected_columns(before: Sequence[Decision], after: Sequence[Decision], columns: Sequence[str]) -> list[str]:
    """The columns that corrections set which hold now or would hold, but not both."""
    of = [
        {one.id: one.what for one in some if isinstance(one.what, Correction | CellCorrection)}
        for some in (before, after)
    ]
    if of[0] == of[1]:
        return []
    named = {
        name
        for some in of
        for what in some.values()
        for name in ([what.column] if isinstance(what, Correction) else what.cells)
    }
    return [name for name in columns if name in named]


def _places_after(judged: JudgedBatch) -> duckdb.DuckDBPyRelation:
    """Where a verdict puts each row."""
    verdict = judged.verdict
    published = _in_duckdb(judged, verdict.published, "draft_published", "_batch, _row, 'published' AS place")
    place = "CASE WHEN _discarded THEN 'discarded' ELSE 'quarantined' END AS place"
    waiting = _in_duckdb(judged, verdict.quarantined, "draft_waiting", f"_batch, _row, {place}")
    return merged_places(published, waiting)


def _in_duckdb(judged: JudgedBatch, rows: Rows, name: str, columns: str) -> duckdb.DuckDBPyRelation:
    """A few columns of a verdict's rows, in DuckDB."""
    if isinstance(rows, duckdb.DuckDBPyRelation):
        return rows.project(columns)
    judged.judge.view(name, rows)
    return judged.engine.from_arrow(judged.judge.arrow(f"SELECT {columns} FROM {name}"))


def _listed(
    some: Sequence[Mapping[str, Any]], columns: Sequence[str], judged: JudgedBatch, listing: Listing
) -> list[RowChange]:
    broken = _broken_rules(judged, [row["_row"] for row in some if row["after"] == "quarantined"])
    return [
        RowChange(
            row=row["_row"],
            before=row["before"],
            after=row["after"],
            cells=tuple(
                CellChange(
                    column=name,
                    before=listing.cell(name, row[f"before_{n}"]),
                    after=listing.cell(name, row[f"after_{n}"]),
                )
                for n, name in enumerate(columns)
                if row[f"differs_{n}"]
            ),
            broken=broken.get(row["_row"], ()),
        )
        for row in some
    ]


def _broken_rules(judged: JudgedBatch, rows: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    """The rules that some rows break which would wait."""
    if not rows:
        return {}
    judged.judge.view("draft_errors", judged.verdict.quarantined)
    listed = ", ".join(str(int(row)) for row in rows)
    found: pa.Table = judged.judge.arrow(f"SELECT _row, _errors FROM draft_errors WHERE _row IN ({listed})")
    return {
        row["_row"]: tuple(dict.fromkeys(error["rule"] for error in row["_errors"] or ())) for row in found.to_pylist()
    }
