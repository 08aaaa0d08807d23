"""Micro-batches of Spark Structured Streaming are slices: each is in the tables once, whatever fails on the way."""

from datetime import timedelta
from pathlib import Path

import pytest

from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.errors import StreamError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.streaming import MicroBatches
from readiness_pipelines.streaming.marks import check_topic
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.engines import spark
from readiness_pipelines_tests.streaming.payments import START, Clock, mixed, payments_domain, payments_table, rows_of

COLUMNS = "payment_id string, paid_at string, amount string, state string, note string"


@pytest.mark.slow
def test_each_micro_batch_is_in_the_tables_once_though_queries_fail_at_each_point(tmp_path: Path) -> None:
    session = spark()
    (tmp_path / "landing").mkdir()
    installation, clock = Installation.open(settings_in(tmp_path)), Clock()
    domain = payments_domain()
    table = payments_table(domain)
    folder = tmp_path / "arrives"
    folder.mkdir()
    fine = [value for value in mixed(700) if value.endswith(b"}")]

    def query(checkpoint: str, fails_at: Point | None) -> str:
        def step(point: Point) -> None:
            if point is fails_at:
                raise RuntimeError(f"fails after {point}")

        brings = MicroBatches(table, installation=installation, run=Run(who="spark", clock=clock), step=step)
        rows = session.readStream.schema(COLUMNS).option("maxFilesPerTrigger", 1).json(str(folder))
        writes = rows.writeStream.foreachBatch(brings).option("checkpointLocation", str(tmp_path / checkpoint))
        running = writes.trigger(availableNow=True).start()
        try:
            running.awaitTermination()
        except Exception as error:  # Spark's own, with ours in its text
            return f"{type(error).__name__}: {error}"
        finally:
            brings.close()
        return ""

    points = [Point.STAGED, Point.LANDED, Point.QUARANTINED, Point.PUBLISHED]
    for number, point in enumerate([None, *points, None]):
        part = fine[number * 90 : (number + 1) * 90]
        (folder / f"{number}.json").write_bytes(b"\n".join(part) + b"\n")
        said = query("checkpoint", point)
        assert (f"fails after {point}" in said) == (point is not None), said
    sent = 6 * 90
    assert [row for (row,) in rows_of(installation, table.id.raw, "_row")] == list(range(sent))
    shown = rows_of(installation, table.id, "_row") + rows_of(installation, table.id.quarantine, "_row")  # type: ignore[operator]
    assert sorted(shown) == [(row,) for row in range(sent)]
    assert "made anew" in query("another_checkpoint", None)
    before = rows_of(installation, table.id, "*")
    clock.now = START + timedelta(hours=1, seconds=15)
    for work in due_work([domain], installation=installation, now=clock.now):
        do_work(work, installation=installation, run=Run(clock=clock))
    assert len(rows_of(installation, table.id, "*")) == len(before)
    assert reconcile([domain], installation=installation).problems == ()
    with pytest.raises(StreamError, match=r"payments \(by Spark\)"):
        check_topic(installation.lakehouse.properties(table.id.raw), "payments", "")
