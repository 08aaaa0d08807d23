"""Engines are loaded by name, when they are first used."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from readiness_pipelines.engines import AVAILABLE, dialect_of, open_engine
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.engines import opened

TABLE = TableId("shop", "orders")


def test_the_settings_name_the_engines_that_there_are() -> None:
    assert set(AVAILABLE) == {"duckdb", "spark"}
    with pytest.raises(UnknownNameError, match="unknown engine 'duckdv'") as error:
        dialect_of("duckdv")
    assert "did you mean 'duckdb'" in str(error.value)


def test_an_open_engine_judges_and_leaves_the_connection_open() -> None:
    with duckdb.connect() as connection:
        with open_engine("duckdb", connection) as engine:
            assert engine.fetch("SELECT 1") == [(1,)]
        assert connection.execute("SELECT 2").fetchone() == (2,)


def test_the_sql_of_spark_needs_no_pyspark() -> None:
    program = (
        "import importlib.util, sys; sys.modules['pyspark'] = None; sys.path.insert(0, '')\n"
        "spec = importlib.util.find_spec('readiness_pipelines')\n"
        "import types; package = types.ModuleType('readiness_pipelines')\n"
        "package.__path__ = list(spec.submodule_search_locations); sys.modules['readiness_pipelines'] = package\n"
        "from readiness_pipelines.engines import dialect_of; print(dialect_of('spark').identifier('a'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "`a`\n", done.stderr


@pytest.mark.slow
def test_executors_write_into_a_staging_area_and_read_what_was_planned(tmp_path: Path) -> None:
    lakehouse = Lakehouse.open(catalog_url=f"sqlite:///{tmp_path}/catalog.db", warehouse=Place.of(str(tmp_path / "w")))
    schema = pa.schema([("a", pa.int64()), ("odd name", pa.string()), ("_batch", pa.string())])
    lakehouse.ensure(TABLE, schema)
    rows = pa.table({"a": [1, 2, 3], "odd name": ["x", None, "z"], "_batch": ["b"] * 3}, schema=schema)
    with opened("spark") as engine:
        area = lakehouse.staging_area(TABLE, batch="b", schema=schema)
        engine.view("given", rows)
        written = engine.write(engine.rows("SELECT * FROM given"), area)  # type: ignore[attr-defined]  # Spark's own
        staged = lakehouse.accept(area, written)
        assert staged.rows == 3
        before = engine.read(lakehouse.plan_staged(staged))  # type: ignore[attr-defined]  # as above
        assert sorted(row["a"] for row in before.collect()) == [1, 2, 3]
        lakehouse.replace(TABLE, staged, properties={"readiness.attempt": "1"})
        read = engine.read(lakehouse.plan(TABLE, batch="b", as_arrived=True))  # type: ignore[attr-defined]  # as above
        assert sorted(row["odd name"] or "" for row in read.collect()) == ["", "x", "z"]
        assert engine.read(lakehouse.plan(TABLE, batch="none")).collect() == []  # type: ignore[attr-defined]  # as above
