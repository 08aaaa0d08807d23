"""What landed and was not ingested as it is: whole batches only, and not while they are being written."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.delivery import ingest, new_landings
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.samples import GOOD, ONE_BAD, land, order_path

PATH = order_path()
NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)


def landed(installation: Installation, now: datetime = LATER) -> list[str]:
    return [found.batch for found in new_landings(PATH, installation=installation, now=now)]


def take(installation: Installation, batch: str) -> None:
    orders: Any = PATH.table("orders")
    ingest(PATH, orders, batch=batch, installation=installation, run=Run(clock=lambda: LATER))


def touch(file: Path, at: datetime) -> None:
    os.utime(file, (at.timestamp(), at.timestamp()))


def test_what_was_ingested_is_not_new_until_its_files_change(installation: Installation) -> None:
    file = land(installation.landing.path, "day_1", *GOOD)
    land(installation.landing.path, "day_2", *GOOD)
    assert landed(installation) == ["day_1", "day_2"]
    take(installation, "day_1")
    assert landed(installation) == ["day_2"]
    land(installation.landing.path, "day_1", *ONE_BAD, "9,1,paid,x")
    assert landed(installation) == ["day_1", "day_2"]
    take(installation, "day_1")
    touch(file, LATER + timedelta(hours=1))
    assert landed(installation, LATER + timedelta(hours=2)) == ["day_1", "day_2"]


def test_a_file_that_is_still_being_written_is_left_alone(installation: Installation) -> None:
    touch(land(installation.landing.path, "day_1", *GOOD), NOW)
    assert landed(installation, NOW + timedelta(seconds=4)) == []
    assert landed(installation, NOW + timedelta(seconds=6)) == ["day_1"]


def test_each_set_of_files_has_a_digest_of_its_own(installation: Installation) -> None:
    digests = set()
    for rows in (GOOD, ONE_BAD):
        file = land(installation.landing.path, "day_1", *rows)
        for at in (NOW, NOW + timedelta(seconds=1)):
            touch(file, at)
            for _ in range(2):
                (found,) = new_landings(PATH, installation=installation, now=LATER)
                digests.add(found.digest)
    assert len(digests) == 4


@pytest.mark.parametrize("name", ["day_1.csv.part", ".day_1.csv", "other/day_1.csv"])
def test_files_that_match_no_pattern_are_no_landing(installation: Installation, name: str) -> None:
    file = installation.landing.path / "orders" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    assert landed(installation) == []
