"""What is looked for is found whatever its case, accents, plural, joints and slips of the finger, the best first."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness_pipelines import Domain
from readiness_pipelines.overview import Where, catalog_index, search_catalog
from readiness_pipelines.overview.catalog.words import distance, fold, stem, words_of
from readiness_pipelines_tests.overview.catalog_domains import catalog_domains

DOMAINS = catalog_domains()


@pytest.mark.parametrize(
    ("query", "first", "where"),
    [
        ("orders", "shop.orders", Where.NAME),
        ("ORDER", "shop.orders", Where.NAME),
        ("ordres", "shop.orders", Where.NAME),
        ("backlog", "stock.order_backlog", Where.NAME),
        ("order backlog", "stock.order_backlog", Where.NAME),
        ("order_backlog", "stock.order_backlog", Where.NAME),
        ("Shop.Orders", "shop.orders", Where.NAME),
        ("bestellung", "shop.orders", Where.SYNONYM),
        ("Bestelungen", "shop.orders", Where.SYNONYM),
        ("groesse", "shop.orders", Where.COLUMN),
        ("GRÖSSE", "shop.orders", Where.COLUMN),
        ("grosse", "shop.orders", Where.COLUMN),
        ("ruecksendequote", "shop.return_rate", Where.SYNONYM),
        ("Rücksende", "shop.return_rate", Where.SYNONYM),
        ("rucksendquote", "shop.return_rate", Where.SYNONYM),
        ("country code", "shop.country_codes", Where.NAME),
        ("countries", "shop.country_codes", Where.NAME),
        ("ввп", "shop.country_codes", Where.COLUMN),
        ("валово", "shop.country_codes", Where.COLUMN_DESCRIPTION),
        ("jorg", "shop.orders", Where.PEOPLE),
        ("sap", "shop.orders", Where.SOURCE),
        ("sales", "shop.orders", Where.TAG),
        ("returned", "shop.return_rate", Where.DESCRIPTION),
        ("sensors", "shop.orders", Where.COLUMN),
        ("co", "shop.country_codes", Where.NAME),
    ],
)
def test_it_is_found_first_and_where(query: str, first: str, where: Where) -> None:
    hits = search_catalog(query, DOMAINS)
    assert str(hits[0].table) == first
    assert hits[0].where[0] is where
    assert not hits[0].missing
    assert list(hits) == sorted(hits, key=lambda hit: (-hit.score, hit.table))


def test_columns_that_matched_are_named_and_words_that_were_met_nowhere() -> None:
    (hit, *_) = search_catalog("customer amount zebra", DOMAINS)
    assert set(hit.columns) == {"customer_id", "net_amount"}
    assert hit.missing == ("zebra",)
    assert search_catalog("zebra", DOMAINS) == search_catalog("  ", DOMAINS) == search_catalog("x", []) == ()
    assert len(search_catalog("order", DOMAINS, limit=1)) == 1


def test_the_index_is_made_once_and_anew_where_something_was_declared_since() -> None:
    shop, stock = catalog_domains()
    index = catalog_index([shop, stock])
    assert catalog_index([shop, stock]) is index
    table = shop.table("orders")
    shop.derived(schema=table.schema, name="zebra_crossings", reads={"orders": table})(lambda orders: orders)  # type: ignore[union-attr]
    assert str(search_catalog("zebra", [shop, stock])[0].table) == "shop.zebra_crossings"


def test_a_table_whose_schema_is_none_is_found_by_all_else() -> None:
    shop, _ = catalog_domains()
    broken = Domain("broken", owner="a@b.example")
    source = shop.table("orders").source  # type: ignore[union-attr]
    broken.gated("orders", source=source, schema=object(), batches=shop.table("orders").batches, synonyms="quagga")
    assert str(search_catalog("quagga", [broken])[0].table) == "broken.orders"


TEXT = st.text(alphabet="abcäöüßéx_ -AB1", max_size=12)


@given(TEXT, TEXT)
@example("AA", "1111")
def test_words_are_folded_once_and_distances_are_those_of_swaps_and_slips(one: str, other: str) -> None:
    for word in words_of(one):
        assert fold(word) == word
        assert stem(stem(word)) == stem(word) or word.endswith("ss")
    far = distance(one, other, most=20)
    assert far == distance(other, one, most=20) <= max(len(one), len(other))
    assert (far == 0) == (one == other)
    assert distance(one, other, most=2) == min(far, 3)


def test_what_a_slip_is() -> None:
    assert [distance("order", slip, most=2) for slip in ("ordre", "oder", "orders", "ortre", "xyzde")] == [
        1,
        1,
        1,
        2,
        3,
    ]
