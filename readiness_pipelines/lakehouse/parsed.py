"""What a table's files hold, parsed once: they never change, and another commit writes others."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from readiness_pipelines.recent import Recent

T = TypeVar("T")


class ParsedFiles(Generic[T]):
    """What some files hold, for as long as they are among those that were asked for last.

    A file in a folder that is gone or was written anew is noticed. One in an object store is what it was when this
    process first read it.

    Args:
        most: How many files are kept.
    """

    def __init__(self, most: int) -> None:
        self._kept: Recent[tuple[str, int, int], T] = Recent(most)

    def get(self, location: str, parse: Callable[[], T]) -> T:
        """What a file holds.

        Args:
            location: The file.
            parse: Reads it.

        Raises:
            OSError: It is not there.
        """
        found = self.find(location)
        return self.keep(location, parse()) if found is None else found

    def find(self, location: str) -> T | None:
        """What a file holds; ``None`` where it is not kept.

        Raises:
            OSError: It is not there.
        """
        return self._kept.find((location, *_version(location)))

    def keep(self, location: str, found: T) -> T:
        """Keep what a file holds."""
        return self._kept.keep((location, *_version(location)), found)


def _version(location: str) -> tuple[int, int]:
    """When a file in a folder was written, and how large it is; what lies elsewhere has one version."""
    path = location.removeprefix("file://")
    if "://" in path:
        return (0, 0)
    found = Path(path).stat()
    return (found.st_mtime_ns, found.st_size)
