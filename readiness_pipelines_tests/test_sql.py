"""DuckDB as we open it."""

import os
import subprocess
import sys

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
