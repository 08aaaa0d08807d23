"""One batch judged on DuckDB: the rows are read once, and what breaks a rule is remembered as bits by row.

Each test of each column has one bit. A first query evaluates all lifted rules and keeps the rows with any bit set;
tests that need the whole batch (uniqueness) or Pandera itself add their rows; what is left is anti-joined for
publication.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import duckdb
import narwhals.stable.v1 as nw
import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.gates.layout import LaidColumn, Layout, typed_select
from readiness_pipelines.gates.lifting import FRAME, NotLiftedError, expression, failing
from readiness_pipelines.gates.rules import Rule, RuleKind, Runner
from readiness_pipelines.gates.sql import identifier, literal
from readiness_pipelines.gates.tested import Checked, GateTest, NotNull, Readable, Typed, Unique
from readiness_pipelines.gates.verdict import RuleCount

WORD_BITS = 62
SAMPLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class Bit:
    """One test of one column: its place in the row's bit set."""

    place: int
    test: GateTest
    column: LaidColumn | None

    @property
    def word(self) -> str:
        """The column of the broken table that holds the bit."""
        return f"w{self.place // WORD_BITS}"

    @property
    def mask(self) -> int:
        """The bit within its word."""
        return 1 << self.place % WORD_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The rows of a batch that break something, in a temporary table of the connection.

    Attributes:
        table: Columns ``_row``, one word of bits for each `WORD_BITS` tests, and ``failed``: whether a rule that is not
            routed ``warn`` is broken.
        bits: The tests that have a bit.
        batch: Reasons of the broken rules that speak of the whole batch, by rule name.
        failed_rows: Rows that fail.
    """

    table: str
    bits: tuple[Bit, ...]
    batch: Mapping[str, str]
    failed_rows: int


class Judge:
    """Judges one batch that lies in a view of a DuckDB connection."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, *, source: str, layout: Layout, tests: tuple[GateTest, ...]
    ) -> None:
        self._connection = connection
        self._source = source
        self._layout = layout
        self._bits = tuple(_bits(tests, layout))
        self._tag = uuid4().hex[:12]
        self.typed = f"typed_{self._tag}"
        connection.execute(f"CREATE TEMP VIEW {self.typed} AS {typed_select(layout, source)}")
        self._frame: nw.DataFrame[Any] = nw.from_native(connection.table(self.typed))

    def find_broken(self) -> Broken:
        """Evaluate all tests and keep the rows that break any."""
        batch: dict[str, str] = {}
        found = f"found_{self._tag}"
        self._connection.execute(f"CREATE TEMP TABLE {found} AS {self._lifted_query(batch)}")
        for bit in self._bits:
            match bit.test:
                case Unique(columns=columns):
                    names = (bit.column.name,) if bit.column else columns
                    self._find_duplicates(found, bit, names)
                case Checked(rule=Rule(runs_on=Runner.PANDERA)):
                    self._find_by_pandera(found, bit, batch)
                case _:
                    pass
        return self._gather(found, batch)

    def counts(self, broken: Broken, *, rows: int) -> Iterator[tuple[Rule, RuleCount]]:
        """Count the broken rows of every rule that has bits, with samples of the rows as they arrived."""
        by_rule: dict[str, list[Bit]] = {}
        for bit in broken.bits:
            by_rule.setdefault(bit.test.rule.name, []).append(bit)
        if not by_rule:
            return
        figures = []
        for bits in by_rule.values():
            any_bit = " OR ".join(_is_set(bit) for bit in bits)
            figures += [f"count(*) FILTER ({any_bit})", f"min(_row, {SAMPLE_ROWS}) FILTER ({any_bit})"]
            figures += [f"count(*) FILTER ({_is_set(bit)})" for bit in bits] if len(bits) > 1 else []
        ((*figures_read,),) = self._connection.execute(f"SELECT {', '.join(figures)} FROM {broken.table}").fetchall()
        answer = iter(figures_read)
        plain = []
        for bits in by_rule.values():
            count, sample = next(answer), next(answer) or []
            columns = {b.column.name: next(answer) for b in bits if b.column} if len(bits) > 1 else {}
            plain.append((bits, count, sample, {name: n for name, n in columns.items() if n}))
        arrived = self._rows({row for _, _, sample, _ in plain for row in sample})
        for bits, count, sample, columns in plain:
            rule = bits[0].test.rule
            shown = ["_row", "_file", *_sample_columns(bits, columns)]
            samples = tuple({name: arrived[row].get(name) for name in shown} for row in sorted(sample))
            whole = rule.name in broken.batch
            yield rule, RuleCount(rule=rule, broken_rows=rows if whole else count, columns=columns, samples=samples)

    def published(self, broken: Broken | None) -> duckdb.DuckDBPyRelation:
        """The typed rows that fail nothing; no row at all where there is no `broken`."""
        names = ", ".join(identifier(name) for name in self._layout.schema.names)
        query = f"SELECT {names} FROM {self.typed} t"
        if broken is None:
            return self._connection.sql(f"{query} WHERE false")
        if broken.failed_rows:
            query += f" ANTI JOIN (SELECT _row FROM {broken.table} WHERE failed) b USING (_row)"
        return self._connection.sql(query)

    def quarantined(self, broken: Broken, *, all_rows: bool) -> duckdb.DuckDBPyRelation:
        """The rows that wait, as they arrived, with what they broke."""
        entries = ", ".join(_error(bit) for bit in broken.bits)
        errors = f"list_filter([{entries}], lambda e: e IS NOT NULL)" if entries else "[]"
        kind = 'STRUCT("rule" VARCHAR, "column" VARCHAR, reason VARCHAR)[]'
        join, where = ("LEFT JOIN", "") if all_rows else ("JOIN", "WHERE b.failed")
        return self._connection.sql(
            f"SELECT r.*, CAST(coalesce({errors}, []) AS {kind}) AS _errors "
            f"FROM {self._source} r {join} {broken.table} b ON r._row = b._row {where}"
        )

    def _lifted_query(self, batch: dict[str, str]) -> str:
        """The one query over the rows: which of them break which lifted test."""
        flags: dict[str, nw.Expr] = {}
        for bit in self._bits:
            breaks = self._breaks(bit)
            if breaks is None:
                continue
            if isinstance(bit.test, Checked) and bit.test.rule.kind is RuleKind.BATCH:
                if self._aggregate_fails(breaks):
                    batch[bit.test.rule.name] = bit.test.rule.reason
                continue
            flags[f"b{bit.place}"] = breaks
        words = range(self._bits[-1].place // WORD_BITS + 1) if self._bits else range(1)
        if not flags:
            nothing = ", ".join(f"0::UBIGINT AS w{word}" for word in words)
            return f"SELECT _row, {nothing} FROM {self._source} WHERE false"
        flagged = f"flagged_{self._tag}"
        relation = nw.to_native(self._frame.select("_row", **flags))
        relation.create_view(flagged)
        sums = []
        for word in words:
            terms = [
                f"CASE WHEN b{bit.place} THEN {bit.mask}::UBIGINT ELSE 0::UBIGINT END"
                for bit in self._bits
                if f"b{bit.place}" in flags and bit.place // WORD_BITS == word
            ]
            sums.append(f"({' | '.join(terms) or '0::UBIGINT'}) AS w{word}")
        return f"SELECT _row, {', '.join(sums)} FROM {flagged} WHERE {' OR '.join(flags)}"

    def _breaks(self, bit: Bit) -> nw.Expr | None:
        """The expression that is true where a row breaks a test; ``None`` for tests that are decided elsewhere."""
        readable = nw.col("_unreadable").is_null()
        match bit.test:
            case Readable():
                return ~readable
            case Typed():
                return nw.col(bit.column.unconverted) if bit.column and bit.column.unconverted else None
            case NotNull():
                assert bit.column is not None  # noqa: S101  # _bits gives every column test its column
                value = nw.col(bit.column.name)
                absent = value.is_null() | value.is_nan() if pa.types.is_floating(bit.column.type) else value.is_null()
                return absent & readable & self._converted(bit.column)
            case Checked(rule=rule, check=check) if rule.runs_on is Runner.QUERY:
                try:
                    passes = expression(check, bit.column.name if bit.column else FRAME, self._frame)
                except NotLiftedError:
                    return None
                if rule.kind is RuleKind.BATCH:
                    return passes
                fails = (~passes).fill_null(value=not check.ignore_na)
                return fails & readable & self._converted(bit.column)
            case _:
                return None

    @staticmethod
    def _converted(column: LaidColumn | None) -> nw.Expr:
        """True where the column's value converted: one that did not is broken by its type alone."""
        if column is None or column.unconverted is None:
            return nw.lit(value=True)
        return ~nw.col(column.unconverted)

    def _aggregate_fails(self, passes: nw.Expr) -> bool:
        ((answer,),) = nw.to_native(self._frame.select(passes.alias("passes"))).fetchall()
        return answer is False

    def _find_duplicates(self, found: str, bit: Bit, columns: tuple[str, ...]) -> None:
        keys = ", ".join(identifier(name) for name in columns)
        conditions = ["_unreadable IS NULL"]
        conditions += [f"NOT {c.unconverted}" for c in self._layout.columns if c.name in columns and c.unconverted]
        where = " AND ".join(conditions)
        duplicates = f"duplicates_{self._tag}_{bit.place}"
        self._connection.execute(
            f"CREATE TEMP TABLE {duplicates} AS "
            f"SELECT {keys} FROM {self.typed} WHERE {where} GROUP BY {keys} HAVING count(*) > 1"
        )
        same = " AND ".join(f"t.{identifier(n)} IS NOT DISTINCT FROM d.{identifier(n)}" for n in columns)
        self._add(found, bit, f"SELECT _row FROM {self.typed} t SEMI JOIN {duplicates} d ON {same} WHERE {where}")

    def _find_by_pandera(self, found: str, bit: Bit, batch: dict[str, str]) -> None:
        assert isinstance(bit.test, Checked)  # noqa: S101  # find_broken matched it
        names = [bit.column.name] if bit.column else [column.name for column in self._layout.columns]
        keys = ", ".join(identifier(name) for name in names)
        where = "_unreadable IS NULL"
        if bit.column and bit.column.unconverted:
            where += f" AND NOT {bit.column.unconverted}"
        table = self._connection.sql(
            f"SELECT _row, {keys} FROM {self.typed} WHERE {where} ORDER BY _row"
        ).to_arrow_table()
        fails = failing(
            bit.test.check,
            bit.column.name if bit.column else FRAME,
            table.select(names),
            rule=bit.test.rule.name,
        )
        if isinstance(fails, bool):
            if fails:
                batch[bit.test.rule.name] = bit.test.rule.reason
            return
        failing_rows = pa.table({"_row": pc.filter(table.column("_row"), fails)})
        view = f"pandera_{self._tag}_{bit.place}"
        self._connection.register(view, failing_rows)
        self._add(found, bit, f"SELECT _row FROM {view}")
        self._connection.unregister(view)

    def _add(self, found: str, bit: Bit, rows: str) -> None:
        """Add a bit for rows that a query of their own found."""
        words = self._bits[-1].place // WORD_BITS + 1
        values = [f"{bit.mask}::UBIGINT" if f"w{word}" == bit.word else "0::UBIGINT" for word in range(words)]
        self._connection.execute(f"INSERT INTO {found} SELECT _row, {', '.join(values)} FROM ({rows})")

    def _gather(self, found: str, batch: Mapping[str, str]) -> Broken:
        """One line per broken row, out of those that the separate queries found."""
        words = [f"w{word}" for word in range((self._bits[-1].place if self._bits else 0) // WORD_BITS + 1)]
        warned: dict[str, int] = dict.fromkeys(words, 0)
        for bit in self._bits:
            if bit.test.rule.route is Route.WARN:
                warned[bit.word] |= bit.mask
        every = (1 << WORD_BITS) - 1
        failed = " OR ".join(f"(bit_or({word}) & {every ^ warned[word]}) <> 0" for word in words)
        table = f"broken_{self._tag}"
        gathered = ", ".join(f"bit_or({word}) AS {word}" for word in words)
        self._connection.execute(
            f"CREATE TEMP TABLE {table} AS SELECT _row, {gathered}, ({failed}) AS failed FROM {found} GROUP BY _row"
        )
        self._connection.execute(f"DROP TABLE {found}")
        ((failed_rows,),) = self._connection.execute(f"SELECT count(*) FROM {table} WHERE failed").fetchall()
        return Broken(table=table, bits=self._bits, batch=batch, failed_rows=failed_rows)

    def _rows(self, rows: set[int]) -> dict[int, dict[str, Any]]:
        """Rows as they arrived, by ``_row``."""
        if not rows:
            return {}
        chosen = ", ".join(str(row) for row in sorted(rows))
        table = self._connection.sql(f"SELECT * FROM {self._source} WHERE _row IN ({chosen})").to_arrow_table()
        return {row["_row"]: row for row in table.to_pylist()}


def _bits(tests: tuple[GateTest, ...], layout: Layout) -> Iterator[Bit]:
    place = 0
    for test in tests:
        columns: tuple[LaidColumn | None, ...]
        match test:
            case Readable():
                columns = (None,)
            case Typed(spec=spec) | NotNull(spec=spec):
                columns = layout.of(spec)
            case Checked(spec=spec) | Unique(spec=spec):
                columns = (None,) if spec is None else layout.of(spec)
            case _:
                columns = ()
        for column in columns:
            yield Bit(place, test, column)
            place += 1


def _is_set(bit: Bit) -> str:
    return f"({bit.word} & {bit.mask}) <> 0"


def _error(bit: Bit) -> str:
    rule = bit.test.rule
    column = literal(bit.column.name) if bit.column else "NULL"
    reason = "r._unreadable_reason" if isinstance(bit.test, Readable) else literal(_asked(bit))
    return f"CASE WHEN {_is_set(bit)} THEN {{'rule': {literal(rule.name)}, 'column': {column}, 'reason': {reason}}} END"


def _asked(bit: Bit) -> str:
    return bit.test.rule.reason


def _sample_columns(bits: list[Bit], columns: Mapping[str, int]) -> list[str]:
    """The columns that a rule's samples show: its own, or those that broke where it speaks of many."""
    test = bits[0].test
    if isinstance(test, Readable):
        return ["_unreadable", "_unreadable_reason"]
    if columns:
        return sorted(columns, key=lambda name: -columns[name])[:SAMPLE_ROWS]
    if isinstance(test, Unique) and test.spec is None:
        return list(test.columns)
    return [bits[0].column.name] if bits[0].column else []
