"""An engine writes files itself; the lakehouse takes only what fits the area that it gave."""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.lakehouse import Lakehouse, StagingArea
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place

TABLE = TableId("shop", "orders")
SCHEMA = pa.schema([("a", pa.int64()), ("_batch", pa.string())])


@pytest.fixture
def lakehouse(tmp_path: Path) -> Lakehouse:
    opened = Lakehouse.open(catalog_url=f"sqlite:///{tmp_path}/catalog.db", warehouse=Place.of(str(tmp_path / "w")))
    opened.ensure(TABLE, SCHEMA)
    return opened


def write(area: StagingArea, *rows: dict[str, Any], schema: pa.Schema | None = None) -> str:
    area.folder.make()
    name = f"{len(list(area.folder.files()))}.parquet"
    with area.folder.create(name) as file:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema or area.schema), file)
    return f"{area.folder}/{name}"


def test_files_that_an_engine_wrote_are_staged_and_committed(lakehouse: Lakehouse) -> None:
    area = lakehouse.staging_area(TABLE, batch="x", schema=SCHEMA.append(pa.field("new", pa.int8())))
    files = [write(area, {"a": 1, "new": 2, "_batch": "x"}), write(area, {"a": 3, "_batch": "x"})]
    staged = lakehouse.accept(area, files)
    assert (staged.rows, staged.batch) == (2, "x")
    lakehouse.replace(TABLE, staged, properties={"readiness.attempt": "1"})
    with duckdb.connect() as connection:
        read = lakehouse.relation(connection, TABLE, batch="x").order("a").to_arrow_table().to_pylist()
    assert read == [{"a": 1, "_batch": "x", "new": 2}, {"a": 3, "_batch": "x", "new": None}]
    planned = lakehouse.plan(TABLE, batch="x")
    assert sorted(planned.paths) == sorted(files)
    assert planned.batches == ("x",)


def test_a_file_of_another_batch_place_or_shape_is_refused(lakehouse: Lakehouse) -> None:
    area = lakehouse.staging_area(TABLE, batch="x", schema=SCHEMA)
    with pytest.raises(LakehouseError, match="name another batch or none"):
        lakehouse.accept(area, [write(area, {"a": 1, "_batch": "y"})])
    with pytest.raises(LakehouseError, match="not in the staging area"):
        lakehouse.accept(area, ["/elsewhere/0.parquet"])
    with pytest.raises(LakehouseError, match="columns and field ids"):
        lakehouse.accept(area, [write(area, {"a": 1, "_batch": "x"}, schema=SCHEMA)])
