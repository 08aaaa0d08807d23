"""Contents: what the commits that the ledger knows put into the tables, to be held against what is there."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.ledger.keys import batch_key, batch_of, in_tables, is_batch
from readiness_pipelines.ledger.tables import CONTENTS
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContents:
    """A data file of a batch, as it was committed.

    Attributes:
        path: Its name in the table's folder of data.
        size_bytes: Its size.
        sha256: SHA-256 of its bytes, as hexadecimal digits.
        rows: How many rows it has.
    """

    path: str
    size_bytes: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContents:
    """What an Iceberg table has of a batch, as it was committed last.

    Attributes:
        ref: The batch, of the Iceberg table: raw, published, quarantine or versions.
        snapshot: The snapshot that put it there.
        rows: How many rows there are.
        digest: The rows' digest, which does not depend on their order, after the way in which it was made.
        files: The files that hold them.
    """

    ref: BatchRef
    snapshot: int
    rows: int
    digest: str
    files: tuple[FileContents, ...]


def keep_contents(connection: Connection, contents: Collection[BatchContents]) -> None:
    """Put the contents of some batches in place of what was kept of them."""
    for one in contents:
        connection.execute(delete(CONTENTS).where(is_batch(CONTENTS, one.ref)))
        files = [asdict(file) for file in one.files]
        values = {"snapshot": one.snapshot, "row_count": one.rows, "digest": one.digest, "files": files}
        connection.execute(insert(CONTENTS).values(**batch_key(one.ref), **values))


def contents_of(connection: Connection, tables: Collection[TableId]) -> Mapping[BatchRef, BatchContents]:
    """The contents of the batches of some Iceberg tables; none of those committed before contents were kept."""
    rows = connection.execute(select(CONTENTS).where(in_tables(CONTENTS, tables)))
    return {batch_of(row): _contents(row) for row in rows}


def contents_of_batch(connection: Connection, ref: BatchRef) -> BatchContents | None:
    """The contents of one batch of an Iceberg table; ``None`` where none are kept."""
    row = connection.execute(select(CONTENTS).where(is_batch(CONTENTS, ref))).one_or_none()
    return None if row is None else _contents(row)


def _contents(row: Any) -> BatchContents:
    return BatchContents(
        ref=batch_of(row),
        snapshot=row.snapshot,
        rows=row.row_count,
        digest=row.digest,
        files=tuple(FileContents(**file) for file in row.files),
    )
