"""An Iceberg table that another engine lands: its snapshots from old to new, and the rows that each of them added."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.manifest import DataFile, DataFileContent, ManifestContent, ManifestEntry, ManifestEntryStatus
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot

from readiness_pipelines.errors import LakehouseError, StreamError, first_line
from readiness_pipelines.lakehouse.catalogs import DAMAGED, UNREACHABLE, open_catalog
from readiness_pipelines.lakehouse.upstream import files_with_deleted_rows, rows_of_file
from readiness_pipelines.masking import quoted
from readiness_pipelines.storage import Place

_GONE = (*DAMAGED, *UNREACHABLE, pa.ArrowException)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedSnapshot:
    """One commit of the other engine.

    Attributes:
        id: Its id.
        parent: The one before it; ``None`` for the first.
        sequence: Its number among all; 0 where the table's format has none.
        committed_ms: When it was made, in milliseconds since 1970.
        added: How many rows it added, as it says itself; 0 where it does not.
        total: How many rows the table had then, as it says itself; ``None`` where it does not.
    """

    id: int
    parent: int | None
    sequence: int
    committed_ms: int
    added: int
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFiles:
    """What a snapshot did.

    Attributes:
        files: The data files that it added, or, of the table as a whole, that it has; always in the same order.
        changes: Why rows of before are other ones since; "" where none are.
    """

    files: tuple[DataFile, ...] = ()
    changes: str = ""

    @property
    def rows(self) -> int:
        """How many rows the files have."""
        return sum(file.record_count for file in self.files)


class LandedSnapshots:
    """A table of another engine, read by its snapshots.

    Args:
        name: The table, as ``namespace.table``.
        catalog: The catalog that has it.
    """

    def __init__(self, name: str, catalog: Catalog) -> None:
        self._name, self._catalog = name, catalog
        self._loaded: Table | None = None

    @classmethod
    def open(cls, name: str, *, catalog: str, own: str, warehouse: Place) -> "LandedSnapshots":
        """Open the catalog that has a table.

        Args:
            name: The table, as ``namespace.table``.
            catalog: The catalog's name in PyIceberg's own configuration; "" for the installation's.
            own: Where the installation's is.
            warehouse: Where the installation's files lie.

        Raises:
            StreamError: The catalog does not answer, or nobody knows of it.
        """
        try:
            return cls(name, load_catalog(catalog) if catalog else open_catalog(own, warehouse))
        except (*UNREACHABLE, ValueError) as error:
            raise StreamError(
                f"the catalog {catalog or 'of this installation'} of the landed table {name} cannot be opened: "
                f"{first_line(error)}",
                way_out=f"PyIceberg's own configuration says where it is: PYICEBERG_CATALOG__{catalog.upper()}__URI=…",
            ) from error

    @property
    def _table(self) -> Table:
        return self._loaded or self.look()

    def look(self) -> Table:
        """Look at the table as it is now.

        Raises:
            StreamError: There is no such table.
            LakehouseError: The catalog does not answer.
        """
        with self._reached():
            try:
                self._loaded = self._catalog.load_table(self._name)
            except NoSuchTableError as error:
                raise StreamError(
                    f"there is no landed table {self._name}",
                    way_out="check its name and its catalog, or let the other engine make it; then start the stream",
                ) from error
        return self._loaded

    @property
    def uuid(self) -> UUID:
        """What tells it from one of the same name that was made anew."""
        return self._table.metadata.table_uuid

    @property
    def current(self) -> LandedSnapshot | None:
        """The newest snapshot; ``None`` where there is none yet."""
        snapshot = self._table.current_snapshot()
        return None if snapshot is None else _described(snapshot)

    def snapshot(self, id_: int) -> LandedSnapshot | None:
        """A snapshot by its id; ``None`` where it is not there any more."""
        snapshot = self._table.metadata.snapshot_by_id(id_)
        return None if snapshot is None else _described(snapshot)

    def after(self, id_: int) -> tuple[LandedSnapshot, ...]:
        """The snapshots from old to new that led from one to the newest, without that one.

        The parent of the first is that one where nothing is missing between them.
        """
        found: list[LandedSnapshot] = []
        snapshot = self._table.current_snapshot()
        while snapshot is not None and snapshot.snapshot_id != id_:
            found.append(_described(snapshot))
            parent = snapshot.parent_snapshot_id
            snapshot = None if parent is None else self._table.metadata.snapshot_by_id(parent)
        return tuple(reversed(found))

    def files(self, id_: int, *, whole: bool = False) -> SnapshotFiles:
        """What a snapshot did.

        Args:
            id_: The snapshot.
            whole: Give all rows that the table had then, not those that it added.

        Raises:
            LakehouseError: It is not there any more, or cannot be read.
        """
        with self._reached():
            snapshot = self._snapshot(id_)
            if not whole and snapshot.summary is not None and snapshot.summary.operation is Operation.REPLACE:
                return SnapshotFiles()  # other files with the same rows
            return self._all_files(snapshot) if whole else self._added_files(snapshot)

    def rows(self, id_: int, file: DataFile) -> Iterator[pa.RecordBatch]:
        """A file's rows, in their order, with the columns that the table had at a snapshot.

        Raises:
            LakehouseError: It is not there any more, or cannot be read.
        """
        with self._reached():
            number = self._snapshot(id_).schema_id
            schema = self._table.schema() if number is None else self._table.schemas()[number]
            yield from rows_of_file(self._table, schema, file)

    def _snapshot(self, id_: int) -> Snapshot:
        snapshot = self._table.metadata.snapshot_by_id(id_)
        if snapshot is None:
            raise LakehouseError(f"snapshot {id_} of the landed table {self._name} is not there any more")
        return snapshot

    def _entries(self, snapshot: Snapshot, *, own: bool) -> Iterator[tuple[ManifestContent, ManifestEntry]]:
        """What manifests list: all that a snapshot has, or what it has changed itself."""
        io = self._table.io
        for manifest in snapshot.manifests(io):
            if own and manifest.added_snapshot_id != snapshot.snapshot_id:
                continue
            for entry in manifest.fetch_manifest_entry(io, discard_deleted=not own):
                if not own or (
                    entry.snapshot_id == snapshot.snapshot_id and entry.status != ManifestEntryStatus.EXISTING
                ):
                    yield manifest.content, entry

    def _added_files(self, snapshot: Snapshot) -> SnapshotFiles:
        added, removed, deletes = [], 0, 0
        for content, entry in self._entries(snapshot, own=True):
            if entry.status == ManifestEntryStatus.DELETED:
                removed += content == ManifestContent.DATA
            elif content == ManifestContent.DELETES:
                deletes += 1
            else:
                added.append(entry)
        reasons = [
            *([f"it takes {removed:,} data files away"] if removed else []),
            *([f"it adds {deletes:,} delete files"] if deletes else []),
        ]
        return SnapshotFiles(files=_in_order(added), changes=" and ".join(reasons))

    def _all_files(self, snapshot: Snapshot) -> SnapshotFiles:
        found = list(self._entries(snapshot, own=False))
        entries = [entry for content, entry in found if content == ManifestContent.DATA]
        there = {entry.data_file.file_path: entry.sequence_number or 0 for entry in entries}
        deletes = sum(self._deletes(entry, there) for content, entry in found if content == ManifestContent.DELETES)
        files = _in_order(entries)
        return SnapshotFiles(files=files, changes=f"{deletes:,} delete files are in force" if deletes else "")

    def _deletes(self, entry: ManifestEntry, there: Mapping[str, int]) -> bool:
        """Whether a delete file is about rows that are there: compaction leaves behind those that are not any more.

        Args:
            entry: The delete file.
            there: The data files that are there, with their numbers in the order of commits.
        """
        number, file = entry.sequence_number or 0, entry.data_file
        if file.content == DataFileContent.EQUALITY_DELETES:
            return any(data < number for data in there.values())
        older = {path for path, data in there.items() if data <= number}
        return bool(older) and not older.isdisjoint(files_with_deleted_rows(self._table.io, file))

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except _GONE as error:
            raise LakehouseError(
                f"the landed table {self._name} cannot be read: {quoted(error)}",
                way_out="check that its catalog and its files can be reached; then start the stream: nothing is lost",
            ) from error


def _described(snapshot: Snapshot) -> LandedSnapshot:
    summary = snapshot.summary
    total = summary.additional_properties.get("total-records") if summary is not None else None
    added = summary.additional_properties.get("added-records") if summary is not None else None
    return LandedSnapshot(
        id=snapshot.snapshot_id,
        parent=snapshot.parent_snapshot_id,
        sequence=snapshot.sequence_number or 0,
        committed_ms=snapshot.timestamp_ms,
        added=int(added or 0),
        total=None if total is None else int(total),
    )


def _in_order(entries: Sequence[ManifestEntry]) -> tuple[DataFile, ...]:
    """The files of entries from old to new, as far as the table's format says; of one commit by their names."""
    ordered = sorted(entries, key=lambda entry: (entry.sequence_number or 0, entry.data_file.file_path))
    return tuple(entry.data_file for entry in ordered)
