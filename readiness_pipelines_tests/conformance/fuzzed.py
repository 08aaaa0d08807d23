"""One case of the fuzzer: a schema with rules, a batch, and the circumstances in which it is judged; from a seed."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pyarrow.compute as pc

from readiness_pipelines_tests.conformance.grammar import Grammar
from readiness_pipelines_tests.conformance.values import TYPED, UNTYPED, literal_of, literals_of, values_of

ZONES = ("UTC", "Europe/Vienna", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
_NAMES = {"nw": nw, "pa": pa, "arrow": arrow, "pc": pc, "datetime": datetime, "Decimal": Decimal, "ZoneInfo": ZoneInfo}


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzedRule:
    """A check of a case.

    Attributes:
        name: The gate's name for it.
        column: The column it is attached to; ``None`` for the frame.
        source: It, as Python.
    """

    name: str
    column: str | None
    source: str

    def check(self) -> pa.Check:
        """The check itself."""
        check: pa.Check = eval(self.source, dict(_NAMES))  # noqa: S307  # source that the grammar wrote
        return check


@dataclass(frozen=True)
class FuzzedCase:
    """A case.

    Attributes:
        seed: Repeats it.
        columns: The types of the columns.
        rules: The checks.
        table: The rows, in the order of ``_row``.
        arrival: The order in which the rows lie in the files.
        group_rows: Rows of a file.
        zone: The host's time zone.
    """

    seed: str
    columns: Mapping[str, arrow.DataType]
    rules: tuple[FuzzedRule, ...]
    table: arrow.Table
    arrival: tuple[int, ...]
    group_rows: int
    zone: str

    @cached_property
    def schema(self) -> pa.DataFrameSchema:
        """The schema, with all rules."""
        columns = {
            name: pa.Column(
                None if kind in UNTYPED else kind,
                [rule.check() for rule in self.rules if rule.column == name],
                nullable=True,
            )
            for name, kind in self.columns.items()
        }
        return pa.DataFrameSchema(columns, checks=[rule.check() for rule in self.rules if rule.column is None])

    def __str__(self) -> str:
        rules = "\n".join(f"  {rule.name}: {rule.source}" for rule in self.rules)
        columns = ", ".join(f"{name}: {kind}" for name, kind in self.columns.items())
        return f"case {self.seed}, zone {self.zone}, {columns}\n{rules}\n  rows {self.table.to_pylist()}"


def fuzzed_case(seed: str) -> FuzzedCase:
    """The case of a seed, always the same."""
    chance = Random(seed)  # repeatable, not secret
    kinds = chance.choices((*TYPED, *TYPED, *UNTYPED), k=chance.randint(1, 3))
    columns = {f"c{number}": kind for number, kind in enumerate(kinds)}
    rows = chance.randint(2, 9)
    table = arrow.table(
        {
            name: arrow.array([_value(chance, kind) for _ in range(rows)], kind, from_pandas=False)
            for name, kind in columns.items()
        }
    )
    arrival = list(range(rows))
    chance.shuffle(arrival)
    return FuzzedCase(
        seed=seed,
        columns=columns,
        rules=tuple(_rule(chance, columns, number) for number in range(chance.randint(1, 2))),
        table=table,
        arrival=tuple(arrival),
        group_rows=chance.randint(1, 4),
        zone=chance.choice(ZONES),
    )


def _value(chance: Random, kind: arrow.DataType) -> Any:
    return None if chance.random() < 0.15 else chance.choice(values_of(kind))


def _rule(chance: Random, columns: Mapping[str, arrow.DataType], number: int) -> FuzzedRule:
    options = f"native=False, name='k{number}', ignore_na={chance.random() < 0.7}"
    if chance.random() < 0.35:
        name, kind = chance.choice(list(columns.items()))
        if chance.random() < 0.15 and not arrow.types.is_nested(kind):
            source = f"pa.Check(lambda d: {_native(chance, kind)}, name='k{number}', ignore_na={chance.random() < 0.7})"
            return FuzzedRule(name=f"{name}_k{number}", column=name, source=source)
        if (built_in := _built_in(chance, kind)) is not None:
            source = f"pa.Check.{built_in}, name='k{number}', ignore_na={chance.random() < 0.7})"
            return FuzzedRule(name=f"{name}_k{number}", column=name, source=source)
        condition = Grammar(chance, {name: kind}).condition()
        source = f"pa.Check(lambda e: {condition.replace(f'nw.col({name!r})', 'e')}, {options})"
        return FuzzedRule(name=f"{name}_k{number}", column=name, source=source)
    condition = Grammar(chance, columns).condition()
    return FuzzedRule(name=f"k{number}", column=None, source=f"pa.Check(lambda _: {condition}, {options})")


def _native(chance: Random, kind: arrow.DataType) -> str:
    """A function of an Arrow table, with an answer of one shape or another."""
    literal = literal_of(kind, chance.choice(literals_of(kind)))
    compared = f"pc.equal(d.table.column(d.key), arrow.scalar({literal}, d.table.column(d.key).type))"
    return chance.choice(
        (
            compared,
            f"pc.cast({compared}, 'int64')",
            f"pc.cast({compared}, 'int64').combine_chunks()",
            f"{compared}.to_pylist()",
            f"pc.all({compared})",
            f"bool(pc.any({compared}).as_py())",
            "d.table.num_rows > 3",
        )
    )


def _built_in(chance: Random, kind: arrow.DataType) -> str | None:
    """A built-in check without its end, now and then."""
    if arrow.types.is_nested(kind) or arrow.types.is_binary(kind) or chance.random() < 0.4:
        return None
    one, other = (literal_of(kind, chance.choice(literals_of(kind))) for _ in range(2))
    if arrow.types.is_string(kind) and chance.random() < 0.5:
        return chance.choice((f"str_startswith({one}", f"str_endswith({one}", "str_length(1, 2", "str_contains('[ab]'"))
    name = chance.choice(("eq", "ne", "gt", "ge", "lt", "le", "isin", "notin"))
    return f"{name}([{one}, {other}]" if name in ("isin", "notin") else f"{name}({one}"
