"""A delivery whose gate judges on Spark leaves what one on DuckDB leaves, decisions and replays among it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandera.pyarrow as pandera
import pyarrow as pa
import pytest

from readiness_pipelines import Domain, NotInOtherBatches
from readiness_pipelines.contracts.classification import protect
from readiness_pipelines.decisions import CellCorrection, Correction, Discarding, Waiver
from readiness_pipelines.delivery import decide, deliver, ingest, reconcile, replay_batch
from readiness_pipelines.delivery.erasure.requests import erase
from readiness_pipelines.errors import EngineError, ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.delivery.erasure import clinic
from readiness_pipelines_tests.engines import spark
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, gated, land, order_domain
from readiness_pipelines_tests.shown import shown
from readiness_pipelines_tests.stores import use_bucket

pytestmark = [pytest.mark.slow]

TABLES = (
    "shop_raw.orders",
    "shop.orders",
    "shop_quarantine.orders",
    "shop.paid",
    "shop.refund_rate",
)
READ = ("shop.orders", "shop_quarantine.orders")
RUN = Run(run_id="r1", who="me")
Doing = Callable[[Domain, Installation], None]


def installed(folder: Path, *, engine: Any) -> Installation:
    folder.mkdir(exist_ok=True)
    (folder / "landing").mkdir()
    if engine == "spark":
        spark()
    settings = settings_in(folder)
    return Installation.open(settings.model_copy(update={"engine": engine, "spark_url": "local[2]"}))


def run(shop: Domain, installation: Installation, batch: str, *rows: str, **options: Any) -> None:
    land(installation.landing.path, batch, *rows, **options)
    orders: Any = shop.table("orders")
    ingest(orders, batch=batch, installation=installation, run=RUN)
    for table in shop.tables:
        deliver(table, batch=batch, installation=installation, run=RUN)
    deliver(shop.table("refund_rate"), batch=batch, installation=installation, run=RUN)


def read_by_others(installation: Installation) -> dict[str, int]:
    """The rows that PyIceberg reads, nested columns and all, from files that executors wrote."""
    found = {}
    for name in READ:
        rows = installation.lakehouse._load(TableId.parse(name)).scan().to_arrow().to_pylist()
        assert all(error["rule"] for row in rows for error in row.get("_errors", ()))
        found[name] = len(rows)
    return found


def same_on_both(tmp_path: Path, doing: Doing, *, bucket: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """Do something on DuckDB and on Spark; what the tables show is the same, and is given back."""
    seen = []
    for engine in ("duckdb", "spark"):
        folder = tmp_path / engine
        folder.mkdir()
        if bucket and engine == "spark":
            use_bucket(folder)
            (folder / "database.url").write_text(f"sqlite:///{folder / 'readiness.db'}")
        shop, installation = order_domain(), installed(folder, engine=engine)
        doing(shop, installation)
        assert reconcile([shop], installation=installation).problems == ()
        assert read_by_others(installation) == {name: len(rows) for name, rows in shown(installation, *READ).items()}
        records = installation.ledger.batches()
        seen.append((shown(installation, *TABLES), [(str(r.ref), r.state, r.counts, r.gate_version) for r in records]))
    assert seen[1] == seen[0]
    return seen[0][0]


def test_published_quarantined_profiled_and_measured_alike(tmp_path: Path) -> None:
    def doing(shop: Domain, installation: Installation) -> None:
        run(shop, installation, "day_1", *ONE_BAD)
        with pytest.raises(ReadinessError):
            run(shop, installation, "day_3", *MOSTLY_BAD)

    found = same_on_both(tmp_path, doing)
    assert {name: len(rows) for name, rows in found.items()} == {
        "shop_raw.orders": 8, "shop.orders": 3, "shop_quarantine.orders": 5, "shop.paid": 3, "shop.refund_rate": 1
    }  # fmt: skip


def test_executors_reach_a_bucket_without_hadoop(tmp_path: Path) -> None:
    def doing(shop: Domain, installation: Installation) -> None:
        run(shop, installation, "day_1", *ONE_BAD)

    assert len(same_on_both(tmp_path, doing, bucket=True)["shop_quarantine.orders"]) == 1


def test_decisions_mean_the_same_and_a_replay_applies_them(tmp_path: Path) -> None:
    def doing(shop: Domain, installation: Installation) -> None:
        run(shop, installation, "day_1", *ONE_BAD, "5,-1,paid,c", "6,x,paid,d", "7,-7,paid,it's", "8,8,paid,e")
        table = shop.table("orders")
        for what in (
            Correction(column="amount", expression="replace(amount, '-', '')", where="order_id = '2'"),
            CellCorrection(cells={"amount": {"5": "12"}}, file="cells.csv"),
            Waiver(rule="amount_greater_than_or_equal_to", where="note = 'it''s'"),
            Discarding(where="order_id = '5'"),
        ):
            decide(table, what, batch="day_1", installation=installation, run=RUN, why="test")
        replay_batch(gated(shop), batch="day_1", installation=installation, run=RUN)

    found = same_on_both(tmp_path, doing)
    assert len(found["shop.orders"]) == 7
    (discarded,) = found["shop_quarantine.orders"]
    assert "decision 4" in str(discarded)


def test_a_batch_whose_columns_drifted_is_judged_as_it_arrived(tmp_path: Path) -> None:
    def doing(shop: Domain, installation: Installation) -> None:
        run(shop, installation, "day_1", *GOOD)
        with pytest.raises(ReadinessError):
            run(shop, installation, "day_3", *GOOD, header="order_id,amount,status,Note")

    found = same_on_both(tmp_path, doing)
    assert {name: len(found[name]) for name in READ} == {"shop.orders": 4, "shop_quarantine.orders": 4}


def test_references_read_other_tables_and_batches_by_spark(tmp_path: Path) -> None:
    def doing(shop: Domain, installation: Installation) -> None:
        table: Any = shop.table("orders")
        gating = replace(table.gating, rules=(NotInOtherBatches(["order_id"]),))
        shop._tables["orders"] = replace(table, gating=gating)
        run(shop, installation, "day_1", *GOOD)
        run(shop, installation, "day_2", *GOOD[:2], "8,1,paid,x", "9,1,paid,x", "10,1,paid,x")

    assert len(same_on_both(tmp_path, doing)["shop_quarantine.orders"]) == 2


class AsItCame(clinic.Visit):
    """A visit without cleansing: upper case is another thing on Spark."""

    patient: pa.string() = pandera.Field(metadata=protect("pii.id", subject=True))


def test_a_person_is_gone_from_the_files_that_executors_wrote(tmp_path: Path) -> None:
    left = []
    for engine in ("duckdb", "spark"):
        folder = tmp_path / engine
        installation, domain = installed(folder, engine=engine), clinic.clinic(AsItCame)
        clinic.land(folder)
        run_domains(domain, installation=installation)
        spelled = [clinic.ANNA, clinic.ANNA.lower()]
        done = erase([domain], spelled, why="asked", ground="gdpr-17", installation=installation, run=RUN)
        assert done.open_ends == ()
        assert done.scan.by_text
        wanted = clinic.ANNA.lower().encode()
        assert [one for one in folder.rglob("*") if one.is_file() and wanted in one.read_bytes().lower()] == []
        assert reconcile([domain], installation=installation).problems == ()
        left.append(clinic.rows_of(installation))
    assert left[1] == left[0]


def test_spark_that_does_not_answer_is_named_and_loses_nothing(tmp_path: Path) -> None:
    installation = installed(tmp_path / "x", engine="spark")
    away = replace(installation, spark_url="sc://me@127.0.0.1:1/;token=hidden")
    with pytest.raises(EngineError, match=r"sc://127\.0\.0\.1:1/: ") as refused:
        run(order_domain(), away, "day_1", *GOOD)
    assert "hidden" not in str(refused.value)
    run(order_domain(), installation, "day_1", *GOOD)
    assert reconcile([order_domain()], installation=installation).problems == ()


def test_a_domain_names_its_engine_and_a_table_its_own() -> None:
    from readiness_pipelines.delivery.gates import engine_of  # noqa: PLC0415  # only here

    shop = order_domain()
    table: Any = shop.table("orders")
    assert engine_of(table, "duckdb") == "duckdb"
    assert engine_of(table, "spark") == "spark"
    assert engine_of(replace(table, domain=Domain("shop", owner="o", engine="spark")), "duckdb") == "spark"
    assert engine_of(replace(table, engine="duckdb"), "spark") == "duckdb"
    assert engine_of(shop.table("paid"), "spark") == "duckdb"
