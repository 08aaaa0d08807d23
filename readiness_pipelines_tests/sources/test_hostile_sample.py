"""One of nearly every kind of hostile file, and a delivery of some: `make hostile` runs a thousand."""

from pathlib import Path

import pytest

from readiness_pipelines_tests.sources.hostile import MAKERS, hostile_batch, kind_of
from readiness_pipelines_tests.sources.hostile_run import run_batch

LARGE = ("huge_line", "many_columns", "json_keys", "json_large", "excel_wide", "bombs", "json_bomb", "blank_rows")
"""Kinds that take seconds; each of what they try has a small test of its own."""
DELIVERED = ("control_characters", "odd_types")


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind not in LARGE])
def test_a_hostile_file_gets_a_verdict_or_a_clear_error_and_no_row_is_lost(kind: str, tmp_path: Path) -> None:
    seed = list(MAKERS).index(kind)
    assert kind_of(seed) == kind
    batch = hostile_batch(seed)
    batch.land(tmp_path / "landing" / "b")
    assert run_batch(seed, batch, tmp_path, delivers=kind in DELIVERED).violations == []
