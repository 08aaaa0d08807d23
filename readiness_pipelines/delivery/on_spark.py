"""What a gate on Spark is given: raw files read by its executors, and what people decided, in Spark's words.

Corrections, waivers and discards are DuckDB's SQL, and mean what DuckDB says: which rows they touch is asked there, and
corrected batches are written there, into a file for Spark that goes when the batch is judged.
"""

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.gates import referenced_tables
from readiness_pipelines.delivery.names import published_table, raw_table
from readiness_pipelines.errors import EngineError
from readiness_pipelines.gates import Decided, Engine, Gate, OtherRows
from readiness_pipelines.gates.spark_session import shown, spark_session
from readiness_pipelines.installation import Installation

if TYPE_CHECKING:
    from readiness_pipelines.gates.spark_engine import SparkEngine


@contextmanager
def spark_engine(installation: Installation) -> Iterator["SparkEngine"]:
    """Join the session that the settings name, for one batch.

    Raises:
        EngineError: Spark cannot be had, or broke on the way.
    """
    session = spark_session(installation.spark_url)
    from py4j.protocol import Py4JError  # noqa: PLC0415  # an extra that few install
    from pyspark.errors import PySparkException  # noqa: PLC0415  # as above

    from readiness_pipelines.gates.spark_engine import SparkEngine  # noqa: PLC0415  # as above

    try:
        with SparkEngine(session).opened() as engine:
            yield engine
    except (PySparkException, Py4JError) as error:
        spark_session.cache_clear()  # the next batch joins anew
        raise EngineError(
            f"Spark broke while it judged: {str(error).splitlines()[0]}", way_out="look at its logs, then run it again"
        ) from error


def examined_spark(url: str) -> str:
    """Join Spark, and let an executor import what it will need.

    Raises:
        EngineError: Spark cannot be had, or its executors lack this package.
    """
    session = spark_session(url)
    from pyspark.errors import PySparkException  # noqa: PLC0415  # an extra that few install

    try:
        (found,) = session.range(1, numPartitions=1).mapInArrow(_versions, "told string").collect()
    except PySparkException as error:
        raise EngineError(
            f"Spark answers at {shown(url)}, but its executors cannot work: {str(error).splitlines()[0]}",
            way_out="install this package where the executors run, for the same minor version of Python",
        ) from error
    return f"Spark {session.version} answers at {shown(url)}; executors have {found['told']}"


def _versions(_: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    from readiness_pipelines.lakehouse import spark_workers  # noqa: PLC0415  # on the executor

    told = f"Python {platform.python_version()}, pyarrow {pa.__version__}, {spark_workers.__name__.split('.')[0]}"
    yield pa.RecordBatch.from_pydict({"told": [told]})


@contextmanager
def rows_on_spark(
    table: GatedTable,
    *,
    batch: str,
    snapshot_id: int,
    corrected: duckdb.DuckDBPyRelation | None,
    engine: "SparkEngine",
    installation: Installation,
) -> Iterator[Any]:
    """A batch's raw rows for Spark.

    Args:
        table: The table whose gate judges.
        batch: The batch.
        snapshot_id: Snapshot of the raw table.
        corrected: The rows with their corrections; ``None`` where there are none.
        engine: Where the rows will live.
        installation: Where the tables are.
    """
    lakehouse, raw = installation.lakehouse, raw_table(table)
    if corrected is None:
        yield lakehouse.spark_rows(
            engine.session, raw, batch=batch, snapshot_id=snapshot_id, or_current=True, as_arrived=True
        )
        return
    schema = corrected.limit(0).to_arrow_table().schema
    staged = lakehouse.stage(raw, corrected, batch=batch, schema=schema)
    try:
        yield lakehouse.spark_staged(engine.session, staged)
    finally:
        lakehouse.forget(staged)


def compared_on_spark(
    path: DataPath,
    table: GatedTable,
    gate: Gate,
    compared: OtherRows,
    *,
    batch: str,
    snapshots: Mapping[str, int],
    engine: "SparkEngine",
    installation: Installation,
) -> OtherRows:
    """What reference rules compare with, at the same snapshots."""

    def read(name: Any) -> Any:
        return installation.lakehouse.spark_rows(engine.session, name, snapshot_id=snapshots[str(name)])

    tables = {name: read(published) for name, published in referenced_tables(path, gate).items()}
    others = None
    if compared.other_batches is not None:
        own = published_table(path, table)
        rows = installation.lakehouse.spark_rows(engine.session, own, snapshot_id=snapshots[f"{own} (other batches)"])
        others = rows.filter(rows["_batch"] != batch)
    return replace(compared, tables=tables, other_batches=others)


def decided_on_spark(decided: Decided, rows: duckdb.DuckDBPyRelation, engine: Engine) -> Decided:
    """Decisions whose conditions are rows instead of DuckDB's SQL."""

    def touched(where: str | None, name: str) -> str | None:
        if where is None:
            return None
        found = rows.filter(where).project("_row").to_arrow_table()
        engine.view(name, found if found.num_rows else pa.table({"_row": pa.array([-1], pa.int64())}))
        return f"_row IN (SELECT _row FROM {name})"

    return Decided(
        waived=[replace(one, where=touched(one.where, f"waived_rows_{n}")) for n, one in enumerate(decided.waived)],
        discarded=[replace(one, where=touched(one.where, f"lost_rows_{n}")) for n, one in enumerate(decided.discarded)],
    )
