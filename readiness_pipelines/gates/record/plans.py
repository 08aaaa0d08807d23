"""How records of one shape are judged: which values are taken, read here or by the query, and which tests follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.contracts.references import ExistsIn
from readiness_pipelines.engines.duckdb.sql import DUCKDB
from readiness_pipelines.gates.judge.layout import Flag, LaidColumn, Layout, lay_out, typed_select
from readiness_pipelines.gates.record.cleansing import cleanser
from readiness_pipelines.gates.record.python_values import Convert, converter
from readiness_pipelines.gates.record.tests import RecordTest, RecordTests
from readiness_pipelines.gates.record.text_times import ASK, UNCONVERTED
from readiness_pipelines.gates.record.verdicts import BrokenRule
from readiness_pipelines.gates.schema.columns import SchemaSpec
from readiness_pipelines.gates.schema.rules import RuleKind
from readiness_pipelines.gates.schema.tests import GateTest, Readable, Referenced
from readiness_pipelines.gates.verdict.outcomes import holds_by_shape
from readiness_pipelines.recent import Recent
from readiness_pipelines.sql import duckdb_type, identifier

CONSTANTS_KEPT = 1_024

Kind = type | tuple[type, str]
"""The type of a value in a record; with Arrow's, where the one of Python stands for several of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlan:
    """How records of one shape are judged.

    Attributes:
        misshapen: The shape rules that the shape itself breaks.
        held: Whether nothing else is decided.
        copied: Columns whose value is taken as it is.
        converted: Columns whose value is read here, and how.
        constants: Columns and flags that did not arrive, with the value that they have.
        fills: What stands for a missing value, by column.
        flags: Columns that say where another has no value, and that other.
        query: SQL over the other values, given as parameters, that makes columns and flags; "" where none is needed.
        parameters: The parameters' names.
        made: The columns that the query makes, each with whether a flag follows.
        tests: The other tests.
        references: The tests that compare with another table.
        undecided: The rules that need the batch, or other tables.
    """

    misshapen: tuple[BrokenRule, ...]
    held: bool
    copied: tuple[str, ...]
    converted: tuple[tuple[str, Convert], ...]
    constants: Mapping[str, Any]
    fills: tuple[tuple[str, Any], ...]
    flags: tuple[tuple[str, str], ...]
    query: str
    parameters: tuple[str, ...]
    made: tuple[tuple[str, bool], ...]
    tests: tuple[RecordTest, ...]
    references: tuple[Referenced, ...]
    undecided: tuple[str, ...]


class Planner:
    """Makes plans of a gate's tests.

    Args:
        spec: The schema.
        tests: The gate's tests.
        missing: Text that means "no value".
        change: What a changed source means.
        connection: DuckDB, for the values that only a query reads.
    """

    def __init__(
        self,
        spec: SchemaSpec,
        tests: tuple[GateTest, ...],
        *,
        missing: tuple[str, ...],
        change: SchemaChange,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self._spec = spec
        self._tests = tests
        self._missing = missing
        self._change = change
        self._connection = connection
        self._compiler = RecordTests(spec.flavour)
        self._constants: Recent[str, tuple[Any]] = Recent(CONSTANTS_KEPT)

    def plan(self, arrived: pa.Schema, kinds: Mapping[str, Kind]) -> RecordPlan:
        """RecordPlan for records that have some columns, of types of Arrow and of Python."""
        layout = self._laid_over(arrived)
        rules = {test.rule.name: test.rule for test in self._tests}
        misshapen = tuple(
            BrokenRule(rule=name, column=None, reason=why, route=rules[name].route)
            for name, why in layout.breaks.items()
        )
        held = any(holds_by_shape(rules[name]) for name in layout.breaks)
        tests: list[RecordTest] = []
        undecided: list[str] = []
        by_spec = layout.by_spec()
        for test in self._tests:
            compiled = None if held else self._compiler.compile(test, layout, by_spec)
            shape = test.rule.kind is RuleKind.SHAPE or isinstance(test, Readable)
            if compiled is None and not shape and test.rule.name not in layout.breaks:
                undecided.append(test.rule.name)
            tests += compiled or []
        references = [t for t in self._tests if isinstance(t, Referenced) and isinstance(t.reference, ExistsIn)]
        work = self._work(layout, arrived, kinds)
        return replace(
            work,
            misshapen=misshapen,
            held=held,
            tests=tuple(tests),
            references=tuple(references),
            undecided=tuple(undecided),
        )

    def _laid_over(self, arrived: pa.Schema) -> Layout:
        return lay_out(
            self._spec,
            self._tests,
            arrived,
            missing=self._missing,
            change=self._change,
            accepted=None,
            sql=DUCKDB,
        )

    def _work(self, layout: Layout, arrived: pa.Schema, kinds: Mapping[str, Kind]) -> RecordPlan:
        """What is done with each value, without the tests."""
        flags = {flag.of: flag.name for flag in layout.flags}
        copied: list[str] = []
        converted: list[tuple[str, Convert]] = []
        constants: dict[str, Any] = {}
        fills: list[tuple[str, Any]] = []
        flagged: list[tuple[str, str]] = []
        by_query: list[LaidColumn] = []
        for column in layout.columns:
            if column.name not in arrived.names:
                constants[column.name] = self._constant(column.value)
                if column.name in flags:
                    constants[flags[column.name]] = True
                continue
            kind = kinds[column.name]
            given = kind[0] if isinstance(kind, tuple) else kind
            convert = self._convert(column, given, arrived)
            if convert is None and column.value != identifier(column.name):
                by_query.append(column)
                continue
            if convert is not None:
                converted.append((column.name, convert))
            else:
                copied.append(column.name)
            if column.name in flags:
                flagged.append((flags[column.name], column.name))
            if column.fills is not None:
                fills.append((column.name, self._constant(column.fills[1])))
        query, parameters, made = self._query(layout, arrived, by_query)
        return RecordPlan(
            misshapen=(),
            held=False,
            copied=tuple(copied),
            converted=tuple(converted),
            constants=constants,
            fills=tuple(fills),
            flags=tuple(flagged),
            query=query,
            parameters=parameters,
            made=made,
            tests=(),
            references=(),
            undecided=(),
        )

    def _convert(self, column: LaidColumn, given: type, arrived: pa.Schema) -> Convert | None:
        """How a value that arrived becomes the column's, before anything is filled in; ``None`` where it stays."""
        if given is NoneType:
            return lambda value: value
        convert = converter(given, column.type)
        if given is not str:
            fills_alone = column.fills is not None and duckdb_type(arrived.field(column.name).type) == duckdb_type(
                column.type
            )
            return convert or ((lambda value: value) if fills_alone else None)
        cleanse = cleanser([step for spec in column.specs for step in spec.steps])
        if convert is None or cleanse is None:
            return None
        missing, ask = frozenset(self._missing), self._asking(column)

        def read(text: str) -> Any:
            if text in missing:
                return None
            cleansed = cleanse(text)
            if cleansed is None:
                return None
            value = ask(text) if cleansed is ASK else convert(cleansed)
            return ask(text) if value is ASK else value

        return read

    def _asking(self, column: LaidColumn) -> Convert:
        """The query over one text, for what is not read here; made when it is first needed."""
        queries: list[str] = []

        def ask(text: str) -> Any:
            if not queries:
                queries.append(self._query_of_one(column))
            # A cursor for each call: records may come from many threads.
            value, failed, missing = self._connection.cursor().execute(queries[0], [text]).fetchall()[0]
            return UNCONVERTED if failed else None if missing else value

        return ask

    @staticmethod
    def _query_of_one(column: LaidColumn) -> str:
        missing = "_is_missing"
        one = Layout(columns=(column,), flags=(Flag(name=missing, of=column.name, step=""),), breaks={}, findings=())
        source = f"(SELECT $1::VARCHAR AS {identifier(column.name)}, {_FRAMEWORK})"
        return (
            f"SELECT {identifier(column.name)}, {column.unconverted or 'false'}, {missing} "
            f"FROM ({typed_select(one, source, DUCKDB)})"
        )

    def _constant(self, sql: str) -> Any:
        kept = self._constants.find(sql)
        if kept is None:
            ((value,),) = self._connection.cursor().execute(f"SELECT {sql}").fetchall()
            kept = self._constants.keep(sql, (value,))
        return kept[0]

    @staticmethod
    def _query(
        layout: Layout, arrived: pa.Schema, columns: Sequence[LaidColumn]
    ) -> tuple[str, tuple[str, ...], tuple[tuple[str, bool], ...]]:
        """The batch gate's own SQL over the values that are not read here."""
        if not columns:
            return "", (), ()
        names = {column.name for column in columns}
        flags = tuple(flag for flag in layout.flags if flag.of in names)
        parameters = tuple(column.name for column in columns)
        given = [f"$p{i}::{duckdb_type(arrived.field(n).type)} AS {identifier(n)}" for i, n in enumerate(parameters)]
        partial = Layout(columns=tuple(columns), flags=flags, breaks={}, findings=())
        made = [(column.name, column.unconverted is not None) for column in columns]
        made += [(flag.name, False) for flag in flags]
        failed = {column.name: column.unconverted for column in columns}
        wanted = [
            part for name, has in made for part in ((identifier(name), failed[name]) if has else (identifier(name),))
        ]
        inner = typed_select(partial, f"(SELECT {', '.join([*given, _FRAMEWORK])})", DUCKDB)
        return f"SELECT {', '.join(map(str, wanted))} FROM ({inner})", parameters, tuple(made)


_FRAMEWORK = "NULL AS _batch, 0 AS _row, NULL AS _file, NULL AS _unreadable"
