"""The on-call story in a real browser, by the keyboard of a person and the eyes of a screen reader."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from readiness_pipelines.web.app import build_app
from readiness_pipelines.web.site import Site
from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_until
from readiness_pipelines_tests.web.test_pages import ADDRESSES

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    # Chromium's driver ends its own pipes when it is told to.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here")

AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 390, "height": 844}


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The site at an address of this machine."""
    server = uvicorn.Server(uvicorn.Config(build_app(replace(site)), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive(), every=0.01)
    assert server.started
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(LONGEST_SECONDS)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Any, **options: Any) -> Any:
    """A new page, which waits as long as a busy machine takes."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(LONGEST_SECONDS * 1000)
    return page


def shows(page: Any, place: str, words: str) -> None:
    """Wait until words are in a place: what is clicked may still be on its way."""
    page.wait_for_selector(f'{place}:has-text("{words}")')


def test_somebody_on_call_finds_resolves_and_proves_a_held_batch(changed_site: Site) -> None:
    with served(changed_site) as address, chromium() as browser:
        page = opened(browser)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("dialog", lambda dialog: said.append(f"a script ran: {dialog.message}"))
        page.goto(f"{address}/")
        shows(page, "h1", "1 batch is held")
        page.click("text=Why held?")
        shows(page, ".lead", "3 of 4 rows (75.00%) fail")
        assert page.locator("td.broken").count() == 4
        page.click("text=Decide what happens to it")
        # What is written is judged while it is written; nothing is kept.
        page.fill("[aria-label='status of row 0']", "paid")
        page.click("text=Correct…")
        page.select_option("[name='column.0']", "amount")
        page.fill("[name='expression.0']", "ltrim(amount, '-')")
        page.fill("[name='where.0']", "amount LIKE '-%'")
        page.wait_for_selector("#outcome :text('4 rows would change')")
        assert "published" in page.text_content("#outcome .verdict")
        assert page.locator("#outcome ins", has_text="20").count() == 1
        page.fill("[name=who]", "ann")
        page.fill("[name=why]", "the export lost the sign")
        page.click("text=Decide and replay")
        page.wait_for_selector("text=judged again")
        page.click("text=The batch, with its trail")
        shows(page, ".lead", "Every row passed.")
        trail = page.text_content(".trail")
        assert "decided to correct" in trail
        assert "ann (unproved)" in trail
        assert "the export lost the sign" in trail
        page.click("nav >> text=Today")
        page.wait_for_url(f"{address}/")
        assert "held" not in page.text_content("h1")
        assert not said


def test_no_page_keeps_anybody_out(site: Site) -> None:
    with served(site) as address, chromium() as browser:
        # The checker is put into the page, which its policy forbids.
        desk = opened(browser, bypass_csp=True)
        phone = opened(browser, bypass_csp=True, viewport=PHONE, color_scheme="dark")
        for page, path in (
            *((desk, one) for one in (*ADDRESSES, "/nowhere")),
            *((phone, one) for one in ADDRESSES[::3]),
        ):
            page.goto(f"{address}{path}")
            page.add_script_tag(path=str(AXE))
            found = page.evaluate(f"axe.run({{runOnly: {RULES}, resultTypes: ['violations']}})")
            wrong = [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]]
            assert not wrong, path
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            assert not wide, path


def test_wide_rows_scroll_within_the_page_of_a_phone(site: Site) -> None:
    with served(site) as address, chromium() as browser:
        page = browser.new_context(bypass_csp=True, viewport=PHONE).new_page()
        page.goto(f"{address}/batches/shop/orders/day_3")
        page.add_style_tag(content=".cells tbody th { min-width: 60rem; }")  # as many columns would be
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.goto(f"{address}/catalog")
        page.evaluate("document.querySelector('.rows td').textContent = 'f'.repeat(64)")  # as a checksum is
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_page_is_used_without_a_mouse(site: Site) -> None:
    with served(site) as address, chromium() as browser:
        page = opened(browser)
        page.goto(f"{address}/map")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
        page.keyboard.press("Enter")
        before = seen(page)
        page.focus(".map")
        page.keyboard.press("+")
        page.keyboard.press("ArrowRight")
        assert seen(page) != before
        page.keyboard.press("0")
        assert seen(page) == before
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/tables/shop/orders")


def seen(page: Any) -> list[float]:
    """The part of the map that is seen."""
    return [float(number) for number in page.get_attribute(".map svg", "viewBox").split()]
