"""How a column of text writes numbers, and which digits are no number."""

import re
from datetime import UTC, datetime

import pyarrow as pa

from readiness_pipelines.contracts.cleansing import Numbers
from readiness_pipelines.detection import words_of
from readiness_pipelines.drafting.dates import AMBIGUOUS
from readiness_pipelines.drafting.readings import Reading, Texts, number_readings, promising
from readiness_pipelines.drafting.words import shortened, values_shown

_LEADING_ZERO = re.compile(r"\s*[+-]?0\d+\s*")
_WHOLE = re.compile(r"\s*[+-]?\d+\s*")
_GROUPS = re.compile(r"\s*[+-]?\d{1,3}([.,])\d{3}\s*")
_MARKED = re.compile(r"\d[.,]\d")
_EXPONENT = re.compile(r"[\d.,]+E\+\d\d", re.IGNORECASE)
_FLOAT_DIGITS = 17
_DECIMAL_DIGITS = 38
_SECONDS = (10**8 * 3, 10**9 * 4)
_DIGITS_ARE_TEXT = {
    "zip", "zipcode", "postal", "postcode", "plz", "cp", "phone", "telephone", "tel", "telefon", "mobile", "mobil",
    "handy", "fax", "iban", "ssn", "isbn", "ean", "gtin", "svnr",
}  # fmt: skip
DIGITS_LOST = "a spreadsheet may have cut off digits"
_TIME_WORDS = {"time", "ts", "timestamp", "epoch", "unix", "created", "updated", "date", "at", "when", "zeit", "datum"}


def digits_as_text(texts: Texts, name: str) -> Reading | None:
    """A reading as text of digits that are a name: with leading zeros, or too many of them; ``None`` for others."""
    whole = {text for text in texts.counts if _WHOLE.fullmatch(text)}
    if texts.weight(whole) < texts.rows * 0.9:
        return None
    if zeros := {text for text in whole if _LEADING_ZERO.fullmatch(text)}:
        note = f"{texts.weight(zeros):,} of {texts.rows:,} values begin with a zero that a number would lose: text"
        return Reading(type=pa.string(), notes=(note,))
    if set(words_of(name)) & _DIGITS_ARE_TEXT:
        return Reading(type=pa.string(), notes=("digits, but by its name not a number: text",))
    (fits,) = texts.fitting([Reading(type=pa.int64())])
    if huge := whole - fits:
        digits = max(len(text.strip().lstrip("+-")) for text in huge)
        return Reading(type=pa.string(), notes=(f"up to {digits} digits, more than 64 bits hold: text",))
    return None


def read_numbers(texts: Texts, name: str, *, decimal: str | None = None, plain: bool = False) -> Reading | None:
    """The reading as numbers that most values fit; ``None`` where there is none.

    Args:
        texts: The values.
        name: The column's name.
        plain: Whether all are numbers as programs write them; a point may still be one of thousands.
        decimal: The decimal mark where a value alone does not tell: ``1.234`` may be a thousand or one and a bit.
    """
    if plain and ambiguous_mark(texts) is None:
        readings = [Reading(type=pa.int64()), Reading(type=pa.float64())]
    else:
        readings = promising(number_readings(texts), texts)
    fits = texts.fitting(readings)
    most = max((texts.weight(one) for one in fits), default=0)
    if not most:
        return None
    best = [reading for reading, values in zip(readings, fits, strict=True) if texts.weight(values) == most]
    reading = _preferred(best, texts, decimal)
    return Reading(type=reading.type, steps=reading.steps, notes=(*reading.notes, *_notes(texts, name, reading)))


def decimal_mark(reading: Reading, texts: Texts) -> str | None:
    """The decimal mark that a column's values show beyond doubt; ``None`` where they show none."""
    if ambiguous_mark(texts) is not None or not pa.types.is_floating(reading.type):
        return None
    return next((step.decimal for step in reading.steps if isinstance(step, Numbers)), ".")


def ambiguous_mark(texts: Texts) -> str | None:
    """The mark that may be of decimals or of thousands, in all values that have one; ``None`` where it is plain."""
    marks = set()
    for text in texts.counts:
        if _MARKED.search(text):
            match = _GROUPS.fullmatch(text)
            if match is None:
                return None
            marks.add(match[1])
    return marks.pop() if len(marks) == 1 else None


def _preferred(best: list[Reading], texts: Texts, decimal: str | None) -> Reading:
    mark = ambiguous_mark(texts)
    if mark is None:
        # A point that no comma follows would be left as it is, and read as one of decimals: 1.000 beside 12,50.
        grouped = [one for one in best if _mark_of(one) == "," and _thousands_of(one) == "."]
        pointed = _mark_of(best[0]) == "," and any("." in text for text in texts.counts)
        return _exact(grouped[0] if grouped and pointed else best[0], texts)
    as_decimal = decimal == mark or (decimal is None and mark == ".")
    wanted = [one for one in best if (_mark_of(one) if as_decimal else _thousands_of(one)) == mark]
    chosen = wanted[0] if wanted else best[0]
    why = f"as other columns of the file write {decimal!r}" if decimal else "unless the steward says otherwise"
    other = f"{mark!r} of {values_shown(list(texts.counts)[:1])} may stand before decimals or between thousands"
    said = "decimals" if as_decimal else "thousands"
    return Reading(type=chosen.type, steps=chosen.steps, notes=(f"{AMBIGUOUS}: {other}; read as {said}, {why}",))


def _mark_of(reading: Reading) -> str:
    return next((step.decimal for step in reading.steps if isinstance(step, Numbers)), ".")


def _thousands_of(reading: Reading) -> str:
    return next((step.thousands for step in reading.steps if isinstance(step, Numbers)), "")


def _exact(reading: Reading, texts: Texts) -> Reading:
    """Decimals in place of floats, where values have more digits than these keep."""
    if not pa.types.is_floating(reading.type):
        return reading
    marks = "," if _mark_of(reading) == "," else "."
    whole, parts, most = 0, 0, 0
    for text in texts.counts:
        if "e" in text.lower():
            return reading  # so many digits are in none of these
        before, _, after = re.sub(rf"[^\d{marks}]", "", text).partition(marks)
        whole, parts = max(whole, len(before)), max(parts, len(after))
        most = max(most, len((before + after).strip("0")))
    if most <= _FLOAT_DIGITS or whole + parts > _DECIMAL_DIGITS:
        return reading
    return Reading(
        type=pa.decimal128(_DECIMAL_DIGITS, parts),
        steps=reading.steps,
        notes=(f"up to {most} digits, more than a float keeps",),
    )


def _notes(texts: Texts, name: str, reading: Reading) -> list[str]:
    notes = []
    if cut := {text for text in texts.counts if _EXPONENT.fullmatch(text.strip())}:
        rows = f"{texts.weight(cut):,} of {texts.rows:,} values"
        notes.append(f"{rows} are like {shortened(min(cut))}: {DIGITS_LOST}")
    if signs := next((step.currencies for step in reading.steps if isinstance(step, Numbers) and step.currencies), ()):
        notes.append(f"without {values_shown(signs)}")
    if pa.types.is_integer(reading.type) and set(words_of(name)) & _TIME_WORDS:
        numbers = sorted(int(text) for text in texts.counts if _WHOLE.fullmatch(text))
        for unit, times in (("seconds", 1), ("milliseconds", 1_000), ("microseconds", 1_000_000)):
            if numbers and _SECONDS[0] * times <= numbers[0] and numbers[-1] <= _SECONDS[1] * times:
                first, last = (datetime.fromtimestamp(one / times, tz=UTC).date() for one in (numbers[0], numbers[-1]))
                notes.append(f"{unit} since 1970, it seems: {first} to {last}; kept as the number that arrives")
    return notes
