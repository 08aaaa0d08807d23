"""DuckDB as we open it."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import readiness_pipelines
from readiness_pipelines.installation import Installation
from readiness_pipelines.sql import (
    SETTINGS,
    literal,
    lock_connection,
    locked_connection,
    probe_connection,
    utc_connection,
)

ASKED = """
from readiness_pipelines.sql import utc_connection
for connection in (utc_connection(), utc_connection().cursor()):
    print(connection.execute("SELECT '2026-11-24 00:30:00'::TIMESTAMPTZ::VARCHAR").fetchone()[0])
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
    assert asked.stdout.split("\n") == ["2026-11-24 00:30:00+00"] * 2 + [""]


def test_every_connection_is_opened_in_one_place_with_these_settings() -> None:
    package = Path(readiness_pipelines.__file__).parent
    assert [file.name for file in package.rglob("*.py") if "duckdb.connect(" in file.read_text()] == ["sql.py"]
    wanted = SETTINGS | {"TimeZone": "UTC"}
    opened = utc_connection()
    for connection in (opened, opened.cursor(), utc_connection(config={"memory_limit": "1GB"}), probe_connection()):
        names = ", ".join(f"current_setting({literal(name)})" for name in wanted)
        (found,) = connection.execute(f"SELECT {names}").fetchall()
        assert dict(zip(wanted, found, strict=True)) == wanted
    with locked_connection() as connection:
        locks = "current_setting('enable_external_access'), current_setting('lock_configuration')"
        assert connection.execute(f"SELECT {locks}").fetchall() == [(False, True)]


def test_an_engine_that_opens_files_has_its_memory_bound_and_its_settings_locked(installation: Installation) -> None:
    with installation.engine() as connection:
        ((memory, order, locked),) = connection.execute(
            "SELECT current_setting('memory_limit'), current_setting('preserve_insertion_order'), "
            "current_setting('lock_configuration')"
        ).fetchall()
    assert (memory.split()[1], order, locked) == ("MiB", False, True)


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
