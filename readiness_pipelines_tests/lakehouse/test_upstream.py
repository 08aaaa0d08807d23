"""What we rely on of PyIceberg without a promise: an upgrade that changes it fails here first."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from readiness_pipelines.lakehouse.upstream import (
    SqlTables,
    data_files,
    evolved_schema,
    parquet_field_ids,
    unknown_columns,
)


def test_a_catalog_knows_of_a_commit_what_was_written_and_leaves_what_was_read_before_alone(tmp_path: Path) -> None:
    _table(tmp_path)
    where = {"uri": f"sqlite:///{tmp_path / 'c.db'}", "warehouse": str(tmp_path / "w")}
    catalog = SqlTables("c", **where)
    before = catalog.load_table("n.t")
    said = before.metadata.model_dump()
    rows = pa.table({"a": pa.array([1], pa.int32()), "_batch": ["x"]})
    for turn in range(3):
        table = catalog.load_table("n.t")
        table.append(rows)
        with table.transaction() as transaction:
            with transaction.update_schema() as update:
                update.union_by_name(pa.schema([(f"new_{turn}", pa.string())]))
            transaction.set_properties(turn=str(turn))
    assert before.metadata.model_dump() == said
    read = SqlCatalog("c", **where).load_table("n.t")
    known = catalog.load_table("n.t")
    assert known.metadata_location == read.metadata_location
    assert known.metadata.model_dump() == read.metadata.model_dump()
    assert len(known.metadata.snapshots) == 3


def _table(folder: Path) -> Table:
    catalog = SqlCatalog("c", uri=f"sqlite:///{folder / 'c.db'}", warehouse=str(folder / "w"))
    catalog.create_namespace("n")
    schema = pa.schema([("a", pa.int32()), ("l", pa.list_(pa.struct([("x", pa.string())]))), ("_batch", pa.string())])
    with catalog.create_table_transaction("n.t", schema=schema) as transaction, transaction.update_spec() as spec:
        spec.add_identity("_batch")
    return catalog.load_table("n.t")


def test_a_schema_evolves_without_a_commit_and_gives_the_ids_that_a_commit_would(tmp_path: Path) -> None:
    table = _table(tmp_path)
    wanted = pa.schema([("a", pa.int64()), ("new", pa.string())])
    planned = evolved_schema(table, wanted)
    assert "new" not in table.refresh().schema().column_names
    with table.update_schema() as update:
        update.union_by_name(wanted)
    assert table.refresh().schema().find_field("new").field_id == planned.find_field("new").field_id
    assert table.schema().find_type("a") == planned.find_type("a")


def test_field_ids_cover_nested_fields(tmp_path: Path) -> None:
    ids = parquet_field_ids(_table(tmp_path).schema())
    assert set(ids) == {"a", "l", "_batch"}
    assert set(ids["l"]) == {"__duckdb_field_id", "element"}
    assert set(ids["l"]["element"]) == {"__duckdb_field_id", "x"}


def test_a_parquet_file_is_described_with_its_partition_and_rows(tmp_path: Path) -> None:
    table = _table(tmp_path)
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"a": pa.array([1, 2], pa.int32()), "_batch": ["x", "x"]}), path)
    (file,) = data_files(table.transaction(), table, [str(path)])
    assert (file.record_count, file.partition[0]) == (2, "x")


def test_only_columns_that_are_not_there_as_they_come_are_united(tmp_path: Path) -> None:
    schema = _table(tmp_path).schema()
    came = pa.schema([("a", pa.int32()), ("_batch", pa.large_string()), ("new", pa.string())])
    assert unknown_columns(schema, came).names == ["new"]
    assert unknown_columns(schema, pa.schema([("a", pa.int64()), ("_batch", pa.string())])).names == ["a"]
