"""Tables read by DuckDB, straight from the files that a snapshot names."""

from collections.abc import Sequence

import duckdb
import pyarrow as pa
from pyiceberg.expressions import BooleanExpression, EqualTo, Reference
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import Table

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.lakehouse.planning import data_files_of
from readiness_pipelines.lakehouse.records import DataFileInfo
from readiness_pipelines.names import TableId
from readiness_pipelines.sql import literal


def planned_files(
    table: Table, name: TableId, *, batches: Sequence[str] | None, snapshot_id: int | None
) -> tuple[DataFileInfo, ...]:
    """The data files of a snapshot, of some batches or of all, in the order of their paths.

    Raises:
        LakehouseError: The snapshot has expired, or has delete files, which this reader would not apply.
    """
    if snapshot_id is not None and table.snapshot_by_id(snapshot_id) is None:
        raise LakehouseError(
            f"snapshot {snapshot_id} of {name} has expired",
            way_out="read the table as it is now, or keep snapshots longer",
        )
    infos = [
        DataFileInfo(
            path=file.file_path,
            batch=str(file.partition[0]),
            rows=file.record_count,
            size_bytes=file.file_size_in_bytes,
        )
        for file in data_files_of(table, batches=batches, snapshot_id=snapshot_id)
    ]
    return tuple(sorted(infos, key=lambda info: info.path))


def read_files(
    connection: duckdb.DuckDBPyConnection,
    files: tuple[DataFileInfo, ...],
    *,
    schema: Schema | None,
    batches: Sequence[str] | None,
) -> duckdb.DuckDBPyRelation:
    """Read data files lazily.

    Args:
        connection: Where the relation lives.
        files: At least one file.
        schema: Columns to read, by field id, null where a file lacks one; ``None`` for the columns that the files have.
        batches: The batches to keep; ``None`` keeps all.
    """
    paths = "[" + ", ".join(literal(file.path) for file in files) + "]"
    if schema is None:
        source = f"read_parquet({paths}, union_by_name = true)"
    else:
        arrow = schema_to_pyarrow(schema, include_field_ids=False)
        kinds = connection.from_arrow(_plain(arrow).empty_table()).types
        columns = ", ".join(
            f"{field.field_id}: {{name: {literal(field.name)}, type: {literal(str(kind))}, default_value: NULL}}"
            for field, kind in zip(schema.fields, kinds, strict=True)
        )
        source = f"read_parquet({paths}, schema = MAP {{{columns}}})"
    # The filter is applied again: a plan may name files that hold more than the batches.
    where = "" if batches is None else f" WHERE _batch IN ({', '.join(map(literal, batches))})"
    return connection.sql(f"SELECT * FROM {source}{where}")


def no_rows(connection: duckdb.DuckDBPyConnection, schema: Schema) -> duckdb.DuckDBPyRelation:
    """An empty relation of a schema's columns."""
    return connection.from_arrow(_plain(schema_to_pyarrow(schema, include_field_ids=False)).empty_table())


def arrow_schema(schema: Schema) -> pa.Schema:
    """An Iceberg schema as Arrow's, with plain (not large) types."""
    return _plain(schema_to_pyarrow(schema, include_field_ids=False))


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, _plain_type(field.type)) for field in schema])


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_large_list(kind) or pa.types.is_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    if pa.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        return pa.struct([(field.name, _plain_type(field.type)) for field in fields])
    return kind


def of_batch(batch: str) -> BooleanExpression:
    """The filter that selects one batch."""
    return EqualTo(term=Reference(name="_batch"), value=batch)
