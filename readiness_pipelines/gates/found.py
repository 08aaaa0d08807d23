"""The rows that break something, gathered from the queries that find them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.gates.batch_view import BatchView
from readiness_pipelines.gates.bits import WORD_BITS, Bit, words_of, words_with
from readiness_pipelines.gates.decided import Waived


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The rows of a batch that break something, in a temporary table of the connection.

    Attributes:
        table: Columns ``_row``, one word of bits for each `WORD_BITS` tests, and ``failed``: whether a rule that is not
            routed ``warn`` is broken.
        bits: The tests that have a bit.
        batch: Reasons of the broken rules that speak of the whole batch, by rule name.
        failed_rows: Rows that fail.
        waived: Rows whose breaking of a rule was waived, by rule name; no rows for a condition on the whole batch.
    """

    table: str
    bits: tuple[Bit, ...]
    batch: Mapping[str, str]
    failed_rows: int
    waived: Mapping[str, int]


class FoundRows:
    """A temporary table of rows with the bits that each query found; a row may be there more than once."""

    def __init__(self, view: BatchView, bits: tuple[Bit, ...]) -> None:
        self._view = view
        self._bits = bits
        self._table = f"found_{view.tag}"

    def start(self, query: str) -> None:
        """Make the table of a query's ``_row`` and words."""
        self._view.connection.execute(f"CREATE TEMP TABLE {self._table} AS {query}")

    def add(self, bit: Bit, query: str) -> None:
        """Add a bit for the ``_row`` of a query."""
        words = words_with(self._bits, {bit.place: "true"})
        self._view.connection.execute(f"INSERT INTO {self._table} SELECT _row, {words} FROM ({query})")

    def add_where(self, bit: Bit, chunk: pa.Table, fails: pa.BooleanArray) -> None:
        """Add a bit for the rows of a chunk that fail."""
        rows = pa.table({"_row": pc.filter(chunk.column("_row"), fails)})
        if rows.num_rows:
            name = f"rows_{self._view.tag}_{bit.place}"
            self._view.connection.register(name, rows)
            self.add(bit, f"SELECT _row FROM {name}")
            self._view.connection.unregister(name)

    def waive(self, waived: Sequence[Waived]) -> dict[str, int]:
        """Take the bits of waived rules off the rows that they are waived for; how many rows had one, by rule name."""
        counts: dict[str, int] = {}
        for one in waived:
            rows = f"_row IN (SELECT _row FROM {self._view.source} WHERE {one.where or 'true'})"
            bits = [bit for bit in self._bits if bit.test.rule.name == one.rule]
            if bits:
                any_bit = " OR ".join(bit.is_set for bit in bits)
                ((count,),) = self._view.connection.execute(
                    f"SELECT count(DISTINCT _row) FROM {self._table} WHERE {rows} AND ({any_bit})"
                ).fetchall()
                counts[one.rule] = counts.get(one.rule, 0) + count
            for bit in bits:
                kept = ((1 << WORD_BITS) - 1) ^ bit.mask
                self._view.connection.execute(
                    f"UPDATE {self._table} SET {bit.word} = {bit.word} & {kept}::UBIGINT WHERE {rows} AND {bit.is_set}"
                )
        return counts

    def gather(self, batch: Mapping[str, str], waived: Mapping[str, int]) -> Broken:
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
        connection = self._view.connection
        connection.execute(
            f"CREATE TEMP TABLE {table} AS "
            f"SELECT _row, {gathered}, ({failed}) AS failed FROM {self._table} GROUP BY _row"
        )
        connection.execute(f"DROP TABLE {self._table}")
        ((failed_rows,),) = connection.execute(f"SELECT count(*) FROM {table} WHERE failed").fetchall()
        return Broken(table=table, bits=self._bits, batch=batch, failed_rows=failed_rows, waived=waived)
