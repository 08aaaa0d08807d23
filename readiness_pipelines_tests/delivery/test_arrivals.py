"""What arrived and was not ingested as it is: whole batches only, and not while they are being written."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from readiness_pipelines.delivery import due_work, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.samples import GOOD, ONE_BAD, gated, land, order_domain

SHOP = order_domain()
NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)


def arrived(installation: Installation, now: datetime = LATER, *, settles_after: float = 0) -> list[str]:
    """The batches of which rows are to be read."""
    work = due_work([SHOP], installation=installation, now=now, settles_after=timedelta(seconds=settles_after))
    return [one.batch for one in work if one.why == "shop.orders: arrived"]


def take(installation: Installation, batch: str) -> None:
    ingest(gated(SHOP), batch=batch, installation=installation, run=Run(clock=lambda: LATER))


def touch(file: Path, at: datetime) -> None:
    os.utime(file, (at.timestamp(), at.timestamp()))


def test_what_was_ingested_is_not_new_until_its_files_change(installation: Installation) -> None:
    file = land(installation.landing.path, "day_1", *GOOD)
    land(installation.landing.path, "day_2", *GOOD)
    assert arrived(installation) == ["day_1", "day_2"]
    take(installation, "day_1")
    assert arrived(installation) == ["day_2"]
    land(installation.landing.path, "day_1", *ONE_BAD, "9,1,paid,x")
    assert arrived(installation) == ["day_1", "day_2"]
    take(installation, "day_1")
    touch(file, LATER + timedelta(hours=1))
    assert arrived(installation, LATER + timedelta(hours=2)) == ["day_1", "day_2"]


def test_a_file_that_is_still_being_written_is_left_alone(installation: Installation) -> None:
    touch(land(installation.landing.path, "day_1", *GOOD), NOW)
    assert arrived(installation, NOW + timedelta(seconds=4), settles_after=5) == []
    assert arrived(installation, NOW + timedelta(seconds=6), settles_after=5) == ["day_1"]


def test_each_arrival_has_a_fingerprint_of_its_own(installation: Installation) -> None:
    fingerprints = set()
    for rows in (GOOD, ONE_BAD):
        file = land(installation.landing.path, "day_1", *rows)
        for at in (NOW, NOW + timedelta(seconds=1)):
            touch(file, at)
            for _ in range(2):
                (found,) = due_work([SHOP], installation=installation, now=LATER)
                fingerprints.add(found.fingerprint)
    assert len(fingerprints) == 4


@pytest.mark.parametrize("name", ["day_1.csv.part", ".day_1.csv", "other/day_1.csv"])
def test_files_that_match_no_pattern_are_not_read(installation: Installation, name: str) -> None:
    file = installation.landing.path / "orders" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    assert arrived(installation) == []
