"""Names from outside are quoted or refused, to the end of the path: columns, files, batches, values."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import FileDrop, SchemaChange
from readiness_pipelines.delivery import deliver, ingest, maintain, reconcile, replay_batch
from readiness_pipelines.errors import LandingError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import quarantine_rows, status
from readiness_pipelines.reports.facts import gather
from readiness_pipelines.reports.page import html_page
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.engines import spark
from readiness_pipelines_tests.samples import gated, order_domain

RUN = Run(run_id="r1", who="Robert'); DROP TABLE ledger_trail;--")
EVIL = """x'"; DROP TABLE ledger_trail; --"""
COLUMNS = ("it's", 'a"b', "c;d", "--", "</script><script>alert(1)</script>", "${x}", "{batch}", "%s", "ü ñ", EVIL)
OURS = ("order_id", "amount", "status")
BATCH = "day_1"
FILES = ["it's; DROP TABLE x.csv", "$(touch pwned).csv", "`id`.csv", "ü 50%.csv"]


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=pytest.mark.slow)])
def test_hostile_columns_files_and_values_pass_through_unharmed(tmp_path: Path, engine: Any) -> None:
    shop = order_domain()
    table: Any = shop.table("orders")
    schema = pa.DataFrameSchema({name: pa.Column(arrow.string(), nullable=True) for name in COLUMNS[:5]})
    schema = schema.add_columns(
        {name: table.schema.to_schema().columns[name] for name in ("order_id", "amount", "status")}
    )
    reader = FileDrop("orders/{batch}/*.csv")
    gating = replace(table.gating, schema_change=SchemaChange.EVOLVE)
    table = replace(table, schema=schema, gating=gating, source=table.source.model_copy(update={"reader": reader}))
    shop._tables["orders"] = table
    if engine == "spark":
        spark()
    settings = settings_in(tmp_path).model_copy(update={"engine": engine, "spark_url": "local[2]"})
    installation = Installation.open(settings)
    header = ",".join('"' + name.replace('"', '""') + '"' for name in (*COLUMNS, *OURS))
    value = '"' + EVIL.replace('"', '""') + '"'
    for number, name in enumerate(FILES):
        file = tmp_path / "landing" / "orders" / BATCH / name
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            ",".join([value] * len(COLUMNS) + [f"{number}{place}", amount, "paid"])
            for place, amount in enumerate("15x")
        ]
        file.write_text("\n".join([header, *rows]) + "\n")
    ingest(table, batch=BATCH, installation=installation, run=RUN)
    for each in shop.tables:
        deliver(each, batch=BATCH, installation=installation, run=RUN)
    replay_batch(gated(shop), batch=BATCH, installation=installation, run=RUN)
    waiting = quarantine_rows(table, batch=BATCH, rule=None, limit=None, installation=installation)
    assert waiting.num_rows == len(FILES)
    assert set(waiting.column(EVIL).to_pylist()) == {EVIL}
    assert status(shop, installation=installation).lanes[0].total.published == 2 * len(FILES)
    assert reconcile([shop], installation=installation).problems == ()
    assert {entry.who for entry in installation.ledger.trail()} == {RUN.who}
    assert "<script>alert" not in html_page(gather(shop, installation=installation, now=RUN.clock()))
    maintain(installation, now=RUN.clock())
    assert not Path("pwned").exists()


@pytest.mark.parametrize("batch", ["../../etc", "a/b", "..", "a\\b", ""])
def test_a_batch_that_would_leave_the_landing_folder_is_refused(tmp_path: Path, batch: str) -> None:
    (tmp_path / "landing").mkdir()
    installation = Installation.open(settings_in(tmp_path))
    table: Any = order_domain().table("orders")
    with pytest.raises(LandingError, match="not a batch key"):
        ingest(table, batch=batch, installation=installation, run=RUN)
