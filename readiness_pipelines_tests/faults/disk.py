"""A small disk of one's own: a folder in memory with a size, which can be filled."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE_MB = 96


class Disk:
    """A folder for installations.

    Attributes:
        folder: The folder.
        why_not: Why it is not a disk of its own; empty where it is one.
    """

    def __init__(self, folder: Path, why_not: str) -> None:
        self.folder = folder
        self.why_not = why_not

    @contextmanager
    def filled(self, free_kilobytes: int) -> Iterator[None]:
        """Leave so much free, for a while."""
        ballast = self.folder / "ballast"
        try:
            with ballast.open("wb") as file:
                while not self._taken(file.fileno(), free_kilobytes):
                    pass
            yield
        finally:
            ballast.unlink(missing_ok=True)

    def _taken(self, file: int, free_kilobytes: int) -> bool:
        """Take all but so much; false where another process, a reader or upkeep, took some of it meanwhile."""
        there = os.statvfs(self.folder)
        wanted = there.f_bavail * there.f_frsize - free_kilobytes * 1024
        try:
            os.posix_fallocate(file, 0, max(wanted, 1))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return wanted <= 1
        return True


@contextmanager
def small_disk() -> Iterator[Disk]:
    """Mount a small disk; without the right to do so, a folder like others."""
    with tempfile.TemporaryDirectory(prefix="readiness-soak-") as parent:
        folder = Path(parent, "disk")
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            why = (getattr(error, "stderr", "") or str(error)).strip()
            yield Disk(folder, f"no small disk can be mounted ({why})")
            return
        try:
            yield Disk(folder, "")
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
