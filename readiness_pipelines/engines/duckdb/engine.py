"""DuckDB behind the port: one connection, the default."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import narwhals.stable.v1 as nw
import pyarrow as pa

from readiness_pipelines.engines.conversion import INTEGERS
from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.engines.duckdb.sql import DUCKDB
from readiness_pipelines.sql import identifier, use_utc


@contextmanager
def open_duckdb(connection: duckdb.DuckDBPyConnection) -> Iterator["DuckDbEngine"]:
    """Judge in a connection, which stays open: who opened it closes it."""
    yield DuckDbEngine(connection)


class DuckDbEngine:
    """Judges batches in a DuckDB connection; see `Engine`. Temporary views and tables stay in it until it is closed.

    Args:
        connection: The connection that the rows live in; from now on it reads and writes times in UTC.
    """

    sql: Dialect = DUCKDB
    refusals: tuple[type[Exception], ...] = (duckdb.DataError, duckdb.ProgrammingError)
    conversions_at_once = 250  # what it takes to plan them grows with the square of their number
    tests_at_once = 60

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        use_utc(connection)
        self.connection = connection

    def view(self, name: str, rows: Any) -> None:
        """Give rows, a query or an Arrow table a name."""
        if isinstance(rows, str):
            self.connection.execute(f"CREATE TEMP VIEW {name} AS {rows}")
        elif isinstance(rows, pa.Table):
            self.connection.register(name, rows)
        else:
            rows.create_view(name)

    def keep(self, name: str, query: str) -> None:
        """Compute a query once, and give the result a name."""
        self.connection.execute(f"CREATE TEMP TABLE {name} AS {query}")

    def forget(self, name: str) -> None:
        """Drop the table."""
        self.connection.execute(f"DROP TABLE {name}")

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """The few rows of a query."""
        found: list[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        return found

    def arrow(self, query: str) -> pa.Table:
        """The rows of a query, in memory."""
        return self.connection.sql(query).to_arrow_table()

    def rows(self, query: str) -> duckdb.DuckDBPyRelation:
        """The rows of a query, lazily."""
        return self.connection.sql(query)

    def collect(self, rows: duckdb.DuckDBPyRelation) -> pa.Table:
        """Rows, in memory, in the order of ``_row``."""
        return rows.order("_row").to_arrow_table()

    def schema(self, name: str) -> pa.Schema:
        """Arrow schema of a named view or table."""
        return self.connection.sql(f"SELECT * FROM {name} LIMIT 0").to_arrow_table().schema

    def frame(self, name: str) -> Any:
        """A named view or table as a lazy Narwhals frame."""
        return nw.from_native(self.connection.table(name))

    def adapted(self, lifted: nw.Expr) -> nw.Expr:
        """The expression itself: DuckDB is the measure."""
        return lifted

    def select(self, frame: Any) -> list[tuple[Any, ...]]:
        """The few rows of a Narwhals frame."""
        found: list[tuple[Any, ...]] = nw.to_native(frame).fetchall()
        return found

    def candidates(self, rows: str, columns: list[str], *, into: str) -> str:
        """The rows whose whole number shares a run of 64 with a repeated one, or is missing; other keys stay all.

        Numbers given out in order fill runs: there is one group, and one word of bits, for 64 of them. A run with as
        many rows as bits has no number twice. That leaves few rows to group, or none, which are then not looked for.
        """
        if len(columns) != 1 or not self._is_integer(rows, columns[0]):
            return rows
        key = identifier(columns[0])
        bit = f"1::UBIGINT << ({key}::BIGINT & 63)::UBIGINT"
        self.keep(
            f"{into}_runs",
            f"SELECT {key}::BIGINT >> 6 AS run FROM {rows} "
            f"GROUP BY run HAVING run IS NULL OR count(*) <> bit_count(bit_or({bit}))",
        )
        ((runs,),) = self.fetch(f"SELECT count(*) FROM {into}_runs")
        shared = f"{key} IS NULL OR {key}::BIGINT >> 6 IN (SELECT run FROM {into}_runs)" if runs else "false"
        self.keep(into, f"SELECT * FROM {rows} WHERE {shared}")
        return into

    def remember(self, name: str, value: bytes) -> str:
        """SQL of some bytes that no query, plan or error spells out."""
        self.connection.execute(f"SET VARIABLE {name} = ?", [value])
        return f"getvariable('{name}')"

    def error_lists(self, name: str, query: str) -> tuple[str, str]:
        """Remember the errors of each combination of words in a variable.

        A number for each row and one list of lists: joined as a list each, half a large batch would not fit in memory.
        """
        kind = self.sql.error_list
        self.keep(name, f"SELECT *, row_number() OVER ()::INTEGER AS pattern FROM ({query})")
        self.connection.execute(
            f"SET VARIABLE {name} = (SELECT coalesce(list(_errors ORDER BY pattern), []::{kind}[]) FROM {name})"
        )
        return "p.pattern", f"coalesce(list_extract(getvariable('{name}'), w.pattern), CAST([] AS {kind}))"

    def _is_integer(self, rows: str, column: str) -> bool:
        """Whether a column holds whole numbers that fit 64 bits with a sign."""
        (kind,) = self.connection.sql(f"SELECT {identifier(column)} FROM {rows} LIMIT 0").types
        return str(kind) in INTEGERS - {"HUGEINT", "UBIGINT"}
