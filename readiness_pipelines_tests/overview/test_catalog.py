"""The catalog says what declarations and ledger say, and nothing of it is a value that may not be shown."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
import rdflib

from readiness_pipelines import DailyBatches, Domain, FileDrop, Freshness, Source, StaticBatches, Steward, protect
from readiness_pipelines.batches import BatchState
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import OutcomeRecord
from readiness_pipelines.overview import (
    HeldTime,
    QualityMonth,
    catalog_entry,
    dcat_catalog,
    plain_value,
    reading_lines,
    source_entries,
    table_facts,
)
from readiness_pipelines.overview.catalog.quality import months_of
from readiness_pipelines.settings import Settings
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.overview.catalog_domains import catalog_domains
from readiness_pipelines_tests.overview.delivering import START, bring
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, gated, land, order_domain

DAY = timedelta(days=1)


def test_an_entry_says_all_that_is_declared() -> None:
    shop, stock = catalog_domains()
    entry = catalog_entry(shop.table("orders"))
    assert (entry.kind, entry.batches, entry.answers) == (
        "gated",
        "daily",
        "Ana Jörg <https://people.shop.example/ana>",
    )
    assert (entry.tags, entry.synonyms, entry.runbook) == (
        ("sales",),
        ("Bestellungen", "purchases"),
        "# Orders\n\nCall Ana.",
    )
    columns = {column.label: column for column in entry.columns}
    assert (columns["customer_id"].classification, columns["customer_id"].shown) == ("pii.id", False)
    assert (columns["Größe"].inherited, columns["Größe"].nullable) == (True, True)
    assert (columns["sensors"].pattern, columns["sensors"].name) == (True, r"^s_\d+$")
    assert entry.classification == "pii.id"
    assert [str(table) for table in (*entry.derived, *entry.products)] == ["stock.order_backlog", "shop.return_rate"]
    assert entry.source is not None
    assert (entry.source.origin, entry.source.refresh, entry.source.known_issues) == ("SAP R/3", DAY, ("late",))
    product = catalog_entry(shop.table("return_rate")).product
    assert product is not None
    assert (product.question, product.target) == ("How many orders are returned?", "<= 0.05")
    assert catalog_entry(stock.table("order_backlog")).columns[2].classification == "pii.id"
    assert [source.origin for source in source_entries([shop, stock])] == ["ISO", "SAP R/3"]
    json.dumps(plain_value(entry))


def test_facts_of_a_table_are_what_happened_to_its_batches(installation: Installation) -> None:
    shop = order_domain(freshness=Freshness(warn_after="2d", fail_after="3d"))
    orders = gated(shop)
    before = table_facts(orders, installation=installation, now=START)
    assert (before.batches, before.newest, before.cadence, before.kept) == ({}, None, None, None)
    bring(shop, installation, "day_1", ONE_BAD, at=START)
    bring(shop, installation, "day_2", MOSTLY_BAD, at=START + DAY)
    bring(shop, installation, "day_3", GOOD, at=START + 40 * DAY)
    bring(shop, installation, "day_2", GOOD, at=START + 42 * DAY)
    found = table_facts(orders, installation=installation, now=START + 43 * DAY)
    assert found.batches == {BatchState.PARTLY_PUBLISHED: 1, BatchState.PUBLISHED: 2}
    assert (found.newest, found.newest_at) == ("day_3", START + 40 * DAY)
    assert found.holds == (HeldTime(batch="day_2", since=START + DAY, until=START + 42 * DAY),)
    assert found.repair_time == 41 * DAY
    january, february = found.months
    assert (january.month, january.batches, january.holds, january.repaired) == ("2026-01", 2, 1, 1)
    assert january.pass_share == 7 / 8
    assert (february.month, february.batches, february.holds, february.pass_share) == ("2026-02", 1, 0, 1)
    assert isinstance(january, QualityMonth)
    assert found.cadence is not None
    assert (found.cadence.deliveries, found.cadence.longest_gap) == (3, 39 * DAY)
    assert found.kept is not None  # from day 13 on: broken until the third batch came on day 40, and kept since
    assert found.kept.spans == ((START + 13 * DAY, START + 40 * DAY),)
    assert (len(found.shapes), len(found.gates)) == (1, 1)
    assert found.profiled == "day_3"
    assert {column.name: column.nulls for column in found.profile}["note"] == 0.5
    json.dumps(plain_value(found))


class Visit(pa.DataFrameModel):
    """A visit."""

    person: arrow.string() = pa.Field(metadata=protect("pii.id"))
    weight: arrow.float64() = pa.Field(metadata=protect("phi.quasi"))
    room: arrow.int64()


def test_a_batch_belongs_to_its_month_by_its_own_clock() -> None:
    outcomes = [OutcomeRecord(batch="2026-11-30", state=BatchState.PUBLISHED, rows=(1, 1, 0, 0, 0))]
    for zone in ("America/New_York", "Asia/Tokyo"):
        days = DailyBatches(start=date(2026, 1, 1), timezone=zone)
        assert months_of(days, (), outcomes) == {"2026-11-30": "2026-11"}


def test_no_value_of_a_classified_column_is_in_the_catalog(installation: Installation) -> None:
    clinic = Domain("clinic", owner="c@clinic.example")
    source = Source(origin="Desk", steward=Steward("Desk", "d@c.example"), reader=FileDrop("orders/{batch}.csv"))
    visits = clinic.gated("visits", source=source, schema=Visit, batches=StaticBatches(keys=["day_1"]))
    land(installation.landing.path, "day_1", "mueller-lise,83.125,7", "weber,83.125,9", header="person,weight,room")
    run_domains(clinic, installation=installation)
    facts = table_facts(visits, installation=installation, now=datetime.now(UTC))
    by_name = {column.name: column for column in facts.profile}
    assert (by_name["room"].least, by_name["room"].greatest) == (7, 9)
    assert (by_name["weight"].least, by_name["weight"].mean, by_name["weight"].distinct) == (None, None, 1)
    text = json.dumps(plain_value([catalog_entry(visits), facts]))
    assert not any(value in text for value in ("83.125", "mueller", "weber"))


def test_the_lines_that_read_a_table_run_as_they_are(installation: Installation, tmp_path: Path) -> None:
    shop = order_domain()
    bring(shop, installation, "day_1", GOOD)
    lines = reading_lines(gated(shop).id, settings_in(tmp_path))
    given: dict[str, Any] = {}
    exec(lines.pyiceberg, given)  # noqa: S102  # what somebody would paste
    assert given["rows"].num_rows == len(GOOD)
    exec(lines.duckdb, given)  # noqa: S102
    assert "spark.sql.catalog.readiness.uri=jdbc:sqlite:/" in lines.spark


@pytest.mark.parametrize(
    ("url", "python", "spark"),
    [
        (
            "postgresql://ann:swordfish@db:5432/lake",
            'uri=os.environ["READINESS_CATALOG_URL"]',
            "uri=jdbc:postgresql://db:5432/lake",
        ),
        ("https://rest.example/catalog", 'uri="https://rest.example/catalog"', "uri=https://rest.example/catalog"),
    ],
)
def test_no_line_has_a_password(url: str, python: str, spark: str) -> None:
    shop, _ = catalog_domains()
    settings = Settings(catalog_url=url, ledger_url="sqlite:///x.db", warehouse="s3://lake")
    lines = reading_lines(shop.table("orders").id, settings)
    assert python in lines.pyiceberg
    assert spark in lines.spark
    assert "swordfish" not in lines.pyiceberg + lines.duckdb + lines.spark


DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
DCT = rdflib.Namespace("http://purl.org/dc/terms/")
FOAF = rdflib.Namespace("http://xmlns.com/foaf/0.1/")


@pytest.mark.parametrize("web", ["", "https://data.shop.example/ready"])
def test_the_export_is_json_ld_with_all_that_dcat_ap_demands(web: str) -> None:
    domains = catalog_domains()
    at = datetime(2026, 11, 29, tzinfo=UTC)
    orders = domains[0].table("orders").id
    exported = dcat_catalog(domains, warehouse="s3://lake/wh", web_url=web, published={orders: at}, at=at)
    graph = rdflib.Graph().parse(data=json.dumps(exported), format="json-ld")
    (catalog,) = graph.subjects(rdflib.RDF.type, DCAT.Catalog)
    datasets = set(graph.subjects(rdflib.RDF.type, DCAT.Dataset))
    assert set(graph.objects(catalog, DCAT.dataset)) == datasets
    assert {str(graph.value(one, DCT.identifier)) for one in datasets} == {
        "shop.orders",
        "shop.country_codes",
        "shop.return_rate",
        "stock.order_backlog",
    }
    for one in (catalog, *datasets):  # mandatory in DCAT-AP 3: title and description, of a catalog its publisher, too
        assert isinstance(one, rdflib.URIRef)
        for needed in (DCT.title, DCT.description, DCT.publisher):
            assert graph.value(one, needed) is not None
        assert graph.value(graph.value(one, DCT.publisher), FOAF.name) is not None
    for one in datasets:
        (distribution,) = graph.objects(one, DCAT.distribution)
        address = graph.value(distribution, DCAT.accessURL)
        assert isinstance(address, rdflib.URIRef)
        assert str(address).startswith("s3://lake/wh/s")
        rights = str(graph.value(one, DCT.accessRights))
        assert rights.rpartition("/")[2] in ("PUBLIC", "RESTRICTED", "NON_PUBLIC")
    (found,) = (one for one in datasets if str(graph.value(one, DCT.identifier)) == "shop.orders")
    assert str(graph.value(found, DCT.accessRights)).endswith("/NON_PUBLIC")
    assert str(graph.value(found, DCT.accrualPeriodicity)).endswith("/DAILY")
    assert rdflib.Literal("Bestellungen", lang="en") in set(graph.objects(found, DCAT.keyword))
