"""Which batches have files that were not ingested yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.names import raw_table
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.sources import FileSet, file_sets

SETTLES_AFTER = timedelta(seconds=5)
"""A file that changed since is still being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A batch with new files; the digest tells this set of files from any other."""

    batch: str
    digest: str


def new_landings(path: DataPath, *, installation: Installation, now: datetime) -> tuple[Landed, ...]:
    """The batches that landed whole and were not ingested as they are, in order.

    Whole: every source of the path has a file, and none changed within the last `SETTLES_AFTER`. Files are not opened:
    one with another content, but the same size and an older time than its ingestion, is not noticed.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    tables = [table for table in path.tables if isinstance(table, GatedTable)]
    sets: list[Mapping[str, FileSet]] = []
    records: list[Mapping[str, BatchRecord]] = []
    for table in tables:
        sets.append({s.batch: s for s in file_sets(table.source.reader, landing=installation.landing)})
        known = installation.ledger.batches(path=path.name, table=str(raw_table(table)))
        records.append({record.ref.batch: record for record in known})
    whole = set.intersection(*(set(landed) for landed in sets)) if sets else set()
    found = []
    for batch in sorted(whole):
        landed = [of_table[batch] for of_table in sets]
        settled = all(one.changed_at <= now - SETTLES_AFTER for one in landed)
        new = any(_is_new(one, of_table.get(batch)) for one, of_table in zip(landed, records, strict=True))
        if settled and new:
            found.append(Landed(batch=batch, digest="-".join(one.digest for one in landed)))
    return tuple(found)


def _is_new(landed: FileSet, record: BatchRecord | None) -> bool:
    if record is None or not record.files:
        return True
    ingested = {file.path: file.size_bytes for file in record.files}
    return ingested != dict(landed.sizes) or landed.changed_at > record.updated_at
