"""A file system that fails at the n-th call, for real: beneath Python, Arrow, DuckDB and SQLite alike.

A small library, compiled here and preloaded into a process of its own, stands between the process and the system.
"""

import ctypes
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READS, WRITES, PATHS = 1, 2, 4
ERRORS = {
    errno.EIO: READS | WRITES | PATHS,
    errno.ENOSPC: WRITES,
    errno.EACCES: PATHS,
    errno.ENOENT: PATHS,
    errno.ESTALE: READS | PATHS,
}
"""What a file system says, and of which calls."""

_LOADED = "FAULTY_FILES_LIBRARY"


@dataclass(slots=True)
class Struck:
    """What became of an armed fault.

    Attributes:
        calls: How many calls that could have failed were made.
        where: The first that failed, and the file; "" where none did.
    """

    calls: int = 0
    where: str = ""


def why_not() -> str:
    """Why calls cannot be made to fail here; "" where they can."""
    return "" if os.name == "posix" and shutil.which("cc") else "no C compiler"


def environment(folder: Path) -> dict[str, str]:
    """The variables of a process in which calls can be made to fail; the library is compiled into a folder."""
    library = folder / "faulty_files.so"
    source = Path(__file__).with_suffix(".c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(library), _LOADED: str(library)}


@contextmanager
def failing(folder: str, nth: int, error: int, *, lasts: bool) -> Iterator[Struck]:
    """Let the n-th call below a folder fail, and where it lasts, all after it, in a process with `environment`.

    Args:
        folder: The folder, with a slash at the end.
        nth: Which call, from 1, of those for which the error is one.
        error: Its number, of `ERRORS`.
        lasts: Whether the calls after it fail, too.
    """
    library = ctypes.CDLL(os.environ[_LOADED])
    library.faulty_disarm.restype = ctypes.c_long
    library.faulty_hit.restype = ctypes.c_char_p
    struck = Struck()
    library.faulty_arm(folder.encode(), ctypes.c_long(nth), error, ERRORS[error], int(lasts))
    try:
        yield struck
    finally:
        struck.calls = library.faulty_disarm()
        struck.where = (library.faulty_hit() or b"").decode(errors="replace")


@contextmanager
def noting(folder: str, error: int) -> Iterator[list[str]]:
    """Note the calls that could fail with an error, in order, each with its file; filled in at the end."""
    library = ctypes.CDLL(os.environ[_LOADED])
    calls: list[str] = []
    with tempfile.TemporaryFile() as file:
        library.faulty_note(file.fileno())
        library.faulty_arm(folder.encode(), ctypes.c_long(-1), error, ERRORS[error], 0)
        try:
            yield calls
        finally:
            library.faulty_disarm()
            library.faulty_note(-1)
            file.seek(0)
            calls += file.read().decode(errors="replace").splitlines()
