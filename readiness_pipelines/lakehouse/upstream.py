"""Every reliance on what PyIceberg keeps private or may change, behind plain functions with tests of their own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.exceptions import ResolveError, ValidationError
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import ArrowScan, _read_deletes, parquet_file_to_data_file
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.serializers import ToOutputFile
from pyiceberg.table import CommitTableResponse, FileScanTask, Table, Transaction
from pyiceberg.table.metadata import TableMetadata, TableMetadataV2
from pyiceberg.table.update import SetPropertiesUpdate, TableRequirement, TableUpdate
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import ListType, NestedField, StructType

from readiness_pipelines.errors import LakehouseError, first_line
from readiness_pipelines.lakehouse.parsed import ParsedFiles
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place

_MOST_PARSED = 64
"""Tables whose metadata is kept parsed: those that a batch passes through, and what lies beside them."""

_COUNTS_ALONE = {
    "write.metadata.metrics.default": "counts",
    # Its partition is told by the least and greatest value.
    "write.metadata.metrics.column._batch": "full",
}


class SqlTables(SqlCatalog):
    """A catalog in a database that parses a table's metadata once: a delivery looks at its tables some forty times."""

    def __init__(self, name: str, **properties: str) -> None:
        super().__init__(name, **properties)
        self._parsed: ParsedFiles[TableMetadata] = ParsedFiles(_MOST_PARSED)

    def _convert_orm_to_iceberg(self, orm_table: IcebergTables) -> Table:
        location = str(orm_table.metadata_location)
        metadata = self._parsed.get(
            location, lambda: _sharing(super(SqlTables, self)._convert_orm_to_iceberg(orm_table).metadata)
        )
        return Table(
            identifier=(*Catalog.identifier_to_tuple(str(orm_table.table_namespace)), str(orm_table.table_name)),
            metadata=metadata,
            metadata_location=location,
            io=self._load_file_io(metadata.properties, location),
            catalog=self,
        )

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        """Commit as PyIceberg does; what was written need not be read and parsed again."""
        committed = super().commit_table(table, requirements, updates)
        self._parsed.keep(committed.metadata_location, committed.metadata)
        return committed


class _Sharing(TableMetadataV2):
    """A table's metadata of which copies share the parts: PyIceberg puts new parts in their place, and changes none.

    It copies all that a table's snapshots say with each commit, twice: a tenth of a small delivery.
    """

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> "_Sharing":
        return self.__copy__()


def _sharing(metadata: TableMetadata) -> TableMetadata:
    """The same metadata; as `_Sharing` where it is of the version that tables are made in."""
    if type(metadata) is not TableMetadataV2:
        return metadata
    return _Sharing.model_construct(_fields_set=metadata.model_fields_set, **metadata.__dict__)


def rows_of_file(table: Table, schema: Schema, file: DataFile) -> Iterator[pa.RecordBatch]:
    """A data file's rows in their order, with a schema's columns; a part of it at a time.

    What PyIceberg offers to all has the whole file in memory first.
    """
    scan = ArrowScan(table.metadata, table.io, schema, AlwaysTrue())
    yield from scan._record_batches_from_scan_tasks_and_deletes([FileScanTask(file)], {})


def files_with_deleted_rows(io: FileIO, file: DataFile) -> frozenset[str]:
    """The data files of which a delete file names rows by their place.

    PyIceberg applies delete files, and does not say what they are about.
    """
    return frozenset(_read_deletes(io, file)) if file.record_count else frozenset()


Marks = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Table properties to set, made of those that the table has at each try; raises where the change must not be made."""


class Change(Transaction):
    """A transaction that computes the metadata it has reached once per update.

    PyIceberg's own computes it, with a deep copy of all snapshots, whenever it is looked at: a hundred times a commit.

    Args:
        table: The table.
        autocommit: As PyIceberg has it.
        marks: Table properties to set with the change, from those that the table has. PyIceberg makes a change that
            was beaten anew on top of the other one: so are the marks, which raise where it must not be made any more.
    """

    def __init__(self, table: Table, autocommit: bool = False, *, marks: "Marks | None" = None) -> None:
        super().__init__(table, autocommit)
        self._marks = marks
        if marks is not None:
            self._set_marks(marks)

    def _set_marks(self, marks: "Marks") -> None:
        others = tuple(update for update in self._updates if not isinstance(update, SetPropertiesUpdate))
        wanted = dict(marks(self._table.metadata.properties))
        self._updates = (*others, SetPropertiesUpdate(updates=wanted)) if wanted else others

    def _rebuild_snapshot_updates(self) -> None:
        if self._marks is not None:
            self._set_marks(self._marks)
        super()._rebuild_snapshot_updates()

    _reached: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata with the updates staged so far."""
        base, updates = self._table.metadata, self._updates
        if not updates:
            return base
        if self._reached is None or self._reached[0] is not base or self._reached[1] is not updates:
            self._reached = (base, updates, super().table_metadata)
        return self._reached[2]


WAY_OUT_OF_OTHER_TYPES = (
    "a table's types only become wider: call the column otherwise (rename= of its reader), or the table, which is then "
    "made anew: readiness run --all"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherType:
    """A column of which a table cannot hold the values: its Iceberg type there, and the Arrow type given."""

    column: str
    there: str
    given: str


def numbered(columns: pa.Schema) -> Schema:
    """The columns as a new table has them, each with its number."""
    return assign_fresh_schema_ids(Catalog._convert_schema_if_needed(columns))


def partitioned_by(columns: Schema, name: str) -> PartitionSpec:
    """A table's parts: one for each value of a column."""
    field = PartitionField(
        source_id=columns.find_field(name).field_id,
        field_id=PARTITION_FIELD_ID_START,
        transform=IdentityTransform(),
        name=name,
    )
    return PartitionSpec(field)


def evolved_schema(table: Table, columns: pa.Schema) -> Schema:
    """The table's schema with the columns that it lacks, and wider types, added; nothing is committed.

    Field ids of new columns are those that a commit on top of the same metadata would give.

    Raises:
        LakehouseError: A column has a type in the table that cannot become the one given.
    """
    added = unknown_columns(table.schema(), columns)
    if not added:
        return table.schema()
    update = Change(table).update_schema()
    try:
        update.union_by_name(added)
        return update._apply()
    except (ResolveError, ValidationError) as error:
        raise _other_types(table, added, error) from error


def refused_types(table: Table, columns: pa.Schema) -> tuple[OtherType, ...]:
    """The columns that a table has of a type which cannot become the one given: no rows with them can be committed.

    Args:
        table: The table.
        columns: The columns, of types that can be stored.
    """
    there = {field.name: field.field_type for field in table.schema().fields}
    refused = []
    for column in unknown_columns(table.schema(), columns):
        if column.name in there:
            try:
                evolved_schema(table, pa.schema([column]))
            except LakehouseError:
                refused.append(OtherType(column=column.name, there=str(there[column.name]), given=str(column.type)))
    return tuple(refused)


def _other_types(table: Table, columns: pa.Schema, error: Exception) -> LakehouseError:
    """What the table has otherwise, column by column."""
    there = {field.name: field.field_type for field in table.schema().fields}
    differing = [
        f"{column.name} as {there[column.name]}, not {column.type}" for column in columns if column.name in there
    ]
    name = ".".join(table.name()[-2:])
    return LakehouseError(
        f"the table {name} has {', '.join(differing)}: {first_line(error)}", way_out=WAY_OUT_OF_OTHER_TYPES
    )


def unknown_columns(schema: Schema, columns: pa.Schema) -> pa.Schema:
    """The columns that a table lacks or has of another type.

    Only those are worth a union: PyIceberg's takes seconds over some hundred columns, also where they are all there.
    """
    known = {field.name: field for field in schema.fields}
    arrived = Catalog._convert_schema_if_needed(columns)
    return pa.schema(
        column
        for column, field in zip(columns, arrived.fields, strict=True)
        if (there := known.get(field.name)) is None
        or (there.required, there.field_type) != (field.required, field.field_type)
    )


def register_clone(table: Table, catalog: Catalog, name: TableId, location: Place) -> None:
    """Register a table's metadata under another name, in a file of its own; data files and manifests are shared.

    Args:
        table: The table.
        catalog: Where the clone is registered.
        name: Its name.
        location: Where what is committed to it will lie.
    """
    # Commits delete the oldest of the metadata files that are logged: those are the table's.
    changed = {"location": location.uri, "table_uuid": uuid4(), "metadata_log": []}
    metadata = table.metadata.model_copy(update=changed)
    (location / "metadata").make()
    path = f"{location.uri}/metadata/00000-{uuid4()}.metadata.json"
    ToOutputFile.table_metadata(metadata, table.io.new_output(path))
    catalog.create_namespace_if_not_exists(name.domain)
    catalog.register_table(tuple(name), path)


def expire_snapshots(table: Table, ids: Sequence[int]) -> None:
    """Expire snapshots, in a commit of its own."""
    ExpireSnapshots(Change(table, autocommit=True)).by_ids(list(ids)).commit()


def data_files(transaction: Transaction, table: Table, paths: Sequence[str]) -> list[DataFile]:
    """Describe Parquet files for a commit, by the schema that the transaction has reached."""
    return [_data_file(table, transaction.table_metadata, path) for path in paths]


def _data_file(table: Table, metadata: TableMetadata, path: str) -> DataFile:
    try:
        return parquet_file_to_data_file(table.io, metadata, path)
    except OverflowError:
        # A least or greatest time that Python cannot hold: the file is described without them.
        counted = metadata.model_copy(update={"properties": {**metadata.properties, **_COUNTS_ALONE}})
        return parquet_file_to_data_file(table.io, counted, path)


def parquet_field_ids(schema: Schema) -> dict[str, Any]:
    """Field ids in the shape that DuckDB's ``FIELD_IDS`` takes, nested types included."""
    return {field.name: _ids(field) for field in schema.fields}


def _ids(field: NestedField) -> Any:
    match field.field_type:
        case StructType() as kind:
            return {"__duckdb_field_id": field.field_id, **{inner.name: _ids(inner) for inner in kind.fields}}
        case ListType() as kind:
            return {"__duckdb_field_id": field.field_id, "element": _ids(kind.element_field)}
        case _:
            return field.field_id
