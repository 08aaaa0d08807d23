"""The rows that break something, gathered from the queries that find them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.bits import WORD_BITS, Bit, words_of, words_with
from readiness_pipelines.gates.verdict.decisions import Waived


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRows:
    """The rows of a batch that break something, in a table of the engine.

    Attributes:
        table: Columns ``_row``, one word of bits for each `WORD_BITS` tests, and ``failed``: whether a rule that is not
            routed ``warn`` is broken.
        bits: The tests that have a bit.
        batch: Reasons of the broken rules that are about the whole batch, by rule name.
        places: The places of the bits that any row has set: of a good batch none.
        failed_rows: Rows that fail.
        waived: Rows whose breaking of a rule was waived, by rule name; no rows for a condition on the whole batch.
    """

    table: str
    bits: tuple[Bit, ...]
    batch: Mapping[str, str]
    places: frozenset[int]
    failed_rows: int
    waived: Mapping[str, int]


class Violations:
    """Tables of rows with the bits that each query found; a row may be in more than one."""

    def __init__(self, view: BatchView, bits: tuple[Bit, ...]) -> None:
        self._view = view
        self._bits = bits
        self._parts: list[tuple[str, tuple[str, ...]]] = []
        self._names = (f"found_{number}_{view.tag}" for number in count())

    def keep(self, query: str, words: tuple[str, ...] | None = None) -> None:
        """Keep a query's ``_row`` and words: all of them, or some, where the others have no bit set."""
        part = next(self._names)
        engine = self._view.engine
        engine.keep(part, query)
        if words is not None and not engine.fetch(f"SELECT 1 FROM {part} LIMIT 1"):
            engine.forget(part)
        else:
            self._parts.append((part, words or words_of(self._bits)))

    def add(self, bit: Bit, query: str) -> None:
        """Add a bit for the ``_row`` of a query."""
        self.keep(f"SELECT _row, {words_with(self._bits, {bit.place: 'true'})} FROM ({query})")

    def add_where(self, bit: Bit, chunk: pa.Table, fails: pa.BooleanArray) -> None:
        """Add a bit for the rows of a chunk that fail."""
        rows = pa.table({"_row": pc.filter(chunk.column("_row"), fails)})
        if rows.num_rows:
            name = f"rows_of_{next(self._names)}"
            self._view.engine.view(name, rows)
            self.add(bit, f"SELECT _row FROM {name}")

    def waive(self, waived: Sequence[Waived]) -> dict[str, int]:
        """Take the bits of waived rules off the rows that they are waived for; how many rows had one, by rule name."""
        counts: dict[str, int] = {}
        for number, one in enumerate(waived):
            bits = [bit for bit in self._bits if bit.test.rule.name == one.rule]
            if bits:
                counts[one.rule] = counts.get(one.rule, 0) + self._waive(one, bits, number)
        return counts

    def _waive(self, one: Waived, bits: list[Bit], number: int) -> int:
        view = self._view
        given = f"waived_{number}_{view.tag}"
        view.engine.view(given, f"SELECT _row FROM {view.source} WHERE {one.where or 'true'}")
        any_bit = " OR ".join(bit.is_set for bit in bits)
        waived = f"_row IN (SELECT _row FROM {given}) AND ({any_bit})"
        ((rows,),) = view.engine.fetch(f"SELECT count(DISTINCT _row) FROM ({self._union()}) WHERE {waived}")
        off = dict.fromkeys(words_of(self._bits), 0)
        for bit in bits:
            off[bit.word] |= bit.mask
        every = (1 << WORD_BITS) - 1
        words = ", ".join(
            f"CASE WHEN g._row IS NULL THEN f.{word} ELSE f.{word} & {every ^ mask} END AS {word}"
            for word, mask in off.items()
        )
        found, before, self._parts = self._union(), self._parts, []
        self.keep(f"SELECT f._row, {words} FROM ({found}) f LEFT JOIN {given} g ON f._row = g._row")
        for part, _ in before:
            view.engine.forget(part)
        return int(rows)

    def gather(self, batch: Mapping[str, str], waived: Mapping[str, int]) -> BrokenRows:
        """One line per broken row."""
        words = words_of(self._bits)
        warned: dict[str, int] = dict.fromkeys(words, 0)
        for bit in self._bits:
            if bit.test.rule.route is Route.WARN:
                warned[bit.word] |= bit.mask
        every = (1 << WORD_BITS) - 1
        failed = " OR ".join(f"(bit_or({word}) & {every ^ warned[word]}) <> 0" for word in words)
        table = f"broken_{self._view.tag}"
        gathered = ", ".join(f"bit_or({word}) AS {word}" for word in words)
        engine = self._view.engine
        engine.keep(table, f"SELECT _row, {gathered}, ({failed}) AS failed FROM ({self._union()}) GROUP BY _row")
        for part, _ in self._parts:
            engine.forget(part)
        union = ", ".join(f"coalesce(bit_or({word}), 0)" for word in words)
        ((failed_rows, *values),) = engine.fetch(f"SELECT count(*) FILTER (WHERE failed), {union} FROM {table}")
        by_word = dict(zip(words, values, strict=True))
        return BrokenRows(
            table=table,
            bits=self._bits,
            batch=batch,
            places=frozenset(bit.place for bit in self._bits if by_word[bit.word] & bit.mask),
            failed_rows=failed_rows,
            waived=waived,
        )

    def _union(self) -> str:
        """SQL of all parts, with all words; a part that is missing a word has no such bit set."""
        words = words_of(self._bits)
        if not self._parts:
            return f"SELECT _row, {words_with(self._bits, {})} FROM {self._view.source} WHERE false"
        return " UNION ALL ".join(
            f"SELECT _row, {', '.join(word if word in found else f'CAST(0 AS BIGINT) AS {word}' for word in words)} "
            f"FROM {part}"
            for part, found in self._parts
        )
