"""The SQL that a gate is made of, in the words of one engine."""

from typing import Any, Protocol

import pyarrow as pa

from readiness_pipelines.contracts.cleansing import ColumnStep


class Dialect(Protocol):
    """How one engine writes what a gate needs. What all engines write alike is written where it is needed."""

    name: str
    """The engine's name, for people."""

    way_out: str
    """What to do where the engine cannot judge something; "" where it can judge everything."""

    operations: frozenset[str] | None
    """Operations of Narwhals that mean the same here as on DuckDB; ``None`` for all.

    Where it is not ``None``, checks that need Pandera or Python are refused."""

    error_list: str
    """Type of ``_errors``: a list of rule, column and reason."""

    def pattern(self, pattern: str) -> str:
        """A regular expression that means here what the given one means to RE2.

        Raises:
            ValueError: A part that cannot be rewritten; its message names it.
        """
        ...

    def unwritable(self, value: Any) -> str:
        """Why the engine cannot compare with a plain value, for people; "" where it can."""
        ...

    def identifier(self, name: str) -> str:
        """Quote a column or table name."""
        ...

    def literal(self, text: str) -> str:
        """Quote a text value."""
        ...

    def type_name(self, kind: pa.DataType) -> str:
        """The engine's name for an Arrow type."""
        ...

    def value(self, value: Any) -> str:
        """A Python value that a schema gives as a default."""
        ...

    def as_type(self, value: str, *, arrived: pa.DataType, wanted: pa.DataType) -> str:
        """Read a value as another type; null where it is null or does not convert.

        Raises:
            GateBuildError: The engine would read it otherwise than DuckDB.
        """
        ...

    def as_known_type(self, value: str, *, arrived: pa.DataType, wanted: pa.DataType) -> str:
        """The same for values that are known to convert."""
        ...

    def cleansed(self, step: ColumnStep, value: str) -> str | None:
        """A cleansing step over a text value; ``None`` for a step that looks at the absence of a value alone.

        Raises:
            GateBuildError: The engine would do it otherwise than DuckDB.
        """
        ...

    def sha256(self, value: str) -> str:
        """SHA-256 of some bytes, in hexadecimal digits."""
        ...

    def utf8(self, value: str) -> str:
        """A text as bytes."""
        ...

    def positive(self, digits: str) -> str:
        """The first 63 bits of 16 hexadecimal digits, as a whole number."""
        ...

    def is_like(self, value: str, pattern: str) -> str:
        """Whether a text as a whole is like a regular expression that all engines read alike."""
        ...

    def error(self, rule: str, column: str | None, reason: str) -> str:
        """One entry of ``_errors``."""
        ...

    def unreadable_error(self, rule: str, reason: str) -> str:
        """One entry of ``_errors`` whose reason is SQL."""
        ...

    def errors(self, entries: list[str]) -> str:
        """The entries that are not null, as a list."""
        ...

    def least_rows(self, count: int, table: str, condition: str) -> str:
        """The least ``_row`` of a table that meet a condition, as a list in an aggregate over that table."""
        ...
