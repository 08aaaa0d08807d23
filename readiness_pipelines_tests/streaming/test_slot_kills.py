"""Whatever is killed wherever: raw has each change of a database once, and the current table is the source's."""

from datetime import UTC, datetime
from pathlib import Path

from readiness_pipelines.installation import Installation
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.streaming.kills_slot import Campaign, Changes
from readiness_pipelines_tests.streaming.shop_database import shop_database
from readiness_pipelines_tests.streaming.victims import Nursery


def test_processes_that_are_killed_at_points_and_at_random_and_one_that_stood_still_lose_and_double_no_change(
    installation: Installation, tmp_path: Path
) -> None:
    with shop_database() as database, Nursery() as nursery:
        campaign = Campaign(1, tmp_path, database)
        with Changes(1):
            campaign.kill_at(nursery, Point.LANDED, times=2)  # while rows are read
            campaign.stop_at(nursery, Point.STAGED)
            campaign.kill_at(nursery, Point.QUARANTINED, times=2)
            campaign.kill_after(nursery, 1.0)
            campaign.kill_at(nursery, Point.PUBLISHED, times=6)  # the rows are read, changes come
        assert campaign.counts["killed at a point"] == 3
        assert campaign.end(nursery) == []
    assert installation.ledger.streams.running(datetime.now(UTC)) == ()
