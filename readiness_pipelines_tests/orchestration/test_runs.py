"""What Dagster is told: which partitions are published, which are held, and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from readiness_pipelines.errors import CommitUnknownError, UnknownNameError
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration import build_definitions, launching
from readiness_pipelines.orchestration.failures import as_failures
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.orchestration.samples import make_project, own_home
from readiness_pipelines_tests.samples import GOOD, land, order_domain

ORDERS = dg.AssetKey(["shop", "orders"])
KPI = dg.AssetKey(["shop", "refund_rate"])
AMOUNT = "amount_greater_than_or_equal_to"


def run(
    project: Path, instance: dg.DagsterInstance, batch: str, *, tables: Sequence[TableId] | None = None
) -> dg.DagsterRun:
    job = launching.find_job("shop", project=project)
    return launching.run_batch(job, batch, instance=instance, tags={"readiness/who": "me"}, tables=tables)


def checks_of(instance: dg.DagsterInstance, ran: dg.DagsterRun) -> dict[str, dg.AssetCheckEvaluation]:
    records = instance.all_logs(ran.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [record.dagster_event.asset_check_evaluation_data for record in records if record.dagster_event]
    return {check.check_name: check for check in found if check.asset_key == ORDERS}


def records_of(check: dg.AssetCheckEvaluation, name: str) -> list[dict[str, object]]:
    table = check.metadata[name]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]


def materialized(instance: dg.DagsterInstance, key: dg.AssetKey) -> set[str]:
    return set(instance.get_materialized_partitions(key))


def test_a_published_batch_is_materialized_with_its_checks(project: Path, instance: dg.DagsterInstance) -> None:
    ran = run(project, instance, "day_1")
    assert ran.status is dg.DagsterRunStatus.SUCCESS
    assert materialized(instance, ORDERS) == {"day_1"}
    assert materialized(instance, KPI) == {"day_1"}
    checks = checks_of(instance, ran)
    assert checks["gate"].passed
    assert set(checks) == {"gate", "shape", "rows", "whole_batch", "volume", "distribution"}
    broken = checks["rows"]
    assert (broken.passed, broken.severity, broken.partition) == (False, dg.AssetCheckSeverity.WARN, "day_1")
    assert str(broken.description).endswith("broken: amount_greater_than_or_equal_to, 1 of 4 rows (25.00%)")
    assert broken.metadata["broken_rows: amount_greater_than_or_equal_to"].value == 1
    assert broken.metadata["who_answers"].value == "Shop team <shop@shop.example>"
    (first, *_), (sample,) = records_of(broken, "every_rule"), records_of(broken, f"sample_rows: {AMOUNT}")
    assert (first["rule"], first["pass_share"]) == (AMOUNT, "75.00%")
    assert sample == {"_row": 1, "_file": "orders/day_1.csv", "amount": "-20"}
    assert "shop_quarantine.orders" in str(broken.metadata["where_the_rest_lies"].value)
    assert all(check.passed for name, check in checks.items() if name != "rows")
    planned = instance.all_logs(ran.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED)
    assert planned == [], "a check that is planned stands as in progress for every batch"


def test_the_nightly_proof_fails_where_a_batch_is_not_as_its_verdict_left_it(
    project: Path, instance: dg.DagsterInstance
) -> None:
    run(project, instance, "day_1")
    defined = build_definitions(order_domain(), settings=settings_in(project))
    job = defined.get_repository_def().get_job("prove_tables")
    assert job.execute_in_process(instance=instance).success
    for file in (project / "warehouse" / "shop" / "orders" / "metadata").glob("*.json"):
        file.unlink()
    broken = job.execute_in_process(instance=instance, raise_on_error=False)
    (failure,) = (event for event in broken.all_events if event.is_step_failure)
    assert "shop.orders[*]: the metadata of shop.orders cannot be read" in str(failure.event_specific_data)


def test_a_held_batch_fails_its_partition_with_the_reason_and_stops_what_follows(
    project: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READINESS_WEB_URL", "https://readiness.example")
    ran = run(project, instance, "day_3")
    assert ran.status is dg.DagsterRunStatus.FAILURE
    assert launching.is_verdict(ran, instance=instance)
    assert launching.failure_of(ran, instance=instance) == (
        "held: 3 of 4 rows (75.00%) fail, over the tolerance of 50.00% "
        "· next: readiness quarantine show shop.orders --batch day_3"
    )
    (event,) = instance.all_logs(ran.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert event.dagster_event is not None
    told = event.dagster_event.step_failure_data.user_failure_data
    assert told is not None
    assert (told.metadata["quarantined_rows"].value, told.metadata["products_at_risk"].value) == (4, "shop.refund_rate")
    assert told.metadata["page"].value == "https://readiness.example/batches/shop/orders/day_3"
    assert "/jobs/shop_decide/playground/setup?config=" in str(told.metadata["decide_in_dagster"].value)
    tagged = instance.get_run_by_id(ran.run_id)
    assert tagged is not None
    assert tagged.tags["readiness/held"] == "shop.orders"
    assert materialized(instance, ORDERS) == set()
    assert materialized(instance, KPI) == set()
    gate = checks_of(instance, ran)["gate"]
    assert (gate.passed, gate.severity, gate.partition) == (False, dg.AssetCheckSeverity.ERROR, "day_3")
    assert gate.description is not None
    assert gate.description.startswith("held: 3 of 4 rows (75.00%) fail, over the tolerance of 50.00%")
    assert "next: readiness quarantine show shop.orders --batch day_3" in gate.description
    assert len(gate.description.splitlines()) == 1
    assert gate.metadata["replay_command"].value == "readiness replay shop.orders --batch day_3 --dry-run"


def test_a_held_batch_that_was_sent_again_turns_green(project: Path, instance: dg.DagsterInstance) -> None:
    run(project, instance, "day_3")
    land(project / "landing", "day_3", *GOOD)
    ran = run(project, instance, "day_3")
    assert ran.status is dg.DagsterRunStatus.SUCCESS
    assert checks_of(instance, ran)["gate"].passed
    assert materialized(instance, ORDERS) == {"day_3"}


def test_a_batch_that_did_not_land_fails_with_a_message_for_people(project: Path, instance: dg.DagsterInstance) -> None:
    (project / "landing" / "orders" / "day_2.csv").unlink()
    ran = run(project, instance, "day_2")
    failure = launching.failure_of(ran, instance=instance)
    assert not launching.is_verdict(ran, instance=instance)
    assert "no file landed for batch 'day_2'" in failure
    assert launching.failure_code(ran, instance=instance) == "batch-not-landed"


def test_a_kpi_shows_its_value_for_people_and_its_numbers_for_plots(
    project: Path, instance: dg.DagsterInstance
) -> None:
    run(project, instance, "day_2")
    run(project, instance, "day_1")
    event = instance.get_latest_materialization_event(KPI)
    assert event is not None
    assert event.asset_materialization is not None
    shown: dict[str, Any] = {name: entry.value for name, entry in event.asset_materialization.metadata.items()}
    assert (shown["readiness/batch"], shown["readiness/shown"], shown["readiness/met"]) == ("day_1", "0.0 %", True)
    assert [shown[f"readiness/{name}"] for name in ("value", "numerator", "denominator")] == [0.0, 0.0, 3.0]
    lineage = shown["dagster/column_lineage"].deps_by_column
    assert {(str(one.asset_key.path), one.column_name) for one in lineage["value"]} == {(str(ORDERS.path), "status")}
    value = next(column for column in shown["dagster/column_schema"].columns if column.name == "value")
    assert value.description == "from shop.orders.status"
    newest = (shown["readiness/newest_batch"], shown["readiness/newest_value"])
    assert newest == ("day_2", "25.0 % (meets its target)"), "whichever batch ran last"


def test_a_run_of_some_tables_computes_these_and_checks_nothing_else(tmp_path: Path) -> None:
    project = make_project(tmp_path, "order_domain(freshness=Freshness(warn_after='3d', fail_after='6d'))")
    with own_home(), launching.open_instance(project) as instance:
        ran = run(project, instance, "day_2", tables=[TableId("shop", "orders")])
        assert ran.status is dg.DagsterRunStatus.SUCCESS
        assert ran.asset_selection == {ORDERS, dg.AssetKey(["shop_raw", "orders"])}
        assert materialized(instance, ORDERS) == {"day_2"}
        assert materialized(instance, KPI) == set()
        assert "freshness" not in checks_of(instance, ran), "a run of one batch says nothing about the whole table"
        assert checks_of(instance, ran)["gate"].passed


def test_an_asset_tells_who_answers_and_what_is_in_it(project: Path, instance: dg.DagsterInstance) -> None:
    job = launching.find_job("shop", project=project).definition
    node = job.asset_layer.asset_graph.get(ORDERS)
    assert node.owners == ["shop@shop.example"]
    assert node.kinds == {"iceberg", "duckdb", "pandera"}
    assert node.group_name == "shop"
    assert node.description == "One order."
    assert node.metadata["dagster/table_name"] == "shop.orders"
    columns = node.metadata["dagster/column_schema"].columns
    assert [column.name for column in columns] == ["order_id", "amount", "status", "note", "_batch", "_row", "_file"]
    assert node.metadata["readiness/steward"] == "Shop team <shop@shop.example>"
    run(project, instance, "day_2")
    event = instance.get_latest_materialization_event(ORDERS)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["dagster/row_count"].value == 4


def test_the_ledger_knows_the_run_and_for_whom_it_was(project: Path, instance: dg.DagsterInstance) -> None:
    from readiness_pipelines.ledger import Ledger  # noqa: PLC0415  # only here

    ran = run(project, instance, "day_1")
    ledger = Ledger.open(f"sqlite:///{project / 'warehouse' / 'readiness.db'}")
    entries = [
        (entry.what, entry.who, entry.run_id) for entry in ledger.trail() if str(entry.ref.table) == "shop.orders"
    ]
    assert entries == [("partly_published", "me", ran.run_id)]


def test_a_workspace_may_name_a_file_in_place_of_a_module(project: Path, instance: dg.DagsterInstance) -> None:
    (module,) = project.glob("order_project_*.py")
    (project / "workspace.yaml").write_text(f"load_from:\n  - python_file: {module.name}\n")
    job = launching.find_job("shop", project=project)
    assert launching.run_batch(job, "day_2", instance=instance, tags={}).is_success


def test_an_unknown_job_batch_or_table_names_the_nearest(project: Path, instance: dg.DagsterInstance) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'shop'"):
        launching.find_job("shopp", project=project)
    with pytest.raises(UnknownNameError, match=r"did you mean 'shop\.orders'"):
        run(project, instance, "day_1", tables=[TableId("shop", "order")])
    with pytest.raises(UnknownNameError, match="did you mean 'day_1'"):
        run(project, instance, "day_11")


def test_a_changed_source_and_what_was_cleansed_are_shown_on_the_checks(
    project: Path, instance: dg.DagsterInstance
) -> None:
    run(project, instance, "day_1")
    land(project / "landing", "day_2", "1,10,paid,a,x", header="order_id,amount,status,note,coupon")
    checks = checks_of(instance, run(project, instance, "day_2"))
    changed = checks["shape"]
    assert (changed.passed, changed.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert str(changed.description).endswith("rules broken: coupon (string) is new")
    for check in (changed, checks["gate"]):
        (finding,) = records_of(check, "schema_changes")
        assert finding == {
            "column": "coupon",
            "change": "new column",
            "before": "",
            "after": "string",
            "effect": "not published",
        }
    assert checks["gate"].passed


@pytest.mark.slow
def test_what_was_tried_too_often_is_reported_by_its_first_cause(instance: dg.DagsterInstance) -> None:
    @dg.op
    def commit() -> None:
        with as_failures():
            raise CommitUnknownError("nobody knows whether it landed", way_out="run it again")

    @dg.job
    def delivery() -> None:
        commit()

    ran = delivery.execute_in_process(instance=instance, raise_on_error=False)
    assert not ran.success
    assert (
        launching.failure_of(ran.dagster_run, instance=instance) == "nobody knows whether it landed\n  → run it again"
    )
    assert launching.failure_code(ran.dagster_run, instance=instance) == "commit-unknown"
