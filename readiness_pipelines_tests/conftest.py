"""What many tests share: a real installation in a temporary folder."""

import multiprocessing
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.databases import KINDS, URL_FILE, Kind, database_in, use_database
from readiness_pipelines_tests.stores import warehouse_in

ROOT = Path(__file__).parent.parent
LANDING = ROOT / "data" / "landing"


@pytest.hookimpl(trylast=True)  # after Hypothesis has chosen its profile
def pytest_configure(config: pytest.Config) -> None:
    """Let no verdict depend on how long an example takes, or, where none is drawn by chance, on what ran before."""
    from hypothesis import HealthCheck, settings  # noqa: PLC0415  # processes that tests start import this file, too
    from hypothesis.internal.conjecture import providers  # noqa: PLC0415  # as above

    if settings.default is not None and settings.default.derandomize:
        # It mixes in literals of all modules of ours that are imported by then: that follows from the order of tests.
        providers._get_local_constants = lambda: providers._local_constants
    elif not config.getoption("--hypothesis-profile"):
        settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.load_profile("unhurried")


FORKED = (
    *(f"faults.{name}" for name in ("acts", "oracle", "soak", "victims", "erasure_victims", "model_victims")),
    "delivery.online.test_keeping",
    "lakehouse.test_lakehouse",
    "ledger.test_claims",
    "ledger.test_ledger",
)
"""What processes run that tests start: imported once in the process that forks all of them, and not in each."""


def pytest_collection_finish() -> None:
    """Let the one server that forks for all tests import what any of them needs: the last who says it is heard."""
    multiprocessing.set_forkserver_preload([*(f"readiness_pipelines_tests.{name}" for name in FORKED), "mlflow"])


# Tests write their files whole; those that do not say so. Child processes get it, too.
os.environ.setdefault("READINESS_SETTLES", "0s")

# A shell's background job ignores SIGINT; Dagster then ignores SIGTERM, too, and so do the helpers of each run, for
# whose end it waits a minute.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def settings_in(folder: Path, *, landing: Path | None = None) -> Settings:
    """Settings of an installation that lives in a folder, with the folder's database."""
    chosen = database_in(folder) if (folder / URL_FILE).exists() else ""
    warehouse = warehouse_in(folder)
    return Settings(
        landing=str(landing or folder / "landing"),
        warehouse=warehouse.uri,
        catalog_url=chosen,
        s3_endpoint=warehouse.store.endpoint,
        s3_region=warehouse.store.region,
        keys={name: f"file:{_key_in(folder, name)}" for name in ("patients", "cards")},
    )


def _key_in(folder: Path, name: str) -> Path:
    """A key of an installation that lives in a folder."""
    file = folder / f"{name}.key"
    if not file.exists():
        file.write_text(f"a key of tests for {name}, of more than 32 bytes")
    return file


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """The kind of database that the test's folder uses: the whole test runs over each."""
    kind: Kind = request.param
    use_database(kind, tmp_path)
    return kind


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with a catalog and a ledger, as opening an installation makes it, and nothing in it."""
    folder = tmp_path_factory.mktemp("new")
    ledger = Installation.open(settings_in(folder)).ledger
    assert ledger.file is not None
    with closing(sqlite3.connect(ledger.file)) as made, closing(sqlite3.connect(folder / "new.db")) as copied:
        made.backup(copied)
    return folder / "new.db"


@pytest.fixture
def installation(tmp_path: Path, new_database: Path) -> Installation:
    """A new one; where it has an SQLite file, that is copied: some fifty statements make another."""
    (tmp_path / "landing").mkdir()
    settings = settings_in(tmp_path)
    prefix, _, file = settings.ledger_url.partition("///")
    if prefix == "sqlite:" and settings.catalog_url == settings.ledger_url and not Path(file).exists():
        Path(file).parent.mkdir(exist_ok=True)
        shutil.copy(new_database, file)
    return Installation.open(settings)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()
