"""DuckDB as we open it."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from readiness_pipelines.sql import literal, lock_connection, utc_connection

ASKED = """
from readiness_pipelines.sql import utc_connection
print(utc_connection().execute("SELECT '2026-11-24 00:30:00'::TIMESTAMPTZ::VARCHAR").fetchone()[0])
"""


def test_the_hosts_time_zone_decides_nothing() -> None:
    """In a process of its own: DuckDB asks for the host's zone once."""
    asked = subprocess.run(  # our own code
        [sys.executable, "-c", ASKED],
        env={**os.environ, "TZ": "America/New_York"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert asked.stdout.strip() == "2026-11-24 00:30:00+00"


@pytest.mark.parametrize("expression", ["(SELECT content FROM read_text('/etc/passwd'))", "(SELECT 1 FROM '/etc/*')"])
def test_an_expression_that_nobody_checked_reads_no_file_on_a_locked_connection(
    tmp_path: Path, expression: str
) -> None:
    with utc_connection() as connection:
        rows = connection.sql("SELECT 1 AS a")
        lock_connection(connection, str(tmp_path))
        with pytest.raises(duckdb.Error):
            rows.project(expression).fetchall()
        with pytest.raises(duckdb.Error, match="configuration"):
            connection.execute("SET enable_external_access = true")
        file = literal(f"{tmp_path}/x.parquet")
        connection.execute(f"COPY (SELECT 7 AS a) TO {file} (FORMAT parquet)")
        assert connection.execute(f"FROM read_parquet({file})").fetchall() == [(7,)]
