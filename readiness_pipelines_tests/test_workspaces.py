"""A step finds nothing of another one in DuckDB, which stays open between them, and no file that is not its own."""

import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import duckdb
import pyarrow as arrow
import pytest

from readiness_pipelines.workspaces import workspace
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

LEAVES_ALL = """
import os, sys
from pathlib import Path
from readiness_pipelines.workspaces import workspace
with workspace(memory_mb=100, reaches=(sys.argv[1],)) as connection:
    ((folder,),) = connection.sql("SELECT current_setting('temp_directory')").fetchall()
if (child := os.fork()) == 0:
    with workspace(memory_mb=100, reaches=(sys.argv[1],)) as connection:
        ((other,),) = connection.sql("SELECT current_setting('temp_directory')").fetchall()
        ok = other != folder and connection.sql("SELECT 1").fetchall() == [(1,)]
    sys.exit(0 if ok else 1)
_, status = os.waitpid(child, 0)
print(status, folder)
"""


@pytest.fixture
def opened(tmp_path: Path) -> str:
    """The folder of a DuckDB that was used by one step, which failed after it had left all it could."""

    def leave_all(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE orders AS SELECT 1 AS a")
        connection.execute("CREATE TEMP VIEW paid AS SELECT 2 AS a")
        connection.execute("CREATE MACRO twice(a) AS 2 * a")
        connection.from_arrow(arrow.table({"a": [3]})).create_view("refunded")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), workspace(memory_mb=100, reaches=(str(tmp_path),)) as connection:
        leave_all(connection)
    return str(tmp_path)


def spill_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Where a DuckDB spills tells it from all others."""
    ((folder,),) = connection.sql("SELECT current_setting('temp_directory')").fetchall()
    return str(folder)


def test_a_step_finds_nothing_of_the_one_before_it(opened: str) -> None:
    with workspace(memory_mb=100, reaches=(opened,)) as connection:
        for left in ("FROM orders", "FROM paid", "FROM refunded", "SELECT twice(2)"):
            with pytest.raises(duckdb.CatalogException):
                connection.sql(left)
        assert connection.sql("FROM duckdb_tables()").fetchall() == []


def test_duckdb_stays_open_for_the_same_settings_and_for_no_others(opened: str, tmp_path: Path) -> None:
    spills = []
    for memory, folder in ((100, opened), (100, opened), (200, opened), (100, str(tmp_path / "b"))):
        with workspace(memory_mb=memory, reaches=(folder,)) as connection:
            spills.append(spill_of(connection))
    assert spills[0] == spills[1]
    assert len(set(spills)) == 3


def test_steps_at_once_have_databases_of_their_own(opened: str) -> None:
    barrier, spills = Barrier(3), []

    def step() -> None:
        with workspace(memory_mb=100, reaches=(opened,)) as connection:
            barrier.wait(LONGEST_SECONDS)
            spills.append(spill_of(connection))

    threads = [Thread(target=step) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(spills)) == 3
    assert sum(Path(spill).exists() for spill in spills) == 2  # no more are kept


def test_a_step_reaches_its_folder_alone_and_changes_no_setting(
    opened: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mine, others = Path(opened, "a.csv"), tmp_path_factory.mktemp("others") / "b.csv"
    for file in (mine, others):
        file.write_text("a\n1\n")
    with workspace(memory_mb=100, reaches=(opened,)) as connection:
        assert connection.sql(f"FROM '{mine}'").fetchall() == [(1,)]
        assert connection.sql("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
        for refused in (f"FROM '{others}'", f"ATTACH '{others}.db'", f"COPY (SELECT 1) TO '{others}'"):
            with pytest.raises(duckdb.PermissionException):
                connection.sql(refused)
        for setting in ("TimeZone = 'Asia/Tokyo'", "memory_limit = '10GB'", "enable_external_access = true"):
            with pytest.raises(duckdb.InvalidInputException, match="locked"):
                connection.execute(f"SET {setting}")


def test_a_forked_process_opens_its_own_and_the_last_one_leaves_no_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", LEAVES_ALL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    status, folder = done.stdout.split()
    assert status == "0"
    assert not Path(folder).exists()
