"""What a table keeps of its past: snapshots that nobody needs are expired, and files that nothing names are removed."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from readiness_pipelines.lakehouse.upstream import Change, expire_snapshots
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place, bare

MOST_SNAPSHOTS = 50
"""What a commit costs grows with the snapshots that the table keeps: a commit that finds more expires the oldest."""

KEPT_SNAPSHOTS = 30
"""So many are left, so that only every twentieth commit has to."""


MANY_MANIFESTS = 20
"""Fewer are not worth a commit."""

UPKEEP = {"readiness.upkeep": "manifests merged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """What maintenance did to a table.

    Attributes:
        table: The table.
        expired_snapshots: Snapshots that were expired.
        kept_snapshots: Snapshots that are left.
        removed_files: Files that nothing named any more.
        removed_bytes: Their size.
        left_files: When those files were changed that nothing names and that stay, as they may be staged.
    """

    table: TableId
    expired_snapshots: int
    kept_snapshots: int
    removed_files: int
    removed_bytes: int
    left_files: tuple[datetime, ...]


def expire(table: Table, *, before: datetime, most: int) -> int:
    """Expire the snapshots made before a time, and all but the newest `most`; the current one stays.

    Returns:
        How many were expired.
    """
    newest_first = sorted(table.snapshots(), key=lambda snapshot: snapshot.timestamp_ms, reverse=True)
    current = table.metadata.current_snapshot_id
    limit = before.timestamp() * 1000
    gone = [
        snapshot.snapshot_id
        for place, snapshot in enumerate(newest_first)
        if (place >= most or snapshot.timestamp_ms < limit) and snapshot.snapshot_id != current
    ]
    if gone:
        expire_snapshots(table, gone)
    return len(gone)


def merge_manifests(table: Table) -> None:
    """Merge the manifests that commits have left, one or two each: reading a table starts with reading them all."""
    current = table.current_snapshot()
    if current is not None and len(current.manifests(table.io)) >= MANY_MANIFESTS:
        _write_manifests(table, current)


def drop_deleted_entries(table: Table) -> None:
    """Write the manifests without the entries of deleted files: those keep their least and greatest values."""
    current = table.current_snapshot()
    if current is not None:
        _write_manifests(table, current)


def _write_manifests(table: Table, current: Snapshot) -> None:
    """Write the manifests anew. What the newest snapshot says of its delivery is said again: it is it no more."""
    said = dict(current.summary.additional_properties) if current.summary else {}
    kept = {name: value for name, value in said.items() if name.startswith("readiness.")}
    with Change(table) as change, change.update_snapshot(snapshot_properties={**kept, **UPKEEP}).merge_append():
        pass


def tidy(table: Table) -> None:
    """Expire the oldest snapshots, and merge the manifests, of a table that has collected too many snapshots.

    The next commit does what this one cannot: the batch is committed, whatever happens here.
    """
    if len(table.snapshots()) > MOST_SNAPSHOTS:
        with suppress(Exception):
            merge_manifests(table)
            expire(table, before=datetime.fromtimestamp(0, tz=UTC), most=KEPT_SNAPSHOTS)


def remove_orphans(
    table: Table, place: Place, *, before: datetime, age: timedelta
) -> tuple[int, int, tuple[datetime, ...]]:
    """Remove the files below the table's location that no snapshot and no kept metadata names.

    Args:
        table: The table as it is now.
        place: Where its files lie.
        before: Files changed at this time or later stay, whoever names them: a running delivery may have staged them.
        age: So do files that are not so much older than the newest one. That is told by the storage's own clock, and
            holds also where this machine's, or a delivery's, is wrong.

    Returns:
        How many were removed, and their size in bytes; and when those were changed that stay.
    """
    named = {bare(path) for path in _named(table)}
    count = size = 0
    left = []
    files = tuple(place.files())
    before = min(before, max((file.changed_at for file in files), default=before) - age)
    for file in files:
        if bare(file.uri) in named:
            continue
        if file.changed_at < before:
            place.remove(file.name)
            count, size = count + 1, size + file.size_bytes
        else:
            left.append(file.changed_at)
    return count, size, tuple(left)


def _named(table: Table) -> Iterator[str]:
    """Every file that the table's metadata leads to."""
    yield table.metadata_location
    yield from (entry.metadata_file for entry in table.metadata.metadata_log)
    manifests: dict[str, ManifestFile] = {}
    for snapshot in table.snapshots():
        yield snapshot.manifest_list
        manifests |= {manifest.manifest_path: manifest for manifest in snapshot.manifests(table.io)}
    for path, manifest in manifests.items():
        yield path
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            yield entry.data_file.file_path
