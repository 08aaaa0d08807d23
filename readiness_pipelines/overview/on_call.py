"""Who is on call for a domain now: by its calendar, or the address that it declares."""

import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from functools import lru_cache
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from readiness_pipelines.contracts import Domain, OnCallCalendar
from readiness_pipelines.contracts.on_call import is_address
from readiness_pipelines.errors import DeclarationError, first_line

MOST_BYTES = 5_000_000
"""A calendar that is larger is not read."""

_ENDLESS = re.compile(rb"FREQ=(SECONDLY|MINUTELY)|INTERVAL=\s*[+-]?0+(?!\d)", re.IGNORECASE)
"""Shifts do not recur so often; a calendar in which something does would be looked through for minutes, or for ever."""

_FOLD = re.compile(rb"\r?\n[ \t]")
"""Where a line goes on in the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Who is on call.

    Attributes:
        domain: For which domain.
        who: Names or addresses, those whose shift began first before others; the domain's declared one where its
            calendar says nobody, or cannot be read.
        until: When the first of their shifts ends, in UTC; ``None`` where no calendar says so.
        by_calendar: Whether the calendar says so.
        problem: Why the calendar could not be used, for people; "" where it could, or there is none.
    """

    domain: str
    who: tuple[str, ...]
    until: datetime | None = None
    by_calendar: bool = False
    problem: str = ""

    def __str__(self) -> str:
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"{', '.join(self.who)}{until}" + (f" ({self.problem})" if self.problem else "")


def on_call_now(domain: Domain, *, now: datetime) -> OnCall:
    """Who is on call for a domain. A calendar that cannot be read is no error: the declared one is called then.

    Args:
        domain: The domain.
        now: The time.
    """
    declared = OnCall(domain=domain.name, who=(domain.on_call,))
    calendar = domain.on_call_calendar
    if calendar is None:
        return declared
    try:
        shifts = sorted(_shifts(_content(calendar, domain), now), key=lambda shift: shift[1:])
    except (DeclarationError, OSError) as error:
        return OnCall(domain=domain.name, who=declared.who, problem=f"the on-call calendar: {first_line(error)}")
    if not shifts:
        return OnCall(domain=domain.name, who=declared.who, problem="nobody is in the on-call calendar now")
    return OnCall(
        domain=domain.name,
        who=tuple(dict.fromkeys(name for names, *_ in shifts for name in names)),
        until=min(end for *_, end in shifts),
        by_calendar=True,
    )


_kept: dict[tuple[str, str], tuple[float, bytes | str]] = {}
"""What each calendar held, or why it could not be read, and when: one that is down is not waited for at each look."""

_reading = threading.Lock()


def _content(calendar: OnCallCalendar, domain: Domain) -> bytes:
    where = calendar.where()
    key = (where, str(domain.folder))
    with _reading:
        at, found = _kept.get(key, (None, b""))
        if at is None or time.monotonic() - at >= calendar.keep.total_seconds():
            try:
                found = _read(where, domain, seconds=calendar.timeout.total_seconds())
            except (OSError, ValueError, HTTPException) as error:  # an address may be none, an answer not HTTP
                found = _reason(calendar, where, error)
            _kept[key] = (time.monotonic(), found)
    if isinstance(found, str):
        raise DeclarationError(found, way_out="check its place")
    return found


def _read(where: str, domain: Domain, *, seconds: float) -> bytes:
    """The bytes of a file or an address.

    Raises:
        OSError: It cannot be read, is too large, or takes too long.
        ValueError: It is not a place, or an address that cannot be written in ASCII.
        HTTPException: It is not an address, or what answers there does not speak HTTP.
    """
    if not is_address(where):
        with (domain.folder / where).open("rb") as file:
            found = file.read(MOST_BYTES + 1)
    else:
        begun, found = time.monotonic(), b""
        request = urllib.request.Request(where, headers={"Accept": "text/calendar"})  # noqa: S310  # http(s): is_address
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            while len(found) <= MOST_BYTES and (part := answer.read1(65_536)):
                found += part
                if time.monotonic() - begun > seconds:
                    raise TimeoutError("it took too long to answer")
    if len(found) > MOST_BYTES:
        raise OSError(f"it is larger than {MOST_BYTES:,} bytes")
    return found


def _reason(calendar: OnCallCalendar, where: str, error: OSError | ValueError | HTTPException) -> str:
    """Why it could not be read, without an address that may be a secret."""
    if calendar.variable:
        named = f"the place in {calendar.variable}"
    else:
        named = str(urlsplit(where).hostname) if is_address(where) else where
    reason: object
    if isinstance(error, urllib.error.URLError):
        reason = error.reason
    elif isinstance(error, OSError):
        reason = error.strerror or error
    else:
        reason = type(error).__name__  # its text has the address
    return f"{named} cannot be read: {reason or type(error).__name__}"


def _shifts(content: bytes, now: datetime) -> list[tuple[tuple[str, ...], datetime, datetime]]:
    """Who has a shift at a time, from when to when.

    Raises:
        DeclarationError: The library is not installed, or this is not a calendar.
    """
    calendar = _parsed(content)
    try:
        events = [(event, _moment(event.start), _moment(event.end)) for event in calendar.at(now)]
        return [
            (_names(event), start, end)
            for event, start, end in events
            if str(event.get("STATUS", "")).upper() != "CANCELLED" and start <= now < end
        ]
    except Exception as error:  # the parser reads an event when it is asked for, and raises what it likes
        raise _not_a_calendar() from error


@lru_cache(maxsize=64)
def _parsed(content: bytes) -> Any:
    """A calendar that can be asked what happens at a time."""
    try:
        import icalendar  # noqa: PLC0415  # of an extra
        import recurring_ical_events  # noqa: PLC0415
    except ImportError as error:
        raise DeclarationError(
            f"{error.name} is not installed", way_out='pip install "readiness-pipelines[oncall]"'
        ) from error
    if _ENDLESS.search(_FOLD.sub(b"", content)):
        raise DeclarationError("an event recurs every minute or second, or without an interval", way_out="write shifts")
    try:
        return recurring_ical_events.of(icalendar.Calendar.from_ical(content))
    except Exception as error:  # the parser raises what it likes over a file that is something else
        raise _not_a_calendar() from error


def _not_a_calendar() -> DeclarationError:
    return DeclarationError("it is not an iCalendar file", way_out="export the calendar as .ics")


def _moment(value: datetime | date) -> datetime:
    """A time in UTC; a whole day begins at midnight UTC, and a time without a zone is UTC."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time_of_day(), tzinfo=UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _names(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Who an event is for: its attendees, by name or address; without any, its title."""
    given = event.get("ATTENDEE", [])
    attendees = given if isinstance(given, list) else [given]
    names = [
        str(one.params.get("CN", "") or str(one).removeprefix("mailto:").removeprefix("MAILTO:")) for one in attendees
    ]
    return tuple(name for name in names if name) or (
        str(event.get("SUMMARY", "")).strip() or "somebody without a name",
    )
