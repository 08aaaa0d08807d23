"""What staging and committing return."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place


class NothingToCommit(Exception):  # noqa: N818  # it says what is so, and is never shown
    """What marks raise where the table's properties say that the rows are not to be added; it reaches the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Rows of one batch in files that no snapshot names yet.

    Attributes:
        table: The table they are meant for.
        batch: The batch.
        files: Where they lie; none where there are no rows.
        rows: How many there are.
        schema: Stored schema of the rows; columns that the table lacks are added by the commit.
        field_ids: Iceberg field id of each column, as written into the files.
    """

    table: TableId
    batch: str
    files: tuple[str, ...]
    rows: int
    schema: pa.Schema
    field_ids: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingArea:
    """Where an engine writes the rows of one batch, as Parquet files that no snapshot names yet.

    Attributes:
        table: The table they are meant for.
        batch: The one batch that every row must name.
        folder: Where the files must lie.
        schema: The files' Arrow schema, with Iceberg's field ids.
        columns: Stored schema of the rows, without field ids.
        field_ids: Iceberg field id of each column.
        row_group_rows: How many rows a row group has.
    """

    table: TableId
    batch: str
    folder: Place
    schema: pa.Schema
    columns: pa.Schema
    field_ids: Mapping[str, int]
    row_group_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFiles:
    """Data files to read, and as what.

    Attributes:
        paths: The files; all below the place.
        place: Where the table's files lie.
        schema: Columns to read, null where a file lacks one; ``None`` for the columns that the files have.
        batches: The batches to keep, because a file may hold more; ``None`` keeps all.
    """

    paths: tuple[str, ...]
    place: Place
    schema: pa.Schema | None
    batches: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One snapshot of a table.

    Attributes:
        table: The table.
        snapshot_id: The snapshot.
        committed_at: When, in UTC.
        properties: Its summary: what the commit gave, and Iceberg's own counts.
    """

    table: TableId
    snapshot_id: int
    committed_at: datetime
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFileInfo:
    """One data file that a snapshot names."""

    path: str
    batch: str
    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFooter:
    """What the footers of some Parquet files say about a column; ``None`` for what they do not."""

    nulls: int
    minimum: Any
    maximum: Any
