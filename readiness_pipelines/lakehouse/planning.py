"""Which data files a snapshot has of some batches: by the partition of each file, and without PyIceberg's expressions.

PyIceberg plans a scan of one batch in some 15 milliseconds, most of them for expressions over columns and for manifests
that it has read before. Every table here is partitioned by ``_batch`` alone, so that a batch's files are those of its
partition.
"""

from collections.abc import Collection

from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, ManifestContent, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.lakehouse.parsed import ParsedFiles

_LISTS: ParsedFiles[tuple[ManifestFile, ...]] = ParsedFiles(most=64)
_MANIFESTS: ParsedFiles[tuple[DataFile, ...]] = ParsedFiles(most=64)
"""Some hundred files each, of batches that came after each other."""


def data_files_of(table: Table, *, batches: Collection[str] | None, snapshot_id: int | None = None) -> list[DataFile]:
    """The data files that a snapshot has of some batches.

    Args:
        table: A table partitioned by ``_batch``.
        batches: The batches; ``None`` for all.
        snapshot_id: The snapshot; ``None`` for the current one.

    Raises:
        LakehouseError: It has delete files, which nobody here would apply, or is partitioned otherwise.
    """
    snapshot = table.current_snapshot() if snapshot_id is None else table.snapshot_by_id(snapshot_id)
    if snapshot is None:
        return []
    wanted = None if batches is None else frozenset(batches)
    name = ".".join(table.name())
    found = []
    for manifest in _manifests(snapshot, table.io):
        _check(manifest, table, name)
        if wanted is None or any(_may_hold(manifest, batch) for batch in wanted):
            found += [file for file in _files(manifest, table.io) if wanted is None or file.partition[0] in wanted]
    return found


def _manifests(snapshot: Snapshot, io: FileIO) -> tuple[ManifestFile, ...]:
    return _LISTS.get(snapshot.manifest_list, lambda: tuple(snapshot.manifests(io)))


def _files(manifest: ManifestFile, io: FileIO) -> tuple[DataFile, ...]:
    return _MANIFESTS.get(
        manifest.manifest_path, lambda: tuple(entry.data_file for entry in manifest.fetch_manifest_entry(io))
    )


def _check(manifest: ManifestFile, table: Table, name: str) -> None:
    if manifest.content == ManifestContent.DELETES:
        raise LakehouseError(
            f"{name} has delete files, written by another engine", way_out="rewrite its data files, then read it again"
        )
    fields = table.specs()[manifest.partition_spec_id].fields
    if [field.name for field in fields] != ["_batch"]:
        raise LakehouseError(
            f"{name} has files that are not partitioned by _batch alone, written by another engine",
            way_out="rewrite its data files, then read it again",
        )


def _may_hold(manifest: ManifestFile, batch: str) -> bool:
    """Whether a batch lies between the least and greatest one of a manifest, as far as it names them."""
    summary = manifest.partitions[0] if manifest.partitions else None
    if summary is None or summary.lower_bound is None or summary.upper_bound is None:
        return True
    return summary.lower_bound <= batch.encode() <= summary.upper_bound
