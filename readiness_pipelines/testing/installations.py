"""An installation of its own for a test: real tables, a real ledger, gone afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings


@contextmanager
def temporary_installation(*, landing: Path | None = None) -> Iterator[Installation]:
    """Open an installation in a temporary folder.

    Args:
        landing: Where files land; a folder of its own where none is given (``installation.landing``).
    """
    with TemporaryDirectory() as folder:
        own = Path(folder, "landing")
        own.mkdir()
        # A test writes its files whole, and does not wait.
        settings = Settings(landing=str(landing or own), warehouse=str(Path(folder, "warehouse")), settles="0s")
        yield Installation.open(settings)
