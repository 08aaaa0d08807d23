"""A new, empty ledger for each test, over each kind of database."""

from pathlib import Path

import pytest

from readiness_pipelines.ledger import Ledger
from readiness_pipelines_tests.databases import Kind, database_in


@pytest.fixture
def ledger(database: Kind, tmp_path: Path) -> Ledger:
    return Ledger.open(database_in(tmp_path))
