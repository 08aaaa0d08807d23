"""Every night latest values are compared with what is published: a tampered row fails the run and is an incident."""

import sqlite3
from pathlib import Path

import dagster as dg

from readiness_pipelines.delivery.online.keeping import refresh_online
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import FindingKind
from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines.overview.observing import observe
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.delivery.online.market import Market


def test_a_tampered_row_fails_the_nightly_comparison_until_it_is_refreshed(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    settings = settings_in(tmp_path)
    market = Market(Installation.open(settings))
    market.deliver(day_1=[(f"buyer {number}", "a", 0, 1) for number in range(4)])
    repository = build_definitions(market.domain, settings=settings).get_repository_def()
    assert repository.get_schedule_def("compare_latest_values_nightly").cron_schedule == "47 4 * * *"
    job = repository.get_job("compare_latest_values")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
        assert market.installation.ledger.file is not None
        with sqlite3.connect(market.installation.ledger.file) as database:
            database.execute("DELETE FROM ledger_online_values WHERE table_name = 'market.by_delivery'")
        assert not job.execute_in_process(instance=instance, raise_on_error=False).success
        found = observe(market.domain.tables, installation=market.installation, now=market.now).findings
        (finding,) = [one for one in found if one.kind is FindingKind.ONLINE]
        assert finding.seen.startswith("4 of 4 sampled keys differ")
        assert finding.way_out == "readiness features refresh market.by_delivery"
        refresh_online(market.by_delivery, installation=market.installation, run=market.run)
        assert job.execute_in_process(instance=instance).success
    assert market.installation.ledger.findings.of(tables=[market.by_delivery.id]) == ()
