"""A file that could not be opened for a moment does not leave its database read-only in a long-lived process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from readiness_pipelines_tests.faults import faulty_files

_LONG_LIVED = """
import errno
import shutil
import sys
from pathlib import Path

from readiness_pipelines.lakehouse.catalogs import open_catalog
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.faults import faulty_files

folder = Path(sys.argv[1])


def opened(name):
    url = f"sqlite:///{folder / name}/there.db"
    return open_catalog(url, Place.of(folder)), Database.open(url)


(folder / "first").mkdir()
first = opened("first")
for name in ("noted", "struck"):  # as a process leaves it that was killed
    shutil.copytree(folder / "first", folder / name)
with faulty_files.noting(f"{folder}/noted/", errno.EIO) as calls:
    noted = opened("noted")
with faulty_files.failing(f"{folder}/struck/", calls.index("open there.db-shm") + 1, errno.EIO, lasts=False):
    catalog, ledger = opened("struck")
refused = 0
for _ in range(3):
    try:
        with ledger.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS written (number INTEGER)")
    except Exception as error:
        assert "readonly" in str(error), error
        refused += 1
catalog.create_namespace("shop")
print("refused", refused)
"""


@pytest.mark.skipif(bool(faulty_files.why_not()), reason=faulty_files.why_not())
def test_a_database_that_was_opened_to_be_read_alone_is_opened_anew(tmp_path: Path) -> None:
    environment = {**faulty_files.environment(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "ignore", "-c", _LONG_LIVED, str(tmp_path)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout == "refused 1\n", ran.stdout + ran.stderr
