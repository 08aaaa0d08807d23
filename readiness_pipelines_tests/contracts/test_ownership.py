"""What a table is found by, what to do when it is wrong, who is on call, and what a product promises for a month."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Domain, FileDrop, Freshness, OnCallCalendar, Ratio, Sla, Source, Steward, Versions
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines_tests.samples import Order


def gated(domain: Domain, **more: Any) -> GatedTable:
    source = Source(origin="Shop", steward=Steward("Desk", "desk@shop.example"), reader=FileDrop("{batch}/*.csv"))
    return domain.gated("orders", source=source, schema=Order, batches=Versions(), **more)


def test_words_are_kept_once_and_one_may_stand_alone() -> None:
    table = gated(
        Domain("shop", owner="a@shop.example"), tags="sales", synonyms=["Bestellungen", " purchases ", "purchases"]
    )
    assert (table.tags, table.synonyms) == (("sales",), ("Bestellungen", "purchases"))
    for wrong in ([""], [3], 7):
        with pytest.raises(DeclarationError, match="tags of shop"):
            gated(Domain("shop", owner="a@shop.example"), tags=wrong)


def test_a_runbook_is_text_or_a_file_beside_the_page_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    shop = Domain("shop", owner="a@shop.example")
    assert shop.folder == Path(__file__).resolve().parent
    written = gated(shop, runbook="# When orders are late\n\nCall the desk.").runbook
    assert written is not None
    assert (written.title, written.path) == ("When orders are late", None)
    shop._folder = tmp_path
    (tmp_path / "orders.md").write_text("Call the desk: Grüße.", encoding="utf-8")
    shop._tables.clear()
    read = gated(shop, runbook=Path("orders.md")).runbook
    assert read is not None
    assert (read.title, read.path) == ("Call the desk: Grüße.", tmp_path / "orders.md")
    (tmp_path / "latin.md").write_bytes("Grüße".encode("latin-1"))
    for wrong, why in {
        Path("gone.md"): "gone.md",
        Path("latin.md"): "UTF-8",
        "orders.md": "Path",
        " ": "empty",
    }.items():
        with pytest.raises(DeclarationError, match=why):
            gated(
                Domain("shop", owner="a@shop.example"), runbook=tmp_path / wrong if isinstance(wrong, Path) else wrong
            )


def test_a_calendar_is_in_a_file_at_an_address_or_in_a_variable_and_nowhere_else() -> None:
    shop = Domain("shop", owner="a@shop.example", on_call_calendar=OnCallCalendar("oncall.ics"), answer_within="30m")
    assert shop.on_call_calendar is not None
    assert (shop.on_call_calendar.where(), shop.answer_within) == ("oncall.ics", timedelta(minutes=30))
    secret = OnCallCalendar(variable="SHOP_CALENDAR")
    assert secret.where({"SHOP_CALENDAR": "https://calendar.example/a.ics"}) == "https://calendar.example/a.ics"
    with pytest.raises(DeclarationError, match="SHOP_CALENDAR is not set"):
        secret.where({})
    with pytest.raises(DeclarationError, match="not by ftp") as refused:
        secret.where({"SHOP_CALENDAR": "ftp://calendar.example/hidden.ics"})
    assert "hidden" not in str(refused.value)
    for wrong in (
        {},
        {"place": "a.ics", "variable": "B"},
        {"place": "file:///etc/passwd"},
        {"place": "a", "timeout": "0s"},
    ):
        with pytest.raises(DeclarationError):
            OnCallCalendar(**wrong)


def test_an_sla_promises_something_that_can_be_reckoned() -> None:
    shop = Domain("shop", owner="a@shop.example")
    gated(shop)
    with pytest.raises(DeclarationError, match="nothing is promised"):
        Sla()
    with pytest.raises(DeclarationError, match="nothing says what that is"):
        shop.kpi(name="early", question="?", unit="ratio", sla=Sla(fresh=0.99))(lambda orders: Ratio("1", "1"))
    kpi = shop.kpi(
        name="share",
        question="?",
        unit="ratio",
        freshness=Freshness(warn_after="1d", fail_after="2d"),
        sla=Sla(published=0.98, fresh=0.99, repaired_within="8h"),
    )(lambda orders: Ratio("1", "1"))
    assert kpi.sla is not None
    assert kpi.sla.repaired_within == timedelta(hours=8)
