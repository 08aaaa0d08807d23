"""A shop that was delivered once; tests that change it get a copy in its place, because tables name their folder."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from readiness_pipelines.installation import Installation
from readiness_pipelines.web.app import build_app
from readiness_pipelines.web.guard import TOKEN_COOKIE, TOKEN_FIELD
from readiness_pipelines.web.site import Site
from readiness_pipelines_tests.web.samples import carry_out, shop, shop_site

Post = Callable[..., "object"]


class Browser(TestClient):
    """A client that sends forms as a page would: with its token, and from the page's own address."""

    def fill(self, path: str, **fields: str) -> str:
        """Send a form; the page that follows."""
        if TOKEN_COOKIE not in self.cookies:
            self.get("/")
        data = {
            TOKEN_FIELD: self.cookies[TOKEN_COOKIE],
            **{name.replace("__", "."): text for name, text in fields.items()},
        }
        answer = self.post(path, data=data, headers={"origin": "http://testserver"})
        self.status = answer.status_code  # of the last form
        return answer.text


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A shop to look at."""
    return shop_site(tmp_path_factory.mktemp("shop") / "here")


@pytest.fixture(scope="session")
def browser(site: Site) -> Browser:
    """Somebody who looks at it."""
    return Browser(build_app(site))


@pytest.fixture(scope="session")
def delivered_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop in a folder, and beside it a copy of it as it was delivered."""
    folder = tmp_path_factory.mktemp("changed") / "here"
    shop_site(folder)
    shutil.copytree(folder, folder.with_name("copy"))
    return folder


@pytest.fixture
def changed_site(delivered_once: Path, site: Site) -> Site:
    """A shop to do something in."""
    shutil.rmtree(delivered_once)
    shutil.copytree(delivered_once.with_name("copy"), delivered_once)
    places = {"landing": str(delivered_once / "landing"), "warehouse": str(delivered_once / "warehouse")}
    ledger = f"sqlite:///{delivered_once / 'warehouse'}/readiness.db"
    settings = site.settings.model_copy(update={**places, "catalog_url": ledger, "ledger_url": ledger})
    installation = Installation.open(settings)
    start = lambda number: carry_out(number, shop, installation)  # noqa: E731  # a line
    return replace(site, settings=settings, installation=installation, start_replay=start)


@pytest.fixture
def ann(changed_site: Site) -> Browser:
    """Somebody who decides there."""
    return Browser(build_app(changed_site))
