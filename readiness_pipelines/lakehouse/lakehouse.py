"""The tables: an Iceberg catalog and its warehouse."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import (
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from readiness_pipelines.errors import LakehouseError, first_line
from readiness_pipelines.lakehouse.arrow_files import ROW_GROUP_ROWS
from readiness_pipelines.lakehouse.catalogs import UNREACHABLE, open_catalog
from readiness_pipelines.lakehouse.clones import ClonedTables
from readiness_pipelines.lakehouse.commits import ATTEMPT, BATCH, RUN, append_rows, as_commit, replace_batch
from readiness_pipelines.lakehouse.digests import (
    DATA_FILE,
    NO_ROWS,
    FileDigest,
    RowsDigest,
    digest_by_batch,
    digest_by_file,
    digest_file,
)
from readiness_pipelines.lakehouse.homes import Homes
from readiness_pipelines.lakehouse.locks import batch_turn, commit_turn, turns_of
from readiness_pipelines.lakehouse.maintenance import (
    Maintained,
    drop_deleted_entries,
    expire,
    merge_manifests,
    remove_orphans,
)
from readiness_pipelines.lakehouse.reaching import reaching_catalog, reading_metadata
from readiness_pipelines.lakehouse.reading import arrow_schema, no_rows, planned_files, read_files
from readiness_pipelines.lakehouse.records import ColumnFooter, Commit, DataFileInfo, PlannedFiles, Staged, StagingArea
from readiness_pipelines.lakehouse.staging import count_staged, footers, rows_in, write_arrow, write_staged
from readiness_pipelines.lakehouse.turns import Turns
from readiness_pipelines.lakehouse.types import storage_schema
from readiness_pipelines.lakehouse.upstream import (
    Marks,
    OtherType,
    evolved_schema,
    numbered,
    partitioned_by,
    refused_types,
    register_clone,
)
from readiness_pipelines.masking import quoted
from readiness_pipelines.names import TableId
from readiness_pipelines.sql import literal
from readiness_pipelines.storage import Place

TABLE_PROPERTIES = {
    # A commit costs what the table keeps of earlier ones: drop old metadata files, merge small manifests.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    # Small ones, of batches that came after each other, so that reading one batch opens one or two of them.
    "commit.manifest.target-size-bytes": "65536",
    # Never zero: with none, a commit that landed but was reported as failed deletes manifests in use.
    "commit.retry.num-retries": "10",
    "commit.retry.min-wait-ms": "20",
    "commit.retry.max-wait-ms": "500",
    "write.parquet.compression-codec": "zstd",
}

LOCK_WAIT_SECONDS = 3600
"""The longest wait for another process's turn, unless the settings say otherwise: it may deliver a large batch."""


class Lakehouse:
    """Iceberg tables, each partitioned by ``_batch``; one commit replaces one batch.

    Attributes:
        homes: Where the tables' files lie.
    """

    def __init__(
        self,
        catalog: Catalog,
        homes: Homes,
        turns: Turns,
        lock_wait_seconds: float,
        cloned: ClonedTables | None = None,
    ) -> None:
        self._catalog = catalog
        self.homes = homes
        self._turns = turns
        self._lock_wait_seconds = lock_wait_seconds
        self._cloned = cloned

    @classmethod
    def open(
        cls,
        *,
        catalog_url: str,
        warehouse: Place,
        restricted: Place | None = None,
        turns_url: str | None = None,
        lock_wait_seconds: float = LOCK_WAIT_SECONDS,
    ) -> "Lakehouse":
        """Open a catalog, and create it where it is missing.

        Args:
            catalog_url: SQLAlchemy URL of the catalog's database, or the ``http(s)://`` address of a REST catalog.
            warehouse: Where the tables' files lie.
            restricted: Where those of raw rows and quarantine lie; ``None`` for the same place.
            turns_url: SQLAlchemy URL of the database whose users wait for each other's turn; ``None`` for the
                catalog's. A REST catalog has none.
            lock_wait_seconds: The longest wait for another process's turn.

        Raises:
            LakehouseError: The catalog or the database cannot be reached, or the warehouse cannot be made.
        """
        homes = Homes(published=warehouse, restricted=restricted)
        try:
            homes.make()
            turns = turns_of(turns_url or catalog_url, warehouse)
            catalog = open_catalog(catalog_url, warehouse)
        except UNREACHABLE as error:
            raise LakehouseError(
                f"the Iceberg catalog cannot be opened: {first_line(error)}",
                way_out="check READINESS_CATALOG_URL and READINESS_WAREHOUSE, and that their servers answer",
            ) from error
        return cls(catalog, homes, turns, lock_wait_seconds)

    def clone(
        self,
        tables: Iterable[TableId],
        *,
        suffix: str,
        folder: str | None = None,
        catalog_url: str | None = None,
    ) -> "Lakehouse":
        """Shallow clones of some tables, under their own names: what is committed there leaves the tables as they are.

        A clone begins as the table is now, with its snapshots, and shares its files. Raw tables are not cloned: they
        are read where they are, and refuse to be written to.

        Args:
            tables: The tables; those that are not there are made as they are needed.
            suffix: Ends the namespaces in which the clones are: ``__dev`` for ``shop__dev.orders``.
            folder: Where in the warehouse the clones' own files lie; ``None`` for beside the tables.
            catalog_url: A catalog of their own; ``None`` for the one of the tables.

        Raises:
            LakehouseError: A table cannot be read, or the warehouse cannot be written to.
        """
        homes = self.homes if folder is None else self.homes / folder
        there = [(table, self._load(table)) for table in tables if not table.is_raw and self.exists(table)]
        catalog, turns = self._catalog, self._turns
        try:
            if catalog_url is not None:
                homes.make()
                catalog = open_catalog(catalog_url, self.warehouse)
                turns = turns_of(catalog_url, homes.published)
            cloned = ClonedTables(suffix=suffix, homes=homes, original=self)
            for table, loaded in there:
                register_clone(loaded, catalog, cloned.name(table), cloned.place(table))
        except UNREACHABLE as error:
            raise LakehouseError(
                f"the tables cannot be cloned: {first_line(error)}",
                way_out=f"make room or give permission under {homes.published}, and see that the catalog answers; "
                "then run it again: nothing was changed",
            ) from error
        return Lakehouse(catalog, self.homes, turns, self._lock_wait_seconds, cloned)

    def drop(self, suffix: str) -> tuple[TableId, ...]:
        """Drop the clones in the namespaces that end so, with the files that are their own; which they were.

        Raises:
            LakehouseError: The catalog does not answer, or files cannot be removed.
        """
        dropped = tuple(table for table in self.tables() if table.in_environment and table.domain.endswith(suffix))
        namespaces = tuple(dict.fromkeys(table.domain for table in dropped))
        for table in dropped:
            with self._reaching(str(table)):
                self._catalog.drop_table(str(table))
        for namespace in namespaces:
            with self._reaching(namespace):
                self._catalog.drop_namespace(namespace)
            for place in self.homes.places:
                try:
                    (place / namespace).remove_all()
                except OSError as error:
                    raise LakehouseError(
                        f"the files of {namespace} cannot be removed: {first_line(error)}",
                        way_out=f"remove {place / namespace}: nothing names what is in it",
                    ) from error
        return dropped

    @property
    def warehouse(self) -> Place:
        """Where the files of the tables lie that consumers read."""
        return self.homes.published

    def exists(self, table: TableId) -> bool:
        """Whether the table is there.

        Raises:
            LakehouseError: The catalog does not answer, or the table's metadata cannot be read.
        """
        if self._reads_through(table):
            return self._original.exists(table)
        with reading_metadata(table), self._reaching(str(table)):
            return self._catalog.table_exists(self._name(table))

    def tables(self) -> tuple[TableId, ...]:
        """All tables, in order."""
        with self._reaching("the list of tables"):
            return tuple(
                sorted(
                    TableId(*identifier)
                    for namespace in self._catalog.list_namespaces()
                    for identifier in self._catalog.list_tables(namespace)
                )
            )

    def schema(self, table: TableId) -> pa.Schema:
        """Arrow schema of the table as it is now."""
        return arrow_schema(self._load(table).schema())

    def refused_types(self, table: TableId, columns: pa.Schema) -> tuple[OtherType, ...]:
        """The columns that the table has of a type which cannot become the one given; none where it is not there.

        Raises:
            LakehouseError: A type that cannot be stored, or metadata that cannot be read.
        """
        return refused_types(self._load(table), storage_schema(columns)) if self.exists(table) else ()

    def ensure(self, table: TableId, schema: pa.Schema) -> None:
        """Create the table, partitioned by ``_batch``, unless it is there; an existing table is left as it is.

        Raises:
            LakehouseError: A column of a type that cannot be stored, no ``_batch``, or rows at the table's place that
                the catalog knows nothing of.
        """
        if self.exists(table):
            return
        stored = storage_schema(schema)
        if "_batch" not in stored.names:
            raise LakehouseError(f"{table} cannot be created without a column _batch")
        with reading_metadata(table):
            files = tuple((self._location(table) / "data").files())
        if any(file.name.endswith(".parquet") for file in files):
            raise LakehouseError(
                f"the catalog has no table {table}, but its files are in {self._location(table)}: the catalog was "
                "lost, or is another one",
                way_out="check READINESS_CATALOG_URL or restore the catalog; to begin anew, move the files away",
            )
        # Another process may have been faster, here or on another machine.
        others_won = suppress(NamespaceAlreadyExistsError, TableAlreadyExistsError)
        with self._commit_turn(table), self._reaching(str(table)), others_won:
            self._catalog.create_namespace_if_not_exists(self._name(table).partition(".")[0])
            if not self.exists(table):
                self._create(table, stored)

    def _create(self, table: TableId, stored: pa.Schema) -> None:
        # At once: a transaction copies all columns for each of its parts, of 2,000 for a second.
        columns = numbered(stored)
        self._catalog.create_table(
            self._name(table),
            schema=columns,
            location=str(self._location(table)),
            partition_spec=partitioned_by(columns, "_batch"),
            properties=TABLE_PROPERTIES,
        )

    def stage(
        self,
        table: TableId,
        rows: duckdb.DuckDBPyRelation | pa.RecordBatchReader,
        *,
        batch: str,
        schema: pa.Schema,
    ) -> Staged:
        """Write rows into files that no snapshot names; nobody sees them until `replace`.

        Args:
            table: An existing table.
            rows: The rows, all of one batch; streamed. Those that come as Arrow have the columns of the schema in their
                order, by whatever name, in the types that they are stored as; see `as_they_are`.
            batch: The batch.
            schema: Arrow schema of the rows. Columns that the table lacks are added when they are committed.

        Raises:
            LakehouseError: A type that cannot be stored, a row of another batch, or files that cannot be written.
        """
        loaded = self._load(table)
        columns = storage_schema(schema)
        evolved = evolved_schema(loaded, columns)
        place = self._location(table)
        if isinstance(rows, pa.RecordBatchReader):
            files, count = write_arrow(loaded, place, rows, batch=batch, columns=columns, schema=evolved)
        else:
            files, count = write_staged(loaded, place, rows, batch=batch, columns=columns, schema=evolved)
        ids = {name: evolved.find_field(name).field_id for name in columns.names}
        return Staged(table=table, batch=batch, files=files, rows=count, schema=columns, field_ids=ids)

    def staging_area(self, table: TableId, *, batch: str, schema: pa.Schema) -> StagingArea:
        """Where an engine may write the rows of a batch itself, for `accept`.

        Args:
            table: An existing table.
            batch: The batch.
            schema: Arrow schema of the rows. Columns that the table lacks are added when they are committed.

        Raises:
            LakehouseError: A type that cannot be stored.
        """
        columns = storage_schema(schema)
        evolved = evolved_schema(self._load(table), columns)
        return StagingArea(
            table=table,
            batch=batch,
            folder=self._location(table) / "data",
            schema=schema_to_pyarrow(evolved.select(*columns.names)),
            columns=columns,
            field_ids={name: evolved.find_field(name).field_id for name in columns.names},
            row_group_rows=ROW_GROUP_ROWS,
        )

    def accept(self, area: StagingArea, files: Sequence[str]) -> Staged:
        """Check the files that an engine wrote into a staging area; they are then staged as if by `stage`.

        Raises:
            LakehouseError: A file outside the area, with other columns, or with a row of another batch or of none.
        """
        rows = count_staged(area, files)
        return Staged(
            table=area.table,
            batch=area.batch,
            files=tuple(files),
            rows=rows,
            schema=area.columns,
            field_ids=area.field_ids,
        )

    def footers(self, staged: Staged) -> Mapping[str, ColumnFooter]:
        """What the footers of staged files say about their columns, without reading a row."""
        return footers(self._location(staged.table), staged.files)

    def staged_rows(self, connection: duckdb.DuckDBPyConnection, staged: Staged) -> duckdb.DuckDBPyRelation:
        """Staged rows, read back from where they lie."""
        if not staged.files:
            return connection.from_arrow(staged.schema.empty_table())
        return connection.sql(f"SELECT * FROM {_parquet(staged.files)}")

    def digest_staged(self, connection: duckdb.DuckDBPyConnection, staged: Staged) -> RowsDigest:
        """The digest of staged rows, as the files have them."""
        return digest_by_batch(connection, _parquet(staged.files)).get(staged.batch, NO_ROWS)

    def staged_files(self, staged: Staged) -> tuple[tuple[FileDigest, int], ...]:
        """The digest of the bytes of each staged file, and how many rows it has.

        Raises:
            LakehouseError: A file cannot be read.
        """
        place = self._location(staged.table)
        names = [file.removeprefix(f"{place}/") for file in staged.files]
        try:
            return tuple((digest_file(place, name), rows_in(place, name)) for name in names)
        except OSError as error:
            raise LakehouseError(
                f"what was staged of batch {staged.batch!r} for {staged.table} cannot be read: {quoted(error)}",
                way_out="run the batch again: nothing was published",
            ) from error

    def digest_data_file(self, table: TableId, file: DataFileInfo) -> FileDigest:
        """The digest of a data file's bytes, as they are now.

        Raises:
            LakehouseError: It is not there, or cannot be read.
        """
        try:
            return digest_file(self._location(table), self._name_of(table, file))
        except OSError as error:
            raise LakehouseError(f"the data file {file.path} of {table} cannot be read: {quoted(error)}") from error

    def read(
        self, connection: duckdb.DuckDBPyConnection, table: TableId, files: Sequence[DataFileInfo]
    ) -> duckdb.DuckDBPyRelation:
        """Read some data files of a table lazily, with the columns that they have.

        Raises:
            LakehouseError: One of them is not there or not a Parquet file.
        """
        if not files:
            return no_rows(connection, self._load(table).schema())
        try:
            return read_files(connection, tuple(files), schema=None, batches=None)
        except duckdb.Error as error:
            raise LakehouseError(f"data files of {table} cannot be read: {quoted(error)}") from error

    def digests(
        self, connection: duckdb.DuckDBPyConnection, table: TableId, files: Sequence[DataFileInfo]
    ) -> Mapping[tuple[str, str], RowsDigest]:
        """The digest of the rows of each batch in each of some data files, by the file's path.

        Raises:
            LakehouseError: One of them cannot be read.
        """
        if not files:
            return {}
        try:
            return digest_by_file(connection, _parquet([file.path for file in files], name_files_as=DATA_FILE))
        except duckdb.Error as error:
            raise LakehouseError(f"data files of {table} cannot be read: {quoted(error)}") from error

    def turn(self, table: str, batch: str, *, run_id: str = "") -> AbstractContextManager[None]:
        """Wait until no other process that shares the catalog delivers the batch, and hold the place.

        Args:
            table: The batch's table.
            batch: The batch.
            run_id: The run that delivers it: those who wait are told.

        Raises:
            LakehouseBusyError: Another process has delivered it for longer than is waited; names it.
            LakehouseError: Where turns are kept cannot be reached or written to.
        """
        return batch_turn(self._turns, table, batch, wait_seconds=self._lock_wait_seconds, run_id=run_id)

    def _commit_turn(self, table: TableId, *, run_id: str = "") -> AbstractContextManager[None]:
        return commit_turn(
            self._turns, TableId.parse(self._name(table)), wait_seconds=self._lock_wait_seconds, run_id=run_id
        )

    def replace(
        self,
        table: TableId,
        staged: Staged,
        *,
        properties: Mapping[str, str],
        confirm: Callable[[], None] = lambda: None,
        whole: bool = False,
        marks: Marks | None = None,
    ) -> Commit:
        """Publish staged rows in one snapshot that replaces what the table had of the batch, or all that it had.

        Committing the same attempt (property ``readiness.attempt``) twice commits once.

        Args:
            table: An existing table.
            staged: The rows.
            properties: Joins the snapshot's summary.
            confirm: Called when the table is loaded, before it is changed; raises where that must not happen any more.
            whole: Replace all that the table has, not only the batch.
            marks: Table properties to set in the same commit, made of those that the table has at each try.

        Raises:
            CommitConflictError: Another commit changed the same batch, or the schema, meanwhile.
            CommitUnknownError: The catalog could not be reached, and it is not known whether the commit landed.
            LakehouseBusyError: Another process has been committing to the table for longer than is waited.
        """
        if self._reads_through(table):
            raise LakehouseError(f"{table} is read through a clone, which must not be written to")
        with self._commit_turn(table, run_id=properties.get(RUN, "")):
            return replace_batch(lambda: self._load(table), staged, properties, confirm, whole=whole, marks=marks)

    def append(
        self, table: TableId, staged: Staged | None, *, properties: Mapping[str, str], marks: Marks | None = None
    ) -> Commit:
        """Add staged rows to what a table has of their batch, in one snapshot, and set table properties with it.

        Committing the same attempt (property ``readiness.attempt``) twice commits once.

        Args:
            table: An existing table.
            staged: The rows; ``None`` for a snapshot without new rows, after which others look at the properties again.
            properties: Joins the snapshot's summary.
            marks: Table properties to set, made of those that the table has at each try; raises where rows must not be
                added any more.

        Raises:
            CommitConflictError: Another commit changed the schema meanwhile.
            CommitUnknownError: The catalog could not be reached, and it is not known whether the commit landed.
            LakehouseBusyError: Another process has been committing to the table for longer than is waited.
        """
        if self._reads_through(table):
            raise LakehouseError(f"{table} is read through a clone, which must not be written to")
        rows = staged or Staged(table=table, batch="", files=(), rows=0, schema=pa.schema([]), field_ids={})
        with self._commit_turn(table, run_id=properties.get(RUN, "")):
            return append_rows(lambda: self._load(table), rows, properties, marks)

    def properties(self, table: TableId) -> Mapping[str, str]:
        """The properties that were set on a table.

        Raises:
            LakehouseError: No such table.
        """
        return dict(self._load(table).metadata.properties)

    def files(
        self, table: TableId, *, batch: str | Sequence[str] | None = None, snapshot_id: int | None = None
    ) -> tuple[DataFileInfo, ...]:
        """The data files of a snapshot (the current one where none is given), of one batch, of several, or of all."""
        batches = (batch,) if isinstance(batch, str) else batch
        return self._planned(self._load(table), table, batches, snapshot_id)

    def relation(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: TableId,
        *,
        batch: str | Sequence[str] | None = None,
        snapshot_id: int | None = None,
        or_current: bool = False,
        as_arrived: bool = False,
    ) -> duckdb.DuckDBPyRelation:
        """Read a table lazily with DuckDB.

        Args:
            connection: Where the relation lives.
            table: The table.
            batch: One batch, or several; ``None`` for all.
            snapshot_id: As of this snapshot; ``None`` for now.
            or_current: Read the table as it is now where that snapshot has expired. What a batch holds now is what its
                last commit made of it.
            as_arrived: Give the columns that the files have, instead of all that the table has.

        Raises:
            LakehouseError: No such table or snapshot.
        """
        loaded = self._load(table)
        snapshot_id = _known(loaded, snapshot_id) if or_current else snapshot_id
        batches = (batch,) if isinstance(batch, str) else batch
        files = self._planned(loaded, table, batches, snapshot_id)
        if not files:
            return no_rows(connection, loaded.schema())
        return read_files(connection, files, schema=None if as_arrived else loaded.schema(), batches=batches)

    def plan(
        self,
        table: TableId,
        *,
        batch: str | Sequence[str] | None = None,
        snapshot_id: int | None = None,
        or_current: bool = False,
        as_arrived: bool = False,
    ) -> PlannedFiles:
        """The files that another engine reads, and as what; see `relation`.

        Raises:
            LakehouseError: No such table or snapshot.
        """
        loaded = self._load(table)
        snapshot_id = _known(loaded, snapshot_id) if or_current else snapshot_id
        batches = None if batch is None else (batch,) if isinstance(batch, str) else tuple(batch)
        files = self._planned(loaded, table, batches, snapshot_id)
        schema = None if as_arrived and files else arrow_schema(loaded.schema())
        paths = tuple(file.path for file in files)
        place = self._location(table) if self._cloned is None else self._home_of_all(table)
        return PlannedFiles(paths=paths, place=place, schema=schema, batches=batches)

    def plan_staged(self, staged: Staged) -> PlannedFiles:
        """The files of staged rows, which nobody else sees, for another engine to read."""
        return PlannedFiles(paths=staged.files, place=self._location(staged.table), schema=staged.schema)

    def forget(self, staged: Staged) -> None:
        """Remove staged files that will not be committed."""
        place = self._location(staged.table)
        for file in staged.files:
            place.remove(file.removeprefix(f"{place}/"))

    def maintain(
        self,
        table: TableId,
        *,
        expire_before: datetime,
        most_snapshots: int,
        orphans_before: datetime,
        orphan_age: timedelta,
    ) -> Maintained:
        """Merge manifests, expire old snapshots, and remove the files below the table's location that nothing names.

        Args:
            table: The table.
            expire_before: Snapshots made before this time are expired.
            most_snapshots: So do all but the newest so many. The current one stays.
            orphans_before: Files changed at this time or later are not removed.
            orphan_age: Nor are files that are not so much older than the newest one.

        Raises:
            LakehouseError: No such table.
        """
        with self._commit_turn(table):
            with reading_metadata(table), self._reaching(str(table)):
                merge_manifests(self._load(table))
                expired = expire(self._load(table), before=expire_before, most=most_snapshots)
            loaded = self._load(table)
            with reading_metadata(table):
                files, size, left = remove_orphans(loaded, self._location(table), before=orphans_before, age=orphan_age)
        return Maintained(
            table=table,
            expired_snapshots=expired,
            kept_snapshots=len(loaded.snapshots()),
            removed_files=files,
            removed_bytes=size,
            left_files=left,
        )

    def forget_past(self, table: TableId, *, untouched_since: datetime) -> Maintained:
        """Leave a table what it shows now and nothing of before: no older snapshot, manifest entry, or file.

        Safe to do again, and after a crash.

        Args:
            table: The table.
            untouched_since: Files that were changed at this time or later, and that nothing names, stay: a delivery
                that is under way may have staged them.

        Raises:
            LakehouseError: No such table, or it cannot be written.
        """
        with self._commit_turn(table):
            with reading_metadata(table), self._reaching(str(table)):
                drop_deleted_entries(self._load(table))
                expired = expire(self._load(table), before=untouched_since, most=1)
            loaded = self._load(table)
            with reading_metadata(table):
                files, size, left = remove_orphans(
                    loaded, self._location(table), before=untouched_since, age=timedelta(0)
                )
        return Maintained(
            table=table,
            expired_snapshots=expired,
            kept_snapshots=len(loaded.snapshots()),
            removed_files=files,
            removed_bytes=size,
            left_files=left,
        )

    def last_attempts(self, table: TableId) -> Mapping[str, str]:
        """The attempt that made the newest snapshot of each batch, as far as snapshots are kept."""
        oldest_first = reversed(self.snapshots(table))
        return {c.properties[BATCH]: c.properties[ATTEMPT] for c in oldest_first if BATCH in c.properties}

    def has_snapshot(self, table: TableId, snapshot_id: int) -> bool:
        """Whether a snapshot of the table is there and has not expired."""
        return self._load(table).snapshot_by_id(snapshot_id) is not None

    def snapshots(self, table: TableId) -> tuple[Commit, ...]:
        """The table's snapshots, newest first."""
        return tuple(as_commit(table, snapshot) for snapshot in reversed(self._load(table).snapshots()))

    def _name_of(self, table: TableId, file: DataFileInfo) -> str:
        return file.path.removeprefix(f"{self._location(table)}/")

    def _location(self, table: TableId) -> Place:
        if self._cloned is None or table.is_raw:
            return self.homes.of(table)
        return self._cloned.place(table)

    def _home_of_all(self, table: TableId) -> Place:
        """Where the files of a table and of its clones lie."""
        restricted = self.homes.restricted
        return restricted if restricted is not None and table.keeps_arrived else self.homes.published

    def _name(self, table: TableId) -> str:
        """What the catalog calls a table."""
        return str(table if self._cloned is None or table.is_raw else self._cloned.name(table))

    def _reads_through(self, table: TableId) -> bool:
        """Whether a table is not cloned: it is read where it is."""
        return self._cloned is not None and table.is_raw

    @property
    def _original(self) -> "Lakehouse":
        assert self._cloned is not None  # noqa: S101  # asked for where something is read through it
        return self._cloned.original

    def _load(self, table: TableId) -> Table:
        if self._reads_through(table):
            return self._original._load(table)
        try:
            with reading_metadata(table), self._reaching(str(table)):
                loaded = self._catalog.load_table(self._name(table))
        except LakehouseError as error:
            if not isinstance(error.__cause__, NoSuchTableError):
                raise
            raise LakehouseError(
                f"the catalog has no table {table}", way_out="readiness run --all; or check READINESS_CATALOG_URL"
            ) from error.__cause__
        if self.homes.restricted is not None and table.keeps_arrived:
            self._refuse_elsewhere(table, loaded.location())
        return loaded

    def _refuse_elsewhere(self, table: TableId, location: str) -> None:
        """Refuse a table that was made before there was a restricted place: readers of published tables can open it."""
        if location != str(self._location(table)):
            raise LakehouseError(
                f"{table} lies in {location}, outside of the restricted warehouse",
                way_out="move it: drop the table from the catalog, move its files away, and ingest its batches again; "
                "or unset READINESS_RESTRICTED_WAREHOUSE",
            )

    def _planned(
        self, loaded: Table, table: TableId, batches: Sequence[str] | None, snapshot_id: int | None
    ) -> tuple[DataFileInfo, ...]:
        with reading_metadata(table):
            return planned_files(loaded, table, batches=batches, snapshot_id=snapshot_id)

    def _reaching(self, what: str) -> AbstractContextManager[None]:
        return reaching_catalog(self._catalog, what)


def _parquet(files: Sequence[str], *, name_files_as: str | None = None) -> str:
    """SQL that reads data files, with the columns that any of them has."""
    named = f", filename = {literal(name_files_as)}" if name_files_as else ""
    return f"read_parquet([{', '.join(map(literal, files))}], union_by_name = true{named})"


def _known(table: Table, snapshot_id: int | None) -> int | None:
    """A snapshot that is still there; ``None``, for the current one, where it has expired."""
    return None if snapshot_id is None or table.snapshot_by_id(snapshot_id) is None else snapshot_id
