"""The whole way: a file lands, and its rows are published. The same rules in each tool that has rules.

The functions are contenders as in `contenders`: the landed file is CSV or Parquet.
"""
# ruff: noqa: PLC0415  # a tool does not pay for its peers

from collections.abc import Callable
from pathlib import Path
from typing import Any

from readiness_pipelines_tests.benchmarks.contenders import Contender, Written, split_by_pandera

TYPES = {
    "id": "BIGINT",
    "customer": "BIGINT",
    "amount": "DOUBLE",
    "currency": "VARCHAR",
    "status": "VARCHAR",
    "code": "VARCHAR",
    "days": "INTEGER",
    "score": "DOUBLE",
    "day": "DATE",
    "mail": "VARCHAR",
    "flag": "BOOLEAN",
    "note": "VARCHAR",
}


def framework(file: str, folder: Path) -> Callable[[], Written]:
    """This framework: ingested into raw, judged, published, waiting rows kept, profiled, recorded."""
    from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward, Tolerance
    from readiness_pipelines.delivery import deliver, ingest
    from readiness_pipelines.installation import Installation, Run
    from readiness_pipelines.settings import Settings
    from readiness_pipelines_tests.benchmarks.schema import Order
    from readiness_pipelines_tests.samples import gated

    landed = Path(file)
    shop = Domain("shop", owner="shop@shop.example")
    shop.gated(
        "orders",
        source=Source(
            origin="Shop export",
            steward=Steward("Shop team", "shop@shop.example"),
            reader=FileDrop(f"{{batch}}{landed.suffix}"),
        ),
        schema=Order,
        batches=StaticBatches(keys=(landed.stem,)),
        tolerance=Tolerance(quarantined_ratio=1.0),
    )
    orders = gated(shop)
    settings = Settings(landing=str(landed.parent), warehouse=str(folder / "warehouse"), settles="0s")
    installation = Installation.open(settings)

    def run() -> Written:
        by = Run(run_id="bench", who="bench")
        ingest(orders, batch=landed.stem, installation=installation, run=by)
        deliver(orders, batch=landed.stem, installation=installation, run=by)
        lakehouse = installation.lakehouse
        waiting = lakehouse.files(orders.id.quarantine) if lakehouse.exists(orders.id.quarantine) else ()
        return [one.path for one in lakehouse.files(orders.id)], [one.path for one in waiting]

    return run


def copy(file: str, folder: Path) -> Callable[[], Written]:
    """No gate: DuckDB copies the rows, typed, with the same memory bound."""
    import duckdb

    def run() -> Written:
        rows = f"read_csv('{file}', header = true, columns = {TYPES})" if file.endswith(".csv") else f"'{file}'"
        settings: Any = {"memory_limit": "640MB", "temp_directory": str(folder), "preserve_insertion_order": "false"}
        with duckdb.connect(config=settings) as connection:
            connection.execute(f"COPY (FROM {rows}) TO '{folder}/good.parquet' (FORMAT parquet, COMPRESSION zstd)")
        return [f"{folder}/good.parquet"], []

    return run


def dlt(file: str, folder: Path) -> Callable[[], Written]:
    """No gate: dlt loads the rows as Arrow, which is its fast way, into Parquet files."""
    import os
    from collections.abc import Iterator

    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    kinds = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(), "INTEGER": pa.int32()}
    kinds |= {"DATE": pa.date32(), "BOOLEAN": pa.bool_()}

    def run() -> Written:
        def orders() -> Iterator[pa.Table]:
            if file.endswith(".csv"):
                typed = pacsv.ConvertOptions(column_types={name: kinds[kind] for name, kind in TYPES.items()})
                blocks = pacsv.ReadOptions(block_size=32 << 20)
                for batch in pacsv.open_csv(file, read_options=blocks, convert_options=typed):
                    yield pa.Table.from_batches([batch])
            else:
                for batch in pq.ParquetFile(file).iter_batches(batch_size=500_000):
                    yield pa.Table.from_batches([batch])

        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=str(folder / "state"),
            destination=dlt.destinations.filesystem(bucket_url=f"file://{folder}/loaded"),
            dataset_name="shop",
        )
        pipeline.run(orders(), table_name="orders", write_disposition="append", loader_file_format="parquet")
        return [str(file) for file in (folder / "loaded" / "shop" / "orders").rglob("*.parquet")], []

    return run


def pandera_polars(file: str, folder: Path) -> Callable[[], Written]:
    """A script: Polars reads the file, Pandera validates it, the rows are split and written."""
    import polars as pl

    kinds = {"BIGINT": pl.Int64, "DOUBLE": pl.Float64, "VARCHAR": pl.String, "INTEGER": pl.Int32}
    kinds |= {"DATE": pl.Date, "BOOLEAN": pl.Boolean}
    schema = {name: kinds[kind] for name, kind in TYPES.items()}
    return split_by_pandera(
        lambda: pl.read_csv(file, schema=schema) if file.endswith(".csv") else pl.read_parquet(file), folder
    )


FLOORS = ("DuckDB COPY, no gate", "dlt, no gate")
CONTENDERS: dict[str, Contender] = {
    "this framework": framework,
    "DuckDB COPY, no gate": copy,
    "dlt, no gate": dlt,
    "Polars and Pandera": pandera_polars,
}
