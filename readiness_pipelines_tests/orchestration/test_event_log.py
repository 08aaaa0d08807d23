"""What a run writes is in Dagster's event log for whoever opens it, though its connections were kept."""

from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from readiness_pipelines.orchestration import launching
from readiness_pipelines_tests.orchestration.samples import make_project, own_home


def test_events_of_kept_connections_are_there_for_others_during_a_run_and_after_it(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    with own_home():
        with launching.open_instance(project) as instance:
            assert type(instance.event_log_storage) is SqliteEventLogStorage  # of the project's dagster.yaml
            assert "_connect" in vars(instance.event_log_storage)
            job = launching.find_job("shop", project=project)
            runs = [launching.run_batch(job, day, instance=instance, tags={}) for day in ("day_1", "day_2", "day_3")]
            with dg.DagsterInstance.get() as other:
                during = [len(other.all_logs(run.run_id)) for run in runs]
        assert "_connect" not in vars(instance.event_log_storage)
        with dg.DagsterInstance.get() as later:
            assert [len(later.all_logs(run.run_id)) for run in runs] == during
            assert min(during) > 15
            key = dg.AssetKey(["shop", "orders"])
            materialized = later.fetch_materializations(key, limit=10).records
            assert {record.partition_key for record in materialized} == {"day_1", "day_2"}
            ended = [later.get_run_by_id(run.run_id) for run in runs]
            assert [run and run.status.value for run in ended] == ["SUCCESS", "SUCCESS", "FAILURE"]
