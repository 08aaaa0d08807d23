"""The rows of a batch that wait, a page at a time: those that fail first, and the columns that they fail in."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import arrived_name
from readiness_pipelines.masking import NOBODY, Listing, Viewer
from readiness_pipelines.plain_rows import plain_rows
from readiness_pipelines.sql import identifier, literal

MOST_COLUMNS = 40
"""Of wider rows, so many columns are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
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
class WaitingPage:
    """A page of rows that wait.

    Attributes:
        columns: The source's columns: those broken most often on this page first, and no more than `MOST_COLUMNS`.
        more_columns: How many are left out.
        rows: The rows.
        waiting: How many wait in all; with a rule, how many of those break it.
        failing: How many of them break a rule.
        hidden: The columns whose values are redacted.
    """

    columns: tuple[str, ...] = ()
    more_columns: int = 0
    rows: tuple[WaitingRow, ...] = ()
    waiting: int = 0
    failing: int = 0
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead:
    """Such a page as it was read, before it is said who looks.

    Attributes:
        table: The table.
        rows: The rows, with ``_row``, ``_file`` and the columns that are shown.
        broken: For each of them, the columns that a rule found wrong.
        rules: For each of them, the rules that it breaks.
        columns: The columns that are shown, in order.
        more_columns: How many are left out.
        waiting: How many rows wait.
        failing: How many of them break a rule.
    """

    table: Table
    rows: tuple[Mapping[str, Any], ...] = ()
    broken: Mapping[int, frozenset[str]] = field(default_factory=dict)
    rules: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    more_columns: int = 0
    waiting: int = 0
    failing: int = 0

    @property
    def classified(self) -> tuple[str, ...]:
        """The columns that are shown and classified."""
        classes = classes_of(self.table)
        return tuple(name for name in self.columns if not classes.of(name).level.shown)


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
    if not installation.lakehouse.exists(quarantine):
        return RowsRead(table=table)
    with installation.engine(f"the quarantine of batch {batch!r} of {table.id}") as engine:
        waiting = installation.lakehouse.relation(engine, quarantine, batch=batch, as_arrived=True)
        stored = [name for name in waiting.columns if not name.startswith("_")]
        meant = {arrived_name(name, stored): name for name in stored}
        conditions = ["NOT _discarded"] if "_discarded" in waiting.columns else []
        if rule is not None:
            conditions.append(f"list_contains(list_transform(_errors, lambda e: e.rule), {literal(rule)})")
        file = "_file" if "_file" in waiting.columns else "NULL::VARCHAR AS _file"
        waiting.create_view("waiting_rows")
        # First which rows and what is wrong with them: of hundreds of columns, only those that are shown are read.
        found = engine.sql(
            f"SELECT _row, {file}, _errors, count(*) OVER () AS waiting, "
            "count(*) FILTER (len(_errors) > 0) OVER () AS failing FROM waiting_rows "
            f"WHERE {' AND '.join(conditions) or 'true'} "
            f"ORDER BY len(_errors) = 0, _row LIMIT {limit:d} OFFSET {offset:d}"
        ).to_arrow_table()
        page = found.to_pylist()
        of_rule = _columns_of_rules(table)
        broken = {
            row["_row"]: frozenset(name for error in row["_errors"] or () for name in _columns_of(error, of_rule))
            for row in page
        }
        often = Counter(name for names in broken.values() for name in names if name in meant)
        columns = sorted(meant, key=lambda name: -often[name])[:MOST_COLUMNS]
        listed = ", ".join(str(int(row["_row"])) for row in page) or "NULL"
        shown = ", ".join(["_row", *(f"{identifier(meant[name])} AS {identifier(name)}" for name in columns)])
        values = engine.sql(f"SELECT {shown} FROM waiting_rows WHERE _row IN ({listed})").to_arrow_table()
    by_row = {row["_row"]: row for row in plain_rows(values)}
    return RowsRead(
        table=table,
        rows=tuple({**by_row[row["_row"]], "_file": row["_file"]} for row in page),
        broken=broken,
        rules={row["_row"]: tuple(dict.fromkeys(error["rule"] for error in row["_errors"] or ())) for row in page},
        columns=tuple(columns),
        more_columns=len(meant) - len(columns),
        waiting=page[0]["waiting"] if page else 0,
        failing=page[0]["failing"] if page else 0,
    )


def shown_rows(read: RowsRead, viewer: Viewer = NOBODY) -> WaitingPage:
    """A page of rows as somebody who looks sees them: equal values that are redacted have the same letter.

    Args:
        read: The page.
        viewer: Who looks.
    """
    listing = Listing(classes_of(read.table), viewer)
    return WaitingPage(
        columns=read.columns,
        more_columns=read.more_columns,
        rows=tuple(
            WaitingRow(
                row=row["_row"],
                file=row["_file"],
                values={name: listing.cell(name, row[name]) for name in read.columns},
                broken=read.broken[row["_row"]] & frozenset(read.columns),
                rules=read.rules[row["_row"]],
            )
            for row in read.rows
        ),
        waiting=read.waiting,
        failing=read.failing,
        hidden=() if viewer.reveals else read.classified,
    )


def _columns_of(error: Mapping[str, Any], of_rule: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    named = error.get("column")
    return (str(named),) if named else of_rule.get(error["rule"], ())


def _columns_of_rules(table: Table) -> Mapping[str, tuple[str, ...]]:
    try:
        return {rule.name: rule.columns for rule in gate_of(table).rules}
    except GateBuildError:  # the rows of the gate before are shown all the same
        return {}
