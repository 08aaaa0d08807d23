"""The one identity of a table, and what may be one."""

import pytest

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.names import SHADOWS, TableId, checked_domain_name, checked_environment, checked_identifier


@pytest.mark.parametrize("name", ["Orders", "or ders", "1a", "a-b", "a;b", "", "a__b", None, 7])
def test_what_is_not_an_identifier_is_refused(name: object) -> None:
    with pytest.raises(DeclarationError, match="is not an identifier"):
        checked_identifier(name, "table name")


@pytest.mark.parametrize("text", ["orders", "shop.", ".orders", "shop.a.b", "Shop.orders", "shop/orders"])
def test_what_is_not_a_tables_name_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match="is not the name of a table"):
        TableId.parse(text)


def test_a_name_reads_back_as_it_was_written() -> None:
    assert TableId.parse("shop.orders") == TableId("shop", "orders")
    assert str(TableId("shop", "orders")) == "shop.orders"


@pytest.mark.parametrize("name", ["shop_raw", "shop_quarantine", "shop_profiles", "shop_versions"])
def test_no_domain_takes_a_namespace_beside_another(name: str) -> None:
    with pytest.raises(DeclarationError, match="ends like a namespace"):
        checked_domain_name(name)


def test_what_is_kept_beside_a_domain_and_what_is_of_an_environment_are_never_taken_for_each_other() -> None:
    with pytest.raises(DeclarationError, match="ends in _"):
        checked_domain_name("shop_")
    for kind in SHADOWS:
        with pytest.raises(DeclarationError, match="not a name for an environment"):
            checked_environment(kind)
        assert not TableId(f"shop__{kind}", "orders").in_environment  # an older version took the domain shop_
    assert TableId("shop_", "orders").raw.keeps_arrived
    waiting = TableId(f"shop_quarantine__{checked_environment('dev')}", "orders")
    assert waiting.environment == "dev"
    assert waiting.keeps_arrived
