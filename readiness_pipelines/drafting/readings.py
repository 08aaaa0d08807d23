"""Ways to read a column of text: as which type, after which cleansing, and how many values that would convert.

Whether a text converts is decided by the gate's own conversion, in its own query.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts.cleansing import Categories, ColumnStep, Dates, Numbers, Trim
from readiness_pipelines.drafting.currencies import CURRENCIES
from readiness_pipelines.engines.duckdb.sql import DUCKDB

SOME = 500

NULL_WORDS = frozenset(
    {"?", "-", "--", "---", "–", "—", ".", "..", "n/a", "N/A", "#N/A", "n.a.", "N.A.", "k.A.", "k. A.", "NA", "na",
     "nan",
     "NaN", "NAN", "NULL", "null", "Null", "None", "none", "\\N", "(null)", "<NA>", "#NV", "#WERT!", "#VALUE!", "#REF!",
     "#DIV/0!", "unbekannt", "missing"}
)  # fmt: skip
"""Texts by which people and programs write that there is no value."""

DOUBTFUL_NULL_WORDS = frozenset(
    {"NA", "na", "None", "none", "nan", "NaN", "NAN", "missing", "unbekannt", ".", "..", "NULL"}
)
"""Those of them that may be a value among other texts: a country, a choice, a name."""

_TRUE_FALSE = (
    ("true", "false"), ("yes", "no"), ("y", "n"), ("ja", "nein"), ("j", "n"), ("oui", "non"), ("o", "n"), ("sí", "no"),
    ("si", "no"), ("s", "n"), ("sì", "no"), ("sim", "não"), ("tak", "nie"), ("wahr", "falsch"), ("vrai", "faux"),
    ("vero", "falso"), ("verdadero", "falso"), ("t", "f"), ("on", "off"), ("x", "-"), ("да", "нет"),
)  # fmt: skip

_DAYS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d", "%Y.%m.%d", "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y",
)  # fmt: skip
_CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S.%f")
DAY_FORMATS = _DAYS
TIME_FORMATS = tuple(f"{day}{between}{clock}" for day in _DAYS for between in (" ", "T", ", ") for clock in _CLOCKS)
CANONICAL_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A way to read a column.

    Attributes:
        type: Its Arrow type.
        steps: Its cleansing.
        notes: Why, for people; a line each.
    """

    type: pa.DataType
    steps: tuple[ColumnStep, ...] = ()
    notes: tuple[str, ...] = field(default=())


class Conversions:
    """What readings make of texts: asked of a database, where it was not asked of many columns at once before.

    Planning a query takes longer than converting thousands of texts: of 800 columns, each asked by itself, a minute.

    Args:
        connection: The database.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._asked: frozenset[str] = frozenset()
        self._fits: dict[str, frozenset[str]] = {}

    def foresee(self, texts: Iterable[str], readings: Sequence[Reading]) -> None:
        """Ask once which of some texts each of some readings converts, in place of what was foreseen before."""
        self._asked = frozenset(texts)
        asked = [_converted(reading) for reading in readings]
        self._fits = dict(zip(asked, self._ask(self._asked, asked), strict=True))

    def fitting(self, texts: Mapping[str, int], readings: Sequence[Reading]) -> list[frozenset[str]]:
        """The texts that each reading converts."""
        if not texts or not readings:
            return [frozenset() for _ in readings]
        asked = [_converted(reading) for reading in readings]
        if self._fits.keys() >= {*asked} and self._asked.issuperset(texts):
            return [self._fits[one].intersection(texts) for one in asked]
        return self._ask(texts, asked)

    def converted(self, texts: Iterable[str], reading: Reading) -> Mapping[str, object]:
        """What each text is as the reading's type; those that do not convert are not there."""
        self._register(texts)
        rows = self._connection.sql(f"SELECT text, {_converted(reading)} AS value FROM texts").to_arrow_table()
        self._connection.unregister("texts")
        pairs = zip(rows.column("text").to_pylist(), rows.column("value").to_pylist(), strict=True)
        return {text: value for text, value in pairs if value is not None}

    def _ask(self, texts: Iterable[str], asked: Sequence[str]) -> list[frozenset[str]]:
        self._register(texts)
        columns = ", ".join(f"{one} IS NOT NULL" for one in asked)
        rows = self._connection.execute(f"SELECT text, {columns} FROM texts").fetchall()
        self._connection.unregister("texts")
        return [frozenset(row[0] for row in rows if row[place]) for place in range(1, len(asked) + 1)]

    def _register(self, texts: Iterable[str]) -> None:
        self._connection.register("texts", pa.table({"text": pa.array(list(texts), pa.string())}))


@dataclass(frozen=True, slots=True)
class Texts:
    """The different texts of a column, with how many rows have each, and what converts them."""

    counts: Mapping[str, int]
    conversions: Conversions

    @property
    def rows(self) -> int:
        """Rows that have one of them."""
        return sum(self.counts.values())

    def some(self, most: int = SOME) -> "Texts":
        """Some of them from everywhere, to see what is worth trying on all."""
        every = max(1, len(self.counts) // most)
        return Texts(dict(islice(self.counts.items(), 0, None, every)), self.conversions)

    def without(self, values: Set[str]) -> "Texts":
        """The others."""
        return Texts({value: count for value, count in self.counts.items() if value not in values}, self.conversions)

    def fitting(self, readings: Sequence[Reading]) -> list[frozenset[str]]:
        """The texts that each reading converts."""
        return self.conversions.fitting(self.counts, readings)

    def weight(self, values: frozenset[str] | set[str]) -> int:
        """Rows that have one of some of the texts."""
        return sum(self.counts[value] for value in values)

    def converted(self, reading: Reading) -> Mapping[str, object]:
        """What each text is as the reading's type; those that do not convert are not there."""
        return self.conversions.converted(self.counts, reading)


def _converted(reading: Reading) -> str:
    """SQL of what the gate would make of a text."""
    value = '"text"'
    for step in reading.steps:
        value = DUCKDB.cleansed(step, value) or value
    return DUCKDB.as_type(value, arrived=pa.string(), wanted=reading.type)


def promising(readings: Sequence[Reading], texts: Texts) -> list[Reading]:
    """Those of some readings that a part of the values converts to as well as to any other, where half of it does."""
    some = texts.some()
    weights = [some.weight(values) for values in some.fitting(readings)]
    least = max(max(weights, default=0) * 0.9, some.rows / 2, 1)
    return [reading for reading, weight in zip(readings, weights, strict=True) if weight >= least]


def number_readings(texts: Texts) -> list[Reading]:
    """Plain numbers first, then those that are written for people."""
    return _written_numbers(_currencies(texts))


def usual_readings() -> list[Reading]:
    """What most columns are asked for: numbers without a sign of money, times, and dates."""
    return [*_written_numbers(()), *time_readings()]


def _written_numbers(signs: tuple[str, ...]) -> list[Reading]:
    plain = [] if signs else [Reading(type=pa.int64()), Reading(type=pa.float64())]
    marks = (
        (",", "."),
        (".", ","),
        (",", " "),
        (",", "\u00a0"),
        (",", "\u202f"),
        (".", "'"),
        (".", "\u2019"),
        (",", ""),
        (".", ""),
    )
    written = [
        Reading(type=kind, steps=(Numbers(decimal=decimal, thousands=thousands, currencies=signs),))
        for decimal, thousands in (*((d, "") for d in (",", ".")), *marks[:-2])
        for kind in (pa.int64(), pa.float64())
    ]
    return [*plain, *written]


def _currencies(texts: Texts) -> tuple[str, ...]:
    """What stands before or after the digits of most texts: signs, codes, percent."""
    found: dict[str, int] = {}
    for text, count in texts.counts.items():
        match = _AROUND.fullmatch(text.strip())
        if match is not None:
            sign = (match[1] or match[2] or "").strip()
            found[sign] = found.get(sign, 0) + count
    signs = tuple(sign for sign in found if sign)
    if any(sign.isalpha() and sign not in CURRENCIES for sign in signs):
        return ()
    return signs if sum(found.values()) > texts.rows * 0.8 and len(signs) <= _MOST_SIGNS else ()


_MOST_SIGNS = 3
_MOST_SPELLINGS = 12
_AROUND = re.compile(r"[+-]?([$€£¥%]|[A-Z]{3})?\s*[+-]?\d[\d.,'\u2019\s]*\s*([$€£¥%]|[A-Z]{3})?")


def flag_reading(texts: Texts) -> Reading | None:
    """Yes and no, in the languages of whoever sends files; ``None`` where they are something else."""
    if len(texts.counts) > _MOST_SPELLINGS:
        return None
    plain = {text: text.strip().casefold() for text in texts.counts}
    for true, false in _TRUE_FALSE:
        if set(plain.values()) != {true, false}:
            continue
        if true == "true" and all(
            text.strip() in ("true", "false", "True", "False", "TRUE", "FALSE") for text in plain
        ):
            return Reading(type=pa.bool_())
        mapping: dict[str, str | None] = {text: str(said == true).lower() for text, said in sorted(plain.items())}
        return Reading(type=pa.bool_(), steps=(Categories(mapping=mapping),), notes=(f"{true} and {false}",))
    return None


def time_readings() -> list[Reading]:
    """Dates and times as ISO 8601 and the types themselves write them."""
    zoned = pa.timestamp("us", tz="UTC")
    return [Reading(type=kind) for kind in (pa.date32(), pa.timestamp("us"), zoned, pa.time64("us"))]


def date_reading(formats: Sequence[str]) -> Reading:
    """Dates, or times where a format has a clock."""
    if any(one in TIME_FORMATS for one in formats):
        return Reading(type=pa.timestamp("us"), steps=(Dates(formats=tuple(formats), canonical=CANONICAL_TIME),))
    return Reading(type=pa.date32(), steps=(Dates(formats=tuple(formats)),))


def trimmed(reading: Reading, texts: Texts) -> Reading:
    """The reading of a text column, after blanks around its values are cut off where there are some."""
    blanks = texts.weight({text for text in texts.counts if text != text.strip()})
    if not blanks:
        return reading
    note = f"{blanks:,} of {texts.rows:,} values have blanks around them"
    return Reading(type=reading.type, steps=(Trim(), *reading.steps), notes=(*reading.notes, note))
