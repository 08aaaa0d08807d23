"""What many tests share: a real installation in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from readiness_pipelines.delivery import Installation
from readiness_pipelines.settings import Settings

ROOT = Path(__file__).parent.parent
LANDING = ROOT / "data" / "landing"


def settings_in(folder: Path, *, landing: Path | None = None) -> Settings:
    """Settings of an installation that lives in a folder."""
    return Settings(landing=landing or folder / "landing", warehouse=folder / "warehouse")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    (tmp_path / "landing").mkdir()
    return Installation.open(settings_in(tmp_path))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()
