from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId
from readiness_pipelines.page_addresses import batch_address, decide_address, incident_address, table_address

SALES = BatchRef(TableId("shop", "sales"), "2026-11-01T05/east&west ü")


def test_a_batch_of_any_name_is_one_part_of_its_address() -> None:
    assert batch_address("https://data.example/", SALES) == (
        "https://data.example/batches/shop/sales/2026-11-01T05%2Feast%26west%20%C3%BC"
    )
    assert decide_address("https://data.example", SALES).startswith("https://data.example/decide/shop/sales/2026")


def test_tables_and_incidents_have_addresses_under_any_root() -> None:
    assert table_address("http://host:1/under", SALES.table) == "http://host:1/under/tables/shop/sales"
    assert incident_address("http://host:1", 12) == "http://host:1/incidents/12"
