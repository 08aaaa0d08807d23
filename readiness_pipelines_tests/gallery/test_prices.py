"""Transforms in SQL and in Arrow: rows are multiplied, and all dropped."""

from readiness_pipelines.batches import BatchState
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.gallery.prices import expensive, labels, prices
from readiness_pipelines_tests.gallery.running import record, rows, run, write

DAY = "2026-01-01"


def test_rows_are_multiplied_and_dropped(installation: Installation) -> None:
    write(installation, f"prices/{DAY}.csv", "article,cents,shelves", "milk,99,3", "wine,1200,2")
    run(prices, installation=installation)
    assert rows(installation, labels.id, "article", "shelf", "_row") == [
        ("milk", 0, 0),
        ("milk", 1, 1),
        ("milk", 2, 2),
        ("wine", 0, 3),
        ("wine", 1, 4),
    ]
    assert rows(installation, expensive.id, "article", "shelf") == [("wine", 0), ("wine", 1)]

    write(installation, f"prices/{DAY}.csv", "article,cents,shelves", "milk,99,3", "wine,900,2")
    run(prices, installation=installation)
    assert rows(installation, expensive.id) == []
    assert record(installation, expensive, DAY).state in (BatchState.EMPTY, BatchState.PUBLISHED)
