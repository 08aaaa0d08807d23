"""A database as a source: late rows are noticed, and a lookup that did not change is no new version."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.databases import KINDS, Kind, new_postgres_database
from readiness_pipelines_tests.gallery.running import rows, run
from readiness_pipelines_tests.gallery.tills import receipts, stores, takings, tills


def execute(url: str, *statements: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize("kind", KINDS)
def test_late_rows_and_a_lookup(installation: Installation, tmp_path: Path, kind: Kind) -> None:
    url = new_postgres_database() if kind == "postgres" else f"sqlite:///{tmp_path / 'tills.db'}"
    installation = replace(installation, connection={"tills": url}.__getitem__)
    execute(
        url,
        "CREATE TABLE stores (store BIGINT, city VARCHAR(20))",
        "CREATE TABLE receipts (receipt BIGINT, store BIGINT, cents BIGINT, sold_at TIMESTAMP)",
        "INSERT INTO stores VALUES (1, 'Pisa'), (2, 'Rome')",
        "INSERT INTO receipts VALUES (1, 1, 500, '2026-01-01 10:00:00'), (2, 2, 700, '2026-01-01 23:59:59')",
        "INSERT INTO receipts VALUES (3, 1, 100, '2026-01-02 00:00:00'), (4, 9, 1, '2026-01-02 12:00:00')",
    )
    first = run(tills, installation=installation)
    assert first["receipts"] == ["2026-01-01", "2026-01-02"]
    assert len(first["stores"]) == 1
    assert [value.value for value in kpi_values(takings, installation=installation)] == [1200, 100]
    assert rows(installation, receipts.id.quarantine, "store") == [(9,)]

    execute(url, "INSERT INTO receipts VALUES (5, 2, 50, '2026-01-01 09:00:00')")
    day = ["2026-01-01"]
    assert run(tills, installation=installation) == {"receipts": day, "taken": day, "takings": day}
    execute(url, "UPDATE receipts SET cents = 200 WHERE receipt = 3")
    day = ["2026-01-02"]
    assert run(tills, installation=installation) == {"receipts": day, "taken": day, "takings": day}
    assert [value.value for value in kpi_values(takings, installation=installation)] == [1250, 200]
    assert {row["_batch"] for row in rows(installation, stores.id)} == set(first["stores"])
