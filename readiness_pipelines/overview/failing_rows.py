"""The rows of a batch that wait, a page at a time: those that fail first, and the columns that they fail in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import arrived_name
from readiness_pipelines.masking import NOBODY, Listing, Viewer
from readiness_pipelines.plain_rows import plain_rows
from readiness_pipelines.sql import identifier, literal

_ERRORS = "_errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRow:
    """A row that waits.

    Attributes:
        row: Its number in the batch.
        file: The file that it came in; ``None`` where it came in none.
        values: Its values by column, as whoever looks may see them.
        broken: The columns that a rule found wrong.
        rules: The rules that it breaks; none of a row that waits because its batch is held.
    """

    row: int
    file: str | None
    values: Mapping[str, Any]
    broken: frozenset[str]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRows:
    """A page of rows that wait.

    Attributes:
        columns: The source's columns: those broken most often on this page first.
        rows: The rows.
        waiting: How many wait in all; with a rule, how many of those break it.
        failing: How many of them break a rule.
        hidden: The columns whose values are redacted.
    """

    columns: tuple[str, ...]
    rows: tuple[FailingRow, ...]
    waiting: int
    failing: int
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead:
    """Such a page as it was read, before it is said who looks."""

    table: Table
    rows: pa.Table
    waiting: int
    failing: int

    @property
    def names(self) -> tuple[str, ...]:
        """The source's columns."""
        return tuple(name for name in self.rows.column_names if name not in {"_row", "_file", _ERRORS})

    @property
    def classified(self) -> tuple[str, ...]:
        """Those of them that are classified."""
        classes = classes_of(self.table)
        return tuple(name for name in self.names if not classes.of(name).level.shown)


def read_failing_rows(
    table: Table, *, batch: str, rule: str | None, limit: int, offset: int, installation: Installation
) -> RowsRead:
    """Read a page of the rows of a batch that wait; nobody has looked at them yet.

    Args:
        table: The table.
        batch: The batch.
        rule: Only rows that break this rule; ``None`` for all.
        limit: How many at most.
        offset: How many come before the page.
        installation: Where the tables are.

    Raises:
        LakehouseError: The table cannot be read.
    """
    quarantine = table.id.quarantine
    nothing = pa.table({"_row": pa.array([], pa.int64()), "_file": pa.array([], pa.string())})
    if not installation.lakehouse.exists(quarantine):
        return RowsRead(table=table, rows=nothing, waiting=0, failing=0)
    with installation.engine(f"the quarantine of batch {batch!r} of {table.id}") as engine:
        rows = installation.lakehouse.relation(engine, quarantine, batch=batch, as_arrived=True)
        if "_discarded" in rows.columns:
            rows = rows.filter("NOT _discarded")
        if rule is not None:
            rows = rows.filter(f"list_contains(list_transform({_ERRORS}, lambda e: e.rule), {literal(rule)})")
        waiting, failing = rows.aggregate(f"count(*), count(*) FILTER (len({_ERRORS}) > 0)").fetchall()[0]
        names = [name for name in rows.columns if not name.startswith("_")]
        file = "_file" if "_file" in rows.columns else "NULL::VARCHAR AS _file"
        columns = [f"{identifier(name)} AS {identifier(arrived_name(name, names))}" for name in names]
        shown = rows.project(", ".join(["_row", file, _ERRORS, *columns]))
        page = shown.order(f"len({_ERRORS}) = 0, _row").limit(limit, offset).to_arrow_table()
    return RowsRead(table=table, rows=page, waiting=waiting, failing=failing)


def shown_rows(read: RowsRead, viewer: Viewer = NOBODY) -> FailingRows:
    """A page of rows as somebody who looks sees them: equal values that are redacted have the same letter.

    Args:
        read: The page.
        viewer: Who looks.
    """
    listing, names = Listing(classes_of(read.table), viewer), read.names
    of_rule = _columns_of_rules(read.table)
    rows = []
    for row in plain_rows(read.rows):
        errors: Sequence[Mapping[str, Any]] = row.get(_ERRORS) or ()
        broken = {name for error in errors for name in _columns_of(error, of_rule) if name in names}
        rows.append(
            FailingRow(
                row=row["_row"],
                file=row["_file"],
                values={name: listing.cell(name, row[name]) for name in names},
                broken=frozenset(broken),
                rules=tuple(dict.fromkeys(error["rule"] for error in errors)),
            )
        )
    often = Counter(name for row in rows for name in row.broken)
    ordered = sorted(names, key=lambda name: -often[name])
    hidden = () if viewer.reveals else read.classified
    return FailingRows(
        columns=tuple(ordered), rows=tuple(rows), waiting=read.waiting, failing=read.failing, hidden=hidden
    )


def _columns_of(error: Mapping[str, Any], of_rule: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    named = error.get("column")
    return (str(named),) if named else of_rule.get(error["rule"], ())


def _columns_of_rules(table: Table) -> Mapping[str, tuple[str, ...]]:
    try:
        return {rule.name: rule.columns for rule in gate_of(table).rules}
    except GateBuildError:
        return {}
