"""Drafted pages, written, imported and run as they are."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy2

from readiness_pipelines import Domain
from readiness_pipelines.delivery import Delivery, check_domains, reconcile
from readiness_pipelines.drafting import DomainDraft, domain_page, draft_domain, project_test
from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings
from readiness_pipelines.testing import run_domains

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def drafted(name: str, *files: Path) -> tuple[DomainDraft, str]:
    """The draft of files, and its page."""
    draft = draft_domain(name, files, now=NOW)
    return draft, domain_page(draft)


@contextmanager
def imported(name: str, folder: Path, text: str) -> Iterator[Domain]:
    """The domain of a page, imported from a file as a project's is."""
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        yield importlib.import_module(name).domain
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(name, None)
        sys.modules.pop(f"test_{name}", None)


def run_unedited(name: str, draft: DomainDraft, page: str, folder: Path, installation: Installation) -> list[Delivery]:
    """Write the page, check it, pass its own tests, land its files and run: all adds up."""
    for file, landed in draft.files.items():
        place = installation.landing.path / landed
        place.parent.mkdir(parents=True, exist_ok=True)
        copy2(file, place)
    with imported(name, folder, page) as domain:
        assert check_domains([domain], Settings()).mistakes == ()
        (folder / f"test_{name}.py").write_text(project_test(draft), encoding="utf-8")
        tests = {
            key: value
            for key, value in vars(importlib.import_module(f"test_{name}")).items()
            if key.startswith("test_")
        }
        assert tests
        for test in tests.values():
            test()
        deliveries = run_domains(domain, installation=installation)
        assert reconcile([domain], installation=installation).problems == ()
    return list(deliveries)
