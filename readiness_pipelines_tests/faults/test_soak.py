"""The soak itself: some fixed seeds hold the laws, and what is planted is found."""

from pathlib import Path
from unittest.mock import patch

import pytest

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import Level, Reconciliation
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.lakehouse.catalogs import open_catalog
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.faults import oracle
from readiness_pipelines_tests.faults.acts import ORDERS, SHOP, impossible, land_file
from readiness_pipelines_tests.faults.disk import small_disk
from readiness_pipelines_tests.faults.schedules import File, draw
from readiness_pipelines_tests.faults.soak import run_schedule

FILE = File("day_1", ("0,10,paid,v1", "1,-1,paid,v1", "2,30,refunded,v1"))
SEEDS = (195, 258)
"""Killed at a commit point and between tables, on a full disk; decided, and taken back."""


def delivered(folder: Path) -> Installation:
    """An installation of which one batch was delivered."""
    land_file(folder, FILE)
    installation = Installation.open(settings_in(folder))
    run_domains(SHOP, installation=installation)
    return installation


def without_a_row(folder: Path) -> None:
    """Take a published row away, behind the framework's back."""
    settings = settings_in(folder)
    open_catalog(settings.catalog_url, settings.warehouse_place).load_table("shop.orders").delete("_row = 2")


def test_a_seed_draws_the_same_schedule() -> None:
    assert draw(5) == draw(5)
    assert draw(5) != draw(6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_laws_hold_after_a_schedule(seed: int) -> None:
    with small_disk() as disk:
        met, violations = run_schedule(draw(seed, postgres=False), disk)
    assert violations == ()
    assert met.faults


@pytest.mark.slow
def test_what_is_planted_is_found_where_nothing_names_it(tmp_path: Path) -> None:
    installation = delivered(tmp_path / "struck")
    assert list(oracle.judge(tmp_path / "struck", tmp_path / "sound", {"day_1": [FILE]})) == []
    without_a_row(tmp_path / "struck")
    blind = Reconciliation(level=Level.ROWS, batches=0, rows=0, unproved=0, recomputed=0, skipped={}, problems=())
    with patch.object(oracle, "reconcile", return_value=blind):
        found = list(oracle.judge(tmp_path / "struck", tmp_path / "reference", {"day_1": [FILE]}))
    assert {violation.law for violation in found} == {"unseen", "unequal", "lost"}
    assert installation.ledger.open_attempts() == ()


@pytest.mark.slow
def test_what_is_planted_and_named_is_brought_to_its_end(tmp_path: Path) -> None:
    installation = delivered(tmp_path / "struck")
    without_a_row(tmp_path / "struck")
    attempt = BatchRef(ORDERS.id, "day_1")
    installation.ledger.begin(attempt, attempt="cut-off", run_id="r0", who="me", at=utc_now())
    assert {violation.law for violation in oracle.left_behind(tmp_path / "struck", installation)} == {"stuck"}
    assert oracle.named_batches(installation) == {"day_1"}
    assert list(oracle.judge(tmp_path / "struck", tmp_path / "reference", {"day_1": [FILE]})) == []


def test_a_reader_that_sees_two_versions_or_a_row_twice_is_told() -> None:
    assert list(impossible([("day_1", 0, "v1"), ("day_1", 1, "v1"), ("day_2", 0, "v2")])) == []
    assert len(list(impossible([("day_1", 0, "v1"), ("day_1", 1, "v2")]))) == 1
    assert len(list(impossible([("day_1", 0, "v1"), ("day_1", 0, "v1")]))) == 1
