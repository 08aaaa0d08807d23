"""In which formats a column of text writes dates, and where they can be read in two ways."""

import re
from collections.abc import Mapping

from readiness_pipelines.contracts.cleansing import Dates
from readiness_pipelines.drafting.readings import DAY_FORMATS, TIME_FORMATS, Reading, Texts, date_reading
from readiness_pipelines.drafting.words import values_shown

_MOST_FORMATS = 5
_MOST_TRIED = 2_000
_ADDS = 0.002
"""A further format is believed if more than this share of the rows has it."""

_DATE = re.compile(
    r"\s*(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{8}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4}).*"
)
_COMPACT = re.compile(r"\d{8}")
AMBIGUOUS = "AMBIGUOUS"
"""How a note begins of what can be read in several ways."""

_SWAPPED = str.maketrans("dm", "md")


def read_dates(texts: Texts, *, day_first: bool | None = None) -> Reading | None:
    """A reading of dates in one or several formats; ``None`` where most values are none.

    A text that is a date both ways, day first and month first, is said to be ambiguous, and read in the way of those
    that are a date in one way only; without such, as `day_first` says, or day first.

    Args:
        texts: The values.
        day_first: How other columns of the file write their dates; ``None`` where none of them tells.
    """
    some = texts.some(_MOST_TRIED)
    dated = [text for text in some.counts if _DATE.fullmatch(text)]
    if len(dated) < len(some.counts) / 2:
        return None
    formats = [*DAY_FORMATS, *(TIME_FORMATS if any(":" in text for text in dated) else ())]
    readings = [date_reading([one]) for one in formats]
    fits = dict(zip(formats, some.fitting(readings), strict=True))
    iso = frozenset(text for text in some.counts if re.match(r"\d{4}-\d\d?-\d\d?", text.strip()))
    # What is written as ISO 8601 converts without a format: a format counts by what it reads itself.
    fits = {one: values - iso for one, values in fits.items() if values - iso}
    if "%Y%m%d" in fits and any(not _COMPACT.fullmatch(text.strip()) for text in fits["%Y%m%d"]):
        fits["%Y%m%d"] = frozenset(text for text in fits["%Y%m%d"] if _COMPACT.fullmatch(text.strip()))
    chosen = _chosen(fits, some, month_first=day_first is False)
    if not chosen:
        return None
    reading = date_reading(chosen)
    return Reading(type=reading.type, steps=reading.steps, notes=_notes(chosen, fits, some, day_first))


def order_of_days(reading: Reading) -> bool | None:
    """Whether dates begin with the day, where a reading shows it beyond doubt; ``None`` where it does not."""
    formats = [one for step in reading.steps if isinstance(step, Dates) for one in step.formats]
    if not formats or is_ambiguous(reading) or {one[:2] for one in formats} not in ({"%d"}, {"%m"}):
        return None
    return formats[0].startswith("%d") if any("only" in note for note in reading.notes) else None


def is_ambiguous(reading: Reading) -> bool:
    """Whether the values of a column can be read in several ways."""
    return any(note.startswith(AMBIGUOUS) for note in reading.notes)


def _chosen(fits: Mapping[str, frozenset[str]], texts: Texts, *, month_first: bool) -> list[str]:
    """Formats until they read all that any of them reads, those that read most first."""
    fits = dict(sorted(fits.items(), key=lambda one: one[0].startswith("%d") is month_first))
    left = set(texts.counts)
    chosen: list[str] = []
    while len(chosen) < _MOST_FORMATS:
        best = max(fits, key=lambda one: texts.weight(fits[one] & left), default=None)
        new = fits[best] & left if best else frozenset()
        if best is None or texts.weight(new) <= _ADDS * texts.rows:
            break
        chosen.append(best)
        left -= new
    return chosen


def _notes(
    chosen: list[str], fits: Mapping[str, frozenset[str]], texts: Texts, day_first: bool | None
) -> tuple[str, ...]:
    notes = []
    for one in chosen:
        other = one.translate(_SWAPPED) if "%d" in one and "%m" in one else ""
        both = fits[one] & fits.get(other, frozenset())
        unlike = {text for text in both if not _same_both_ways(text)}
        if other in chosen and chosen.index(other) < chosen.index(one):
            continue
        only, swapped = texts.weight(fits[one] - both), texts.weight(fits.get(other, frozenset()) - both)
        if not unlike:
            continue
        example = values_shown(sorted(unlike), 1)
        if not only:
            why = "ask the steward" if day_first is None else f"read as {one}, as other columns are written"
            notes.append(f"{AMBIGUOUS}: every value is a date as {one} and as {other} ({example}): {why}")
        elif other in chosen:
            notes.append(
                f"{AMBIGUOUS}: {only:,} rows are dates as {one} only, {swapped:,} as {other} only, and "
                f"{texts.weight(unlike):,} as both ({example}), which are read as {one}"
            )
        else:
            notes.append(f"{one}, not {other}: {only:,} rows are dates in this way only")
    if any("%y" in one for one in chosen):
        notes.append("two digits of a year: 69 and later are read as 1969 and later")
    return tuple(notes)


def _same_both_ways(text: str) -> bool:
    """Whether day and month are the same number: 03/03/2026."""
    parts = re.findall(r"\d+", text)
    return len(parts) > 1 and int(parts[0]) == int(parts[1])
