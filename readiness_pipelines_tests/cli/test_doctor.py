"""The doctor finds what is wrong, names it, and says the way out."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Home
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject
from readiness_pipelines_tests.engines import spark
from readiness_pipelines_tests.stores import new_bucket


def test_an_installation_that_is_well_is_said_to_be(project: Path) -> None:
    found = {one["what"]: one for one in as_json("doctor")}
    assert all(one["ok"] for one in found.values())
    assert set(found) == {
        "packages",
        "landing",
        "warehouse",
        "catalog",
        "ledger",
        "alerts",
        "domains",
        "names",
        "erasures",
        "types",
    }
    assert found["catalog"]["detail"].startswith("SQLite answers; ")
    assert found["domains"]["detail"].startswith("shop: 3 tables, ")
    assert "everything is well" in call("doctor")


def wrong(what: str) -> tuple[str, str]:
    found = {one["what"]: one for one in as_json("doctor", code=1)}
    assert [name for name, one in found.items() if not one["ok"]] == [what]
    return found[what]["detail"], found[what]["way_out"]


def test_a_landing_folder_that_is_not_there_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_LANDING", str(project / "nowhere"))
    detail, way_out = wrong("landing")
    assert "nowhere is not a folder" in detail
    assert "READINESS_LANDING" in way_out


def test_a_ledger_that_does_not_answer_is_named_without_its_password(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READINESS_LEDGER_URL", "postgresql://me:hidden@127.0.0.1:1/none")
    detail, way_out = wrong("ledger")
    assert "127.0.0.1:1" in detail
    assert "hidden" not in detail + way_out
    assert "READINESS_LEDGER_URL" in way_out


def test_a_channel_without_an_address_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONCALL_URL", raising=False)
    (project / "readiness.toml").write_text(
        '[[alerts.channels]]\nname = "oncall"\nurl_variable = "ONCALL_URL"\n[[alerts.rules]]\nchannels = ["oncall"]\n'
    )
    assert "ONCALL_URL is not set" in wrong("alerts")[0]


def test_a_domain_that_cannot_be_loaded_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_DOMAINS", "nowhere_at_all:shop")
    assert "nowhere_at_all" in wrong("domains")[0]


def test_two_domains_of_one_name_are_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one_shop", "other_shop"):
        (project / f"{name}.py").write_text(
            "from readiness_pipelines import Domain\nshop = Domain('shop', owner='x')\n"
        )
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("READINESS_DOMAINS", "one_shop:shop,other_shop:shop")
    assert "two domains are called 'shop'" in wrong("domains")[0]


def test_a_name_that_another_declaration_delivers_is_named_and_may_be_adopted(
    delivered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Installation.open(Settings()).ledger
    orders = TableId("shop", "orders")
    other = Home(module="elsewhere.shop", owner="other@shop.example", origin="Other export")
    ledger.adopt(orders, other, who="ann", why="test", at=datetime.now(UTC))
    detail, way_out = wrong("names")
    assert "shop.orders belongs to elsewhere.shop" in detail
    assert "readiness adopt shop.orders" in way_out
    assert "shop.orders belongs to" in call("run", "--batch", "day_2", code=1)
    text = call("adopt", "shop.orders", "--reason", "it has moved")
    assert "before to elsewhere.shop (owner other@shop.example, from Other export)" in text
    assert "already" in call("adopt", "shop.orders", "--reason", "again")
    assert "everything is well" in call("doctor")
    call("run", "--batch", "day_2")


def test_a_connection_that_has_no_address_is_named(make: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    make(
        "order_domain()\n"
        "from readiness_pipelines import Source, SqlQuery, Steward, Versions\n"
        "from readiness_pipelines_tests.samples import Paid\n"
        "domain.gated('rates', schema=Paid, batches=Versions(), source=Source(origin='T',\n"
        "    steward=Steward('T', 't@t.example'), reader=SqlQuery('SELECT * FROM rates', connection='treasury')))"
    )
    detail, _ = wrong("connections")
    assert "shop.rates: unknown connection 'treasury'" in detail


def test_a_setting_that_does_not_fit_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_ENGINE_MEMORY_MB", "lots")
    assert "engine_memory_mb" in wrong("settings")[0]


def test_a_bucket_is_tried_and_its_driver_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = new_bucket()
    monkeypatch.setenv("READINESS_WAREHOUSE", f"{bucket.uri}/warehouse")
    monkeypatch.setenv("READINESS_CATALOG_URL", f"sqlite:///{project / 'catalog.db'}")
    monkeypatch.setenv("READINESS_S3_ENDPOINT", bucket.store.endpoint)
    found = {one["what"]: one for one in as_json("doctor")}
    assert "not through its extension httpfs" in found["warehouse"]["detail"]
    monkeypatch.setenv("READINESS_WAREHOUSE", "s3://no-such-bucket/warehouse")
    found = {one["what"]: one for one in as_json("doctor", code=1)}
    assert "READINESS_S3_ENDPOINT" in found["warehouse"]["way_out"]


def test_a_wrong_variable_is_named_with_the_nearest(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_LEDGER", "x")
    detail, way_out = wrong("settings")
    assert "READINESS_LEDGER" in detail
    assert "READINESS_LEDGER_URL" in way_out


@pytest.mark.slow
def test_spark_is_joined_where_it_judges(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spark()
    monkeypatch.setenv("READINESS_ENGINE", "spark")
    monkeypatch.setenv("READINESS_SPARK_URL", "local[2]")
    found = {one["what"]: one for one in as_json("doctor")}
    assert found["Spark"]["detail"].startswith("Spark 4.")
    assert "pyarrow" in found["Spark"]["detail"]
    monkeypatch.setenv("READINESS_SPARK_URL", "sc://127.0.0.1:1")
    detail, way_out = wrong("Spark")
    assert "sc://127.0.0.1:1" in detail
    assert "READINESS_SPARK_URL" in way_out
