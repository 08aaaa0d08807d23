"""A batch that lies in an engine, typed and cleansed, ready to be judged."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from readiness_pipelines.engines.port import Engine
from readiness_pipelines.gates.judge.layout import (
    FRAMEWORK_COLUMNS,
    LaidColumn,
    Layout,
    kept_selects,
    known_select,
    typed_select,
)
from readiness_pipelines.gates.judge.protecting import Protections
from readiness_pipelines.keys import Keys, no_keys

CHUNK_ROWS = 250_000
READABLE = "_unreadable IS NULL"

WIDE_COLUMNS = 100
"""From so many columns on, a batch is typed once and kept: each query over it would plan all conversions again."""
KEPT_CELLS = 4_000_000
"""A batch of more cells is not kept: there, reading it costs more than planning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch as views of an engine.

    Attributes:
        engine: The engine.
        source: View of the rows as they arrived.
        rows: View of the rows as `typed_select` gives them.
        layout: What the columns are.
        tag: Makes the names of this judgement's tables and views unique in the engine.
        protections: What is published in place of protected columns.
        keys: Gives the bytes of a key.
        left_out: Tables of the engine with the ``_row`` of rows that `source` has and `rows` has not.
        typed: By column, the table of the engine that the typed rows are kept in; none where each query types them. The
            first one has the framework's columns.
    """

    engine: Engine
    source: str
    rows: str
    layout: Layout
    tag: str
    protections: Protections = field(default_factory=Protections)
    keys: Keys = no_keys
    left_out: tuple[str, ...] = ()
    typed: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def over(cls, engine: Engine, *, source: str, layout: Layout, tag: str, count: int | None = None) -> "BatchView":
        """Lay the typed view over the rows as they arrived; of a wide, small batch they are typed now, once.

        Args:
            engine: The engine.
            source: View of the rows as they arrived.
            layout: What the columns are.
            tag: Makes names unique in the engine.
            count: How many rows there are; ``None`` where they are not to be kept.
        """
        rows = f"typed_{tag}"
        width = len(layout.columns)
        if count is not None and width >= WIDE_COLUMNS and width * count <= KEPT_CELLS:
            try:
                kept = _keep(engine, source=source, layout=layout, tag=tag)
            except engine.refusals:
                pass  # the rule that reads the value will say what is wrong with it
            else:
                engine.view(rows, f"SELECT * FROM {_joined(kept.values())}")
                return cls(engine=engine, source=source, rows=rows, layout=layout, tag=tag, typed=kept)
        engine.view(rows, typed_select(layout, source, engine.sql))
        return cls(engine=engine, source=source, rows=rows, layout=layout, tag=tag)

    def without(self, part: str) -> "BatchView":
        """The view without the rows that a table of the engine has."""
        kept = f"without_{part}_{self.tag}"
        self.engine.view(kept, f"SELECT t.* FROM {self.rows} t ANTI JOIN {part} l USING (_row)")
        return replace(self, rows=kept, left_out=(*self.left_out, part))

    def known(self, columns: Collection[str]) -> str:
        """SQL to select from: the typed rows, right where some columns convert, and only there."""
        if self.typed:
            return self.rows
        rows = f"({known_select(self.layout, self.source, self.engine.sql, columns)})"
        for part in self.left_out:
            rows = f"(SELECT t.* FROM {rows} t ANTI JOIN {part} l USING (_row))"
        return rows

    def narrowed(self, names: Collection[str], *, tag: str) -> "BatchView":
        """The same rows with some of their columns: engines plan a query over a thousand columns for a second.

        Args:
            names: The columns.
            tag: Makes the names of its views unique in the engine.
        """
        columns = tuple(column for column in self.layout.columns if column.name in names)
        layout = replace(self.layout, columns=columns, flags=())
        if self.typed:
            return replace(self, rows=self._few(columns, tag), layout=layout, tag=f"{self.tag}_{tag}")
        view = BatchView.over(self.engine, source=self.source, layout=layout, tag=f"{self.tag}_{tag}")
        for part in self.left_out:
            view = view.without(part)
        return view

    def _few(self, columns: Sequence[LaidColumn], tag: str) -> str:
        """A view of some columns of the kept rows that are left."""
        names = [self.engine.sql.identifier(column.name) for column in columns]
        names += [column.unconverted for column in columns if column.unconverted]
        few = f"few_{self.tag}_{tag}"
        tables = [next(iter(self.typed.values())), *(self.typed[column.name] for column in columns)]
        source = self.rows if self.left_out else _joined(tables)
        self.engine.view(few, f"SELECT {', '.join([*names, *FRAMEWORK_COLUMNS, '_unreadable'])} FROM {source}")
        return few

    @property
    def frame(self) -> Any:
        """The typed rows as a lazy Narwhals frame."""
        return self.engine.frame(self.rows)

    @property
    def names(self) -> list[str]:
        """The columns to publish, without flags and the framework's."""
        return [column.name for column in self.layout.columns]

    @property
    def floats(self) -> list[str]:
        """The columns that may hold NaN."""
        return [column.name for column in self.layout.columns if is_float(column)]

    def judgeable(self, columns: Iterable[str]) -> str:
        """SQL: whether a row could be read and its values in some columns converted."""
        wanted = set(columns)
        flags = [column.unconverted for column in self.layout.columns if column.name in wanted and column.unconverted]
        return " AND ".join([READABLE, *(f"NOT {flag}" for flag in flags)])

    def whole(self, names: Iterable[str], *, where: str) -> pa.Table:
        """The ``_row`` and some columns of the rows that meet a condition, in memory, in order."""
        return self._in_zones(self.engine.arrow(f"{self._select(names, where)} ORDER BY _row"))

    def chunks(self, names: list[str], *, where: str) -> Iterator[pa.Table]:
        """The ``_row`` and some columns of the rows that meet a condition, some hundred thousand rows at a time.

        By ranges of ``_row``, because an engine does nothing else while one of its results is being read.
        """
        ((rows, low, high),) = self.engine.fetch(
            f"SELECT count(*), min(_row), max(_row) FROM {self.rows} WHERE {where}"
        )
        if not rows:
            return
        width = -(-(high - low + 1) // -(-rows // CHUNK_ROWS))
        for start in range(low, high + 1, width):
            within = f"{where} AND _row BETWEEN {start} AND {start + width - 1}"
            yield self._in_zones(self.engine.arrow(self._select(names, within)))

    def _in_zones(self, table: pa.Table) -> pa.Table:
        """A table whose times are in their columns' zones: engines give the same instants in UTC."""
        zoned = {c.name: c.type for c in self.layout.columns if pa.types.is_timestamp(c.type) and c.type.tz}
        for place, given in enumerate(table.schema):
            wanted = zoned.get(given.name, given.type)
            if wanted != given.type and pa.types.is_timestamp(given.type):
                table = table.set_column(place, given.name, table.column(place).cast(wanted))
        return table

    def _select(self, names: Iterable[str], where: str) -> str:
        return f"SELECT {', '.join(['_row', *map(self.engine.sql.identifier, names)])} FROM {self.rows} WHERE {where}"


def _keep(engine: Engine, *, source: str, layout: Layout, tag: str) -> Mapping[str, str]:
    """Type the rows now; by column, the table that has it."""
    kept: dict[str, str] = {}
    for number, (part, select) in enumerate(
        kept_selects(layout, source, engine.sql, at_once=engine.conversions_at_once)
    ):
        table = f"typed_{tag}_{number}"
        engine.keep(table, select)
        kept |= {column.name: table for column in part.columns}
    return kept


def _joined(tables: Iterable[str]) -> str:
    """SQL to select from: the rows with the columns of some tables."""
    first, *others = dict.fromkeys(tables)
    return " ".join([first, *(f"JOIN {other} USING (_row)" for other in others)])


def is_float(column: LaidColumn) -> bool:
    """Whether a column may hold NaN."""
    return bool(pa.types.is_floating(column.type))
