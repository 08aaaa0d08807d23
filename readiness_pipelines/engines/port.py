"""The port behind which a batch is judged: SQL over views in one dialect, and frames that Narwhals understands."""

from typing import Any, Protocol

import narwhals.stable.v1 as nw
import pyarrow as pa

from readiness_pipelines.engines.dialects import Dialect

Rows = Any
"""Rows that live in an engine: a DuckDB relation, or a PySpark DataFrame."""


class Engine(Protocol):
    """One session of one engine. Its views and tables are gone when the session is closed.

    `refusals` are the errors that it raises where a value or a type is at fault, not memory or disk.
    `conversions_at_once` is how many columns of a wide batch one query should convert, `tests_at_once` how many tests
    it should then evaluate over the result.
    """

    sql: Dialect
    refusals: tuple[type[Exception], ...]
    conversions_at_once: int
    tests_at_once: int

    def view(self, name: str, rows: Rows | pa.Table | str) -> None:
        """Give rows, an Arrow table or a query a name."""
        ...

    def keep(self, name: str, query: str) -> None:
        """Compute a query once, and give the result a name."""
        ...

    def forget(self, name: str) -> None:
        """Let go of what `keep` computed: nothing reads it any more."""
        ...

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """The few rows of a query."""
        ...

    def arrow(self, query: str) -> pa.Table:
        """The rows of a query, in memory."""
        ...

    def rows(self, query: str) -> Rows:
        """The rows of a query, lazily."""
        ...

    def collect(self, rows: Rows) -> pa.Table:
        """Rows, in memory, in the order of ``_row``."""
        ...

    def schema(self, name: str) -> pa.Schema:
        """Arrow schema of a named view or table."""
        ...

    def frame(self, name: str) -> Any:
        """A named view or table as a lazy Narwhals frame."""
        ...

    def adapted(self, lifted: nw.Expr) -> nw.Expr:
        """A check's expression, written so that it means here what it means on DuckDB."""
        ...

    def select(self, frame: Any) -> list[tuple[Any, ...]]:
        """The few rows of a Narwhals frame."""
        ...

    def candidates(self, rows: str, columns: list[str], *, into: str) -> str:
        """Rows among which all with a repeated key are: fewer ones, if that is cheap to know.

        Args:
            rows: SQL to select from, with ``_row`` and the key.
            columns: The key.
            into: Names what is made on the way.
        """
        ...

    def remember(self, name: str, value: bytes) -> str:
        """SQL of some bytes that no query, plan or error spells out: a key.

        Args:
            name: Unique in the engine.
            value: The bytes.
        """
        ...

    def error_lists(self, name: str, query: str) -> tuple[str, str]:
        """Remember the errors of each combination of words.

        Args:
            name: Names the table of combinations.
            query: Gives the words of each combination that occurs, and ``_errors``.

        Returns:
            SQL over the table as ``p``, to be joined to rows; and SQL that makes of its result, ``w.pattern``, a list.
        """
        ...
