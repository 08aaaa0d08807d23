"""Who is on call is what the calendar says now; where it cannot be read, or is empty, whom the domain declares."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from readiness_pipelines import Domain, OnCallCalendar
from readiness_pipelines.overview import on_call_now
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

WEEKS = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//shop//rota//EN
BEGIN:VEVENT
UID:1
DTSTART;TZID=Europe/Vienna:20261102T090000
DTEND;TZID=Europe/Vienna:20261109T090000
RRULE:FREQ=WEEKLY;INTERVAL=2
SUMMARY:Ana J\xc3\xb6rg
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20261118
DTEND;VALUE=DATE:20261119
ATTENDEE;CN=Bo Li:mailto:bo@shop.example
ATTENDEE:mailto:second@shop.example
SUMMARY:Second line
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART:20261118T000000Z
DTEND:20261119T000000Z
STATUS:CANCELLED
SUMMARY:Nobody
END:VEVENT
END:VCALENDAR
"""


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def shop(calendar: OnCallCalendar, folder: Path | None = None) -> Domain:
    domain = Domain("shop", owner="a@shop.example", on_call="pager@shop.example", on_call_calendar=calendar)
    domain._folder = folder or Path()
    return domain


@contextmanager
def served(content: bytes, *, answers: bool = True) -> Iterator[tuple[str, list[str]]]:
    """A calendar at an address of this machine, which may never answer; the paths that were asked for."""
    asked: list[str] = []
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if not answers:
                over.wait(LONGEST_SECONDS)
            with suppress(ConnectionError):  # whoever asked waits no longer
                self.send_response(200 if content else 404)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Nothing on the screen."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{time.monotonic_ns()}.ics", asked
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_a_file_says_who_has_a_shift_in_any_zone_of_a_day_or_as_an_attendee(tmp_path: Path) -> None:
    (tmp_path / "oncall.ics").write_bytes(WEEKS)
    domain = shop(OnCallCalendar("oncall.ics"), tmp_path)
    found = on_call_now(domain, now=on(17))
    assert (found.who, found.until, found.by_calendar) == (("Ana Jörg",), on(23, 8), True)  # 9 in Vienna is 8 UTC
    assert str(found) == "Ana Jörg until 2026-11-23 08:00 UTC"
    assert on_call_now(domain, now=on(18)).who == ("Ana Jörg", "Bo Li", "second@shop.example")
    nobody = on_call_now(domain, now=on(25))
    assert (nobody.who, nobody.by_calendar) == (("pager@shop.example",), False)
    assert "nobody is in the on-call calendar now" in str(nobody)


def test_an_address_is_read_once_and_one_that_is_slow_gone_or_secret_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with served(WEEKS) as (address, asked):
        domain = shop(OnCallCalendar(address, timeout="60s"))
        assert [on_call_now(domain, now=on(day)).who for day in (17, 17)] == [("Ana Jörg",)] * 2
        assert len(asked) == 1
    with served(WEEKS, answers=False) as (address, _):
        monkeypatch.setenv("SHOP_CALENDAR", f"{address}?secret=1")
        slow = on_call_now(shop(OnCallCalendar(variable="SHOP_CALENDAR", timeout="0.3s")), now=on(17))
        assert slow.who == ("pager@shop.example",)
        assert "SHOP_CALENDAR cannot be read: timed out" in slow.problem
        assert "secret" not in slow.problem
    with served(b"") as (address, _):
        assert (
            "127.0.0.1 cannot be read: Not Found"
            in on_call_now(shop(OnCallCalendar(address, timeout="60s")), now=on(17)).problem
        )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>", "not an iCalendar file"),
        (WEEKS.replace(b"WEEKLY;INTERVAL=2", b"SECONDLY"), "every minute or second"),
        (WEEKS.replace(b"WEEKLY;INTERVAL=2", b"DAILY;INTER\r\n VAL=00"), "without an interval"),
        (WEEKS.replace(b"WEEKLY;", b"WEEKLY;UNTIL=2026;"), "not an iCalendar file"),
        (b"BEGIN:VCALENDAR\n" + b"X" * 5_000_001, "larger than"),
        (None, "No such file"),
    ],
)
def test_what_is_not_a_calendar_leaves_the_declared_one(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content is not None:
        (tmp_path / "a.ics").write_bytes(content)
    found = on_call_now(shop(OnCallCalendar("a.ics"), tmp_path), now=on(17))
    assert found.who == ("pager@shop.example",)
    assert why in found.problem


@pytest.mark.parametrize(
    "place", ["//127.0.0.1:9/on call.ics", "//127.0.0.1:9/köln.ics", "//127.0.0.1:no/secret.ics", "//ü..x/"]
)
def test_an_address_that_is_none_leaves_the_declared_one_and_is_not_shown(place: str) -> None:
    found = on_call_now(shop(OnCallCalendar(f"http:{place}")), now=on(17))
    assert found.who == ("pager@shop.example",)
    assert "cannot be read: " in found.problem
    assert ".ics" not in found.problem
