"""Rows that come as Arrow lie in the files as they came, and readers of Iceberg find them by their field ids."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.lakehouse.arrow_files import ROW_GROUP_ROWS
from readiness_pipelines.masking import PLAIN, handling
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place

ORDERS = TableId("shop_raw", "orders")
SCHEMA = pa.schema(
    [("id", pa.string()), ("state", pa.string()), ("paid", pa.decimal128(9, 2)), ("_batch", pa.string())]
)
ROWS = ROW_GROUP_ROWS + 1_000


@pytest.fixture
def lakehouse(tmp_path: Path) -> Lakehouse:
    opened = Lakehouse.open(catalog_url=f"sqlite:///{tmp_path}/catalog.db", warehouse=Place.of(str(tmp_path / "w")))
    opened.ensure(ORDERS, SCHEMA)
    return opened


def _rows(count: int, batch: str = "day_1") -> pa.Table:
    ids = pa.arange(0, count).cast(pa.string())
    states = pa.array([None if number % 7 == 0 else f"state {number % 3}" for number in range(count)], pa.string())
    paid = pa.arange(0, count).cast(pa.decimal128(21, 2)).cast(pa.decimal128(9, 2))
    return pa.table([ids, states, paid, pa.repeat(batch, count)], schema=SCHEMA)


def test_rows_come_back_as_they_were_in_row_groups_of_the_right_size(lakehouse: Lakehouse) -> None:
    rows = _rows(ROWS)
    staged = lakehouse.stage(ORDERS, rows.to_reader(max_chunksize=9_999), batch="day_1", schema=SCHEMA)
    lakehouse.replace(ORDERS, staged, properties={"readiness.attempt": "one"})
    with duckdb.connect() as engine:
        read = lakehouse.relation(engine, ORDERS, batch="day_1").to_arrow_table()
    assert read.sort_by("paid").equals(rows.sort_by("paid"))
    written = pq.read_metadata(staged.files[0])
    assert written.num_row_groups == 2  # one full, one of the rest
    encodings = {written.row_group(0).column(i).path_in_schema: written.row_group(0).column(i) for i in range(4)}
    assert encodings["state"].has_dictionary_page
    assert not encodings["id"].has_dictionary_page  # each has another value: a dictionary would only grow the file


def test_no_rows_are_no_file(lakehouse: Lakehouse) -> None:
    staged = lakehouse.stage(ORDERS, SCHEMA.empty_table().to_reader(), batch="day_1", schema=SCHEMA)
    assert (staged.files, staged.rows) == ((), 0)


def test_rows_that_cannot_be_read_to_their_end_leave_no_file(lakehouse: Lakehouse, tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from _rows(ROWS).to_batches()
        raise OSError("the cable was cut")

    with pytest.raises(LakehouseError, match=r"batch 'day_1' cannot be staged .*the cable was cut"), handling(PLAIN):
        lakehouse.stage(ORDERS, pa.RecordBatchReader.from_batches(SCHEMA, broken()), batch="day_1", schema=SCHEMA)
    assert not [*tmp_path.rglob("*.parquet")]


def test_a_footer_with_a_time_that_python_lacks_says_how_many_nulls_there_are_and_no_bounds(
    lakehouse: Lakehouse,
) -> None:
    schema = SCHEMA.append(pa.field("until", pa.date32()))
    lakehouse.ensure(ORDERS, schema)
    rows = _rows(2).append_column("until", pa.array([6_674_000, None], pa.int32()).cast(pa.date32()))
    staged = lakehouse.stage(ORDERS, rows.to_reader(), batch="day_1", schema=schema)
    said = lakehouse.footers(staged)["until"]
    assert (said.nulls, said.minimum, said.maximum) == (1, None, None)
