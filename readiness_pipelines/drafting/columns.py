"""One column of a sample: its type, its cleansing, and the words in it that mean "no value"."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.contracts.classification import PersonalKind
from readiness_pipelines.contracts.cleansing import Trim
from readiness_pipelines.detection import Proposal
from readiness_pipelines.drafting.dates import AMBIGUOUS, is_ambiguous, read_dates
from readiness_pipelines.drafting.naming import ColumnName
from readiness_pipelines.drafting.numbers import DIGITS_LOST, decimal_mark, digits_as_text, read_numbers
from readiness_pipelines.drafting.readings import (
    DOUBTFUL_NULL_WORDS,
    NULL_WORDS,
    Conversions,
    Reading,
    Texts,
    flag_reading,
    promising,
    time_readings,
    trimmed,
)
from readiness_pipelines.drafting.words import values_shown

CONVERTS = 0.97
"""A column is read as a type that at least this share of its values converts to; the others wait in quarantine."""

CONVERTS_OF_FEW = 0.9
"""The same, of so few values that one of them weighs more."""

FEW = 100
LONG_NUMBER = 11
"""From so many digits on, the number of a person is text: whole numbers of twenty do not fit 64 bits."""

MOST_ODD = 10

_EXAMPLES = re.compile(r" \((?:'[^']*'|…|, )+\)| of '[^']*'| are like '[^']*'")
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_COMPACT_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDraft:
    """What is proposed for a column.

    Attributes:
        names: What it is called.
        reading: How it is read.
        rows: Rows of the sample.
        empty: Rows without a value in it, the words that mean that among them.
        null_words: Words in it that mean "no value".
        doubtful_words: Words in it that mean "no value" elsewhere, and are values here as far as anybody knows.
        texts: Its values as text, where it arrives as text.
        personal: Whether it is about persons: then no value of it is shown.
        proposal: What it looks like, and the class that it should perhaps have; ``None`` for what is about nobody.
        decimal: The mark of decimals that its numbers show.
    """

    names: ColumnName
    reading: Reading
    rows: int
    empty: int
    null_words: frozenset[str] = frozenset()
    doubtful_words: frozenset[str] = frozenset()
    texts: Texts | None = field(default=None, repr=False)
    personal: bool = False
    proposal: Proposal | None = None
    decimal: str | None = None

    @property
    def is_no_key(self) -> bool:
        """Whether it is about persons, and not their number."""
        return self.personal and (self.proposal is None or self.proposal.classified.kind is not PersonalKind.ID)

    @property
    def is_ambiguous(self) -> bool:
        """Whether its values can be read in several ways."""
        return is_ambiguous(self.reading)

    @property
    def has_lost_digits(self) -> bool:
        """Whether its numbers look as if a spreadsheet had cut off digits."""
        return any(note.endswith(DIGITS_LOST) for note in self.reading.notes)

    @property
    def is_text(self) -> bool:
        """Whether it is published as text."""
        return bool(pa.types.is_string(self.reading.type))


def draft_column(
    names: ColumnName,
    values: pa.ChunkedArray,
    *,
    conversions: Conversions,
    personal: bool = False,
    proposal: Proposal | None = None,
    decimal: str | None = None,
    day_first: bool | None = None,
    missing_elsewhere: frozenset[str] = frozenset(),
) -> ColumnDraft:
    """Propose how a column is read.

    Args:
        names: What it is called.
        values: Its values, as they arrived.
        conversions: What converts them.
        personal: Whether it is about persons: then no value of it is in the notes.
        proposal: What it looks like.
        decimal: The decimal mark of numbers that do not tell it themselves.
        day_first: Whether dates begin with the day, where they do not tell it themselves.
        missing_elsewhere: Words by which columns of numbers and dates beside it say that there is no value.
    """
    if not pa.types.is_string(values.type):
        kind = pa.string() if pa.types.is_null(values.type) else values.type
        empty = values.null_count + (pc.sum(pc.is_nan(values)).as_py() or 0 if pa.types.is_floating(kind) else 0)
        return ColumnDraft(
            names=names,
            reading=Reading(type=kind),
            rows=len(values),
            empty=empty,
            personal=personal,
            proposal=proposal,
        )
    texts = Texts(_counted(values), conversions)
    words = _null_words(texts)
    rest = texts.without(words)
    reading = _typed(names.arrived, rest, decimal, day_first)
    doubtful: frozenset[str] = frozenset()
    if reading is None or pa.types.is_string(reading.type):
        doubtful = frozenset(
            word
            for word in words
            if _may_be_a_value(word, rest) and (word.strip() not in missing_elsewhere or _is_one_of_codes(word, rest))
        )
        words -= doubtful
        rest = texts.without(words)
        reading = trimmed(reading or Reading(type=pa.string()), rest)
    if proposal is not None and proposal.classified.kind is PersonalKind.ID:
        reading = _number_of_a_person(reading, rest)
    if personal:
        reading = replace(reading, notes=tuple(_EXAMPLES.sub("", note) for note in reading.notes))
    numbers = not pa.types.is_string(reading.type) and not pa.types.is_temporal(reading.type)
    return ColumnDraft(
        names=names,
        reading=reading,
        rows=len(values),
        empty=values.null_count + texts.weight(words),
        null_words=words,
        doubtful_words=doubtful,
        texts=rest,
        decimal=decimal_mark(reading, rest) if numbers else None,
        personal=personal,
        proposal=proposal,
    )


def as_text(column: ColumnDraft, note: str) -> ColumnDraft:
    """The column as text that may be empty: what always runs."""
    steps = tuple(step for step in column.reading.steps if isinstance(step, Trim))
    return replace(column, reading=Reading(type=pa.string(), steps=steps, notes=(note,)))


def sampled_texts(values: pa.ChunkedArray, conversions: Conversions) -> Collection[str]:
    """The texts of a column that tell what is worth trying on all of them; none of a column that is typed."""
    if not pa.types.is_string(values.type):
        return ()
    texts = Texts(_counted(values), conversions)
    return texts.without(_null_words(texts)).some().counts


def _null_words(texts: Texts) -> frozenset[str]:
    """Those of the texts that often mean "no value"."""
    return frozenset(text for text in texts.counts if text.strip() in NULL_WORDS)


def _counted(values: pa.ChunkedArray) -> dict[str, int]:
    counts = pc.value_counts(values.drop_null())
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))


def _typed(name: str, texts: Texts, decimal: str | None, day_first: bool | None) -> Reading | None:
    """The reading of values that are something else than words; ``None`` where they are words."""
    if not texts.counts:
        return None
    if (flags := flag_reading(texts)) is not None:
        return flags
    compact = all(_COMPACT_DATE.fullmatch(text.strip()) for text in texts.counts)
    plain = not compact and all(_PLAIN_NUMBER.fullmatch(text) for text in texts.counts)
    # Of a file with hundreds of columns most are plain numbers, in which nothing else has to be looked for.
    dates = None if plain else read_dates(texts, day_first=day_first)
    if dates is not None and compact:
        return dates
    if (digits := digits_as_text(texts, name)) is not None:
        return digits
    if plain:
        return read_numbers(texts, name, decimal=decimal, plain=True)
    candidates: Sequence[Reading | None] = (
        *time_readings(),
        read_numbers(texts, name, decimal=decimal),
        dates,
    )
    readings = promising([one for one in candidates if one is not None], texts)
    if not readings:
        return None
    fits = texts.fitting(readings)
    weights = [texts.weight(values) for values in fits]
    best = weights.index(max(weights))
    odd = set(texts.counts) - fits[best]
    # A few odd values are faults; many different ones are values of another kind.
    if len(odd) > MOST_ODD and texts.weight(odd) > (1 - CONVERTS) / 3 * texts.rows:
        return None
    if weights[best] < (CONVERTS if texts.rows > FEW else CONVERTS_OF_FEW) * texts.rows:
        return None
    return _told(readings[best], texts, fits[best])


def _number_of_a_person(reading: Reading, texts: Texts) -> Reading:
    """A long number of a person (a card, an account) as text: a float keeps fewer digits, and nobody adds them up."""
    digits = max((sum(map(str.isdecimal, text)) for text in texts.counts), default=0)
    whole = pa.types.is_integer(reading.type) and digits >= LONG_NUMBER
    if not (whole or pa.types.is_floating(reading.type)):
        return reading
    note = f"up to {digits} digits that name something, and count nothing: text"
    return Reading(type=pa.string(), notes=(note, *reading.notes))


def _told(reading: Reading, texts: Texts, fits: frozenset[str]) -> Reading:
    """The reading, with what stands out about its times."""
    notes = reading.notes
    if reading.type == pa.timestamp("us", tz="UTC"):
        bare = {text for text in fits if not re.search(r"(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)\s*$", text)}
        offsets = {match[0] for text in fits - bare if (match := re.search(r"(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)\s*$", text))}
        notes = (*notes, f"instants with {values_shown(sorted(offsets))}; published in UTC")
        if bare:
            notes = (*notes, f"{AMBIGUOUS}: {texts.weight(bare):,} values have no zone, and are read as UTC")
    return replace(reading, notes=notes)


def _may_be_a_value(word: str, others: Texts) -> bool:
    """Whether a word that often means "no value" may be a value of a column of text."""
    plain = word.strip()
    signs = bool(others.counts) and all(not any(map(str.isalnum, text)) for text in others.counts)
    return plain in DOUBTFUL_NULL_WORDS or signs


def _is_one_of_codes(word: str, others: Texts) -> bool:
    """Whether a word is written as all other values are: ``NA`` among countries of two letters."""
    plain = word.strip()
    return bool(others.counts) and all(
        len(text.strip()) == len(plain) and text.strip().isalpha() and text.isupper() == plain.isupper()
        for text in others.counts
    )
