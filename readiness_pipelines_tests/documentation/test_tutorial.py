"""The tutorial runs as it is printed, and prints what it says."""

from pathlib import Path

import pytest

from readiness_pipelines_tests.documentation.tutorial import PAGE, played, steady


@pytest.mark.slow
def test_each_command_of_the_tutorial_prints_what_the_page_says(tmp_path: Path) -> None:
    for said, now in played(PAGE.read_text(encoding="utf-8"), tmp_path):
        assert steady(now) == steady(said), "python -m readiness_pipelines_tests.documentation.tutorial writes it anew"
