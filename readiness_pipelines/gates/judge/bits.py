"""The bit set of a row: one bit for each test of each column, in words of a DuckDB table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import assert_never

from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.gates.judge.layout import LaidColumn, Layout
from readiness_pipelines.gates.schema.columns import ColumnSpec
from readiness_pipelines.gates.schema.tests import (
    Checked,
    ColumnsClassified,
    ColumnsExpected,
    ColumnsOrdered,
    ColumnsPresent,
    Disclosed,
    GateTest,
    Masked,
    NotNull,
    Readable,
    Referenced,
    SchemaUnchanged,
    Typed,
    Unique,
    WithinUsual,
)

WORD_BITS = 62


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

    @property
    def is_set(self) -> str:
        """SQL: whether a row breaks the test."""
        return f"({self.word} & {self.mask}) <> 0"

    def error(self, sql: Dialect) -> str:
        """SQL: the row's error where it breaks the test, else null."""
        rule = self.test.rule
        entry = sql.error(rule.name, self.column.name if self.column else None, rule.reason)
        return f"CASE WHEN {self.is_set} THEN {entry} END"


def bits_of(tests: Iterable[GateTest], layout: Layout) -> tuple[Bit, ...]:
    """The bits of the tests that are about rows, in order."""
    by_spec = layout.by_spec()
    absent = {column.name for column in layout.columns if column.absent}
    pairs = ((test, column) for test in tests for column in _columns(test, by_spec, absent))
    return tuple(Bit(place, test, column) for place, (test, column) in enumerate(pairs))


def words_of(bits: tuple[Bit, ...]) -> tuple[str, ...]:
    """The names of the words that hold some bits; at least one."""
    return tuple(f"w{word}" for word in range((bits[-1].place if bits else 0) // WORD_BITS + 1))


def words_with(bits: tuple[Bit, ...], conditions: Mapping[int, str], words: Sequence[str] | None = None) -> str:
    """SQL of some words, by default all, each bit set where its condition, given by place, is true."""
    terms: dict[str, list[str]] = {word: [] for word in words or words_of(bits)}
    for place, condition in conditions.items():
        bit = bits[place]
        terms[bit.word].append(f"CASE WHEN {condition} THEN {_word(bit.mask)} ELSE {_word(0)} END")
    return ", ".join(f"({' | '.join(of_word) or _word(0)}) AS {word}" for word, of_word in terms.items())


def _word(value: int) -> str:
    return f"CAST({value} AS BIGINT)"


def _columns(
    test: GateTest, by_spec: Mapping[int, Sequence[LaidColumn]], absent: Set[str]
) -> Iterator[LaidColumn | None]:
    def of(spec: ColumnSpec) -> Sequence[LaidColumn]:
        return by_spec.get(id(spec), ())

    match test:
        case Readable() | Referenced():
            yield None
        case Typed(spec=spec):
            yield from (column for column in of(spec) if column.unconverted)  # others cannot break it by row
        case NotNull(spec=spec) | WithinUsual(spec=spec):
            yield from of(spec)
        case Unique(spec=None, columns=columns) if absent >= set(columns):
            pass  # together they are one value in every row
        case Checked(spec=spec) | Unique(spec=spec):
            yield from (None,) if spec is None else of(spec)
        case Disclosed() | ColumnsClassified() | Masked():
            pass  # they are about all rows to publish
        case ColumnsPresent() | ColumnsExpected() | ColumnsOrdered() | SchemaUnchanged():
            pass  # they are about the shape of the batch, not its rows
        case _:
            assert_never(test)
