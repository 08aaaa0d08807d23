"""The documentation builds as a site: every page is reached, and every link and anchor leads somewhere."""

import re
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

from readiness_pipelines_tests.documentation.site_hooks import ROOT


def test_the_site_builds_without_a_dead_link_and_reads_nothing_from_other_hosts(tmp_path: Path) -> None:
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True))
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    loaded = re.compile(r"<(?:script|link|img)[^>]+(?:src|href)=\"?https?://[^\s\">]+")
    assert [found for page in pages for found in loaded.findall(page.read_text(encoding="utf-8"))] == []
