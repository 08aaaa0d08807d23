"""Claims: a table's name belongs to the declaration that delivers it first, until somebody adopts it."""

import multiprocessing
from pathlib import Path

import pytest

from readiness_pipelines.errors import DeclarationError, LedgerError
from readiness_pipelines.ledger import Home, Ledger
from readiness_pipelines_tests.databases import Kind, database_in
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

SHOP = Home("shop.tables", "ann", "Shop export")
OTHER = Home("outlet.tables", "bob", "Outlet export")


def test_the_first_declaration_owns_the_name(ledger: Ledger) -> None:
    ledger.claim(ORDERS, SHOP, at=NOW)
    ledger.claim(ORDERS, SHOP, at=NOW)
    with pytest.raises(DeclarationError) as caught:
        ledger.claim(ORDERS, OTHER, at=NOW)
    for part in ("shop.orders", str(SHOP), str(OTHER)):
        assert part in caught.value.what
    assert "readiness adopt shop.orders" in caught.value.way_out
    assert ledger.claims() == {ORDERS: SHOP}


def test_a_table_that_moved_is_adopted_with_a_reason(ledger: Ledger) -> None:
    ledger.claim(ORDERS, SHOP, at=NOW)
    with pytest.raises(LedgerError, match="has no reason"):
        ledger.adopt(ORDERS, OTHER, who="ann", why=" ", at=NOW)
    ledger.adopt(ORDERS, OTHER, who="ann", why="the shop moved", at=NOW)
    ledger.claim(ORDERS, OTHER, at=NOW)
    with pytest.raises(DeclarationError):
        ledger.claim(ORDERS, SHOP, at=NOW)
    assert ledger.claims() == {ORDERS: OTHER}


def _claim(folder: Path, name: str) -> None:
    home = Home(f"{name}.tables", "ann", "export")
    try:
        Ledger.open(database_in(folder)).claim(ORDERS, home, at=NOW)
    except DeclarationError:
        (folder / f"{name}.refused").touch()


def test_of_processes_that_claim_a_name_at_once_one_gets_it(database: Kind, tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    names = ["a", "b", "c", "d"]
    workers = [context.Process(target=_claim, args=(tmp_path, name)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(LONGEST_SECONDS)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    home = Ledger.open(database_in(tmp_path)).claims()[ORDERS]
    refused = sorted(file.stem for file in tmp_path.glob("*.refused"))
    assert refused == [name for name in names if home.module != f"{name}.tables"]
    assert len(refused) == 3
