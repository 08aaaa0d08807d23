"""Dates in names of files: where they stand, and how they are spelled."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Every = Literal["hour", "day", "month"]

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"


def _spellings() -> Iterator[tuple[Every, str, str]]:
    """What a time may look like in a name, and how `strftime` spells it, the longest first."""
    for between in ("-", "_", ""):
        for gap in ("-", "_", "T"):
            day = f"{_YEAR}{between}{_MONTH}{between}{_DAY}{gap}(?:[01]\\d|2[0-3])"
            spelled = f"%Y{between}%m{between}%d{gap}%H"
            yield from (("hour", f"{day}{sign}00", f"{spelled}{sign}%M") for sign in ("-", ":", "_", ""))
            yield "hour", day, spelled
    for between in ("-", "_", "."):
        sign = re.escape(between)
        for parts, spellings in (
            ((_YEAR, _MONTH, _DAY), ("%Y", "%m", "%d")),
            ((_DAY, _MONTH, _YEAR), ("%d", "%m", "%Y")),
            ((_MONTH, _DAY, _YEAR), ("%m", "%d", "%Y")),
        ):
            yield "day", sign.join(parts), between.join(spellings)
    yield "day", f"{_YEAR}{_MONTH}{_DAY}", "%Y%m%d"
    for between in ("-", "_", ".", ""):
        yield "month", f"{_YEAR}{re.escape(between)}{_MONTH}", f"%Y{between}%m"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameDates:
    """What the names of some files have in common.

    Attributes:
        every: What one name is of.
        spelling: How its time is spelled, as `strftime` writes it.
        before: What stands before it in each name, in their order.
        after: What stands after it.
        times: The time of each name.
        ambiguous: Another spelling in which all names are times, too; "" for none.
    """

    every: Every
    spelling: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    times: tuple[datetime, ...]
    ambiguous: str = ""


def dates_in(stems: Sequence[str]) -> NameDates | None:
    """The dates that all of some names have, spelled alike; ``None`` where one of them has none.

    Hours are believed where some names are of the same day.
    """
    found = [dates for spelling in _spellings() if (dates := _all_by(stems, *spelling)) is not None]
    days = [one for one in found if one.every == "day"]
    hours = [one for one in found if one.every == "hour"]
    if hours and len({time.date() for time in hours[0].times}) < len(set(hours[0].times)):
        return hours[0]
    if days:
        if len(days) == 1 or not days[0].spelling.startswith("%d"):
            return days[0]
        # Files of days in a row are likelier than files of the same day of several months.
        nearer = min(days, key=lambda one: max(one.times) - min(one.times))
        return replace(nearer, ambiguous=next(one.spelling for one in days if one.spelling != nearer.spelling))
    return next((one for one in found if one.every == "month"), None)


def _all_by(stems: Sequence[str], every: Every, pattern: str, spelling: str) -> NameDates | None:
    matches = [re.search(rf"(?<!\d){pattern}(?!\d)", stem) for stem in stems]
    times = []
    for match in matches:
        try:
            times.append(datetime.strptime(match[0], spelling))  # type: ignore[index]  # noqa: DTZ007  # a wall clock's
        except (ValueError, TypeError):
            return None
    return NameDates(
        every=every,
        spelling=spelling,
        before=tuple(stem[: match.start()] for stem, match in zip(stems, matches, strict=True) if match),
        after=tuple(stem[match.end() :] for stem, match in zip(stems, matches, strict=True) if match),
        times=tuple(times),
    )
