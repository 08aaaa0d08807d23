"""Folders for what an engine cannot keep in memory, and what is left of them when a process was killed."""

import os
import shutil
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from readiness_pipelines.processes import is_there

_PREFIX = "readiness-spill-"
_ABANDONED_AFTER = timedelta(days=1)


def make_spill_folder() -> str:
    """Make a folder of this process in the temporary folder; whoever asked removes it."""
    return tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")


def remove_abandoned() -> int:
    """Remove the folders of processes that are gone, killed before they could; how many.

    Containers that share a temporary folder do not see each other's processes: a folder younger than a day stays.
    """
    removed = 0
    youngest = time.time() - _ABANDONED_AFTER.total_seconds()
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):  # another maintenance was faster, or it is somebody else's
            if pid.isdigit() and folder.stat().st_mtime < youngest and not is_there(int(pid)):
                shutil.rmtree(folder)
                removed += 1
    return removed
