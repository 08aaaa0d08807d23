"""Which columns are about persons: by what their values are, with what their names say. One detector for all doors.

Values are looked at in a bounded sample, and never leave this module: a proposal says how many of them passed which
check. A column's name alone is never more than likely.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import pyarrow as pa

from readiness_pipelines.contracts.classification import Classification, Classified, PersonalKind
from readiness_pipelines.detection.free_texts import PLANTED, is_text
from readiness_pipelines.detection.leaves import Leaf, LeafType, leaves_of
from readiness_pipelines.detection.names import folded_words, hint_in
from readiness_pipelines.detection.patterns import has_high_octet, is_opaque
from readiness_pipelines.detection.phones import best_region, looks_written
from readiness_pipelines.detection.proposals import Certainty, Evidence, Proposal
from readiness_pipelines.detection.topics import FREE_TEXT_NAMES, HEALTH_NAMES, TOPICS, ColumnTopic

VERSION = 1
"""Raised where the same values would be called something else: gates that hold by it have another version then."""

MOST_ROWS = 2_000
"""So many rows are a sample."""

_FIRST = 64
_HOPELESS = 0.05
_LONGEST = 256
_OPAQUE = 0.9
_SHAPED = 0.6
_TEXTS = 0.3
_PLANTED_SHARE = 0.002
_PLANTED_ROWS = 2
_REGIONAL = 60
_REGIONAL_LEAST = 5
_VALID = 0.8
_BRACKETS = 0.3
_NATIONAL = re.compile(r"0.*|\d{3}[-. ]\d{3}[-. ]\d{4}")

_PHONES = next(topic for topic in TOPICS if topic.what == "telephone numbers")
_NAMES = next(topic for topic in TOPICS if topic.what == "names of persons")


def detect(rows: pa.Table) -> tuple[Proposal, ...]:
    """Propose classes for the columns of a sample that are about persons.

    Args:
        rows: The sample: columns as they arrived, of any type, without ``_batch`` and its like. Empty columns are known
            by their names alone.

    Returns:
        At most one for each column and path within one, in order. Columns of which nothing is known have none.
    """
    leaves = leaves_of(rows)
    found = {leaf.path: _best(leaf, _topics(leaf, beside=False)) for leaf in leaves}
    found |= _first_and_last(leaves)
    about_persons = any(one is not None for one in found.values())
    about_health = any(hint_in(leaf.name, HEALTH_NAMES) for leaf in leaves)
    if about_persons:
        found |= {leaf.path: _best(leaf, _topics(leaf, beside=True)) for leaf in leaves if found[leaf.path] is None}
    return tuple(_in_context(one, about_health) for leaf in leaves if (one := found[leaf.path]) is not None)


def in_sample(rows: pa.Table) -> pa.Table:
    """Rows from everywhere in a table, at most `MOST_ROWS`: the same ones of the same rows."""
    every = -(-rows.num_rows // MOST_ROWS)
    return rows if every <= 1 else rows.take(pa.array(range(0, rows.num_rows, every), pa.int64()))


def personal_by_name(names: Sequence[str]) -> frozenset[str]:
    """Those of a table's columns whose names alone are such as data about persons have: a hint, without values."""
    topics = [topic for topic in TOPICS if not (topic.only_beside or topic.never_sure or topic.vague)]
    pair = {name for name in names if folded_words(name) in (("first",), ("last",))}
    together = pair if len(pair) > 1 else set()
    return frozenset(name for name in names if name in together or any(hint_in(name, one.names) for one in topics))


@dataclass(frozen=True, slots=True)
class _Guess:
    """A topic that a leaf may be about."""

    topic: ColumnTopic
    certainty: Certainty
    evidence: Evidence
    tested: bool = True

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """The better, the higher: sure, tested by its own test, the longer hint, the more particular topic."""
        sure = self.certainty is Certainty.SURE
        return sure, self.tested, len(self.evidence.hint), -TOPICS.index(self.topic)


def _topics(leaf: Leaf, *, beside: bool) -> Iterator[tuple[ColumnTopic, str]]:
    """The topics that a leaf can be about, each with what its name says."""
    name = leaf.name
    for topic in TOPICS:
        if topic.only_beside is beside:
            hint = hint_in(name, topic.names)
            if hint or (topic.alone is not None and leaf.type is not LeafType.OTHER):
                yield topic, hint


def _best(leaf: Leaf, topics: Iterator[tuple[ColumnTopic, str]]) -> Proposal | None:
    """What a leaf most probably is about."""
    if leaf.type is LeafType.OTHER:
        return None
    if leaf.filled and _share(leaf, is_opaque)[1] >= _OPAQUE:
        return None  # a digest or a token already
    guesses = [guess for topic, hint in topics if (guess := _guess(leaf, topic, hint)) is not None]
    guesses += [guess for guess in (_regional_phones(leaf),) if guess is not None]
    best = max(guesses, key=lambda guess: guess.rank, default=None)
    if best is None or best.certainty is not Certainty.SURE:
        text = _free_text(leaf)
        if text is not None and (best is None or text.certainty is Certainty.SURE):
            return text
    return None if best is None else _proposal(leaf, best)


def _guess(leaf: Leaf, topic: ColumnTopic, hint: str) -> _Guess | None:
    if not leaf.filled:
        by_name = bool(hint) and not topic.vague
        return _Guess(topic, Certainty.LIKELY, Evidence(hint=hint), tested=False) if by_name else None
    if leaf.type is LeafType.NUMBER and not topic.numbers and _has_fractions(leaf):
        return None
    if topic.test is None:
        return None
    matched, share = _share(leaf, topic.test)
    evidence = Evidence(hint=hint, checked=topic.checked, matched=matched, sampled=leaf.filled)
    if hint:
        if share >= topic.share:
            return _Guess(topic, Certainty.LIKELY if topic.never_sure else Certainty.SURE, evidence)
        return _by_shape(leaf, topic, hint)
    if topic.alone is None or share < topic.alone or (leaf.type is LeafType.TIME):
        return None
    different = sum(map(topic.test, leaf.texts))
    if topic.what == "IP addresses" and _share(leaf, has_high_octet)[1] < _TEXTS:
        return None  # numbers of versions are written like addresses
    if different >= topic.least:
        return _Guess(topic, Certainty.SURE, evidence)
    strong = topic.what in ("e-mail addresses", "account numbers (IBAN)")
    return _Guess(topic, Certainty.LIKELY, evidence) if strong else None


def _by_shape(leaf: Leaf, topic: ColumnTopic, hint: str) -> _Guess | None:
    """What the name says, and values could be."""
    if topic.shape is None:
        return None
    matched, share = _share(leaf, topic.shape)
    if share < _SHAPED:
        return None
    if topic is _PHONES:
        some = list(islice((text for text in leaf.texts if topic.shape(text)), _REGIONAL))
        region, valid = best_region(some)
        if valid >= len(some) / 2:
            checked = f"the numbering plan of {region}"
            evidence = Evidence(hint=hint, checked=checked, matched=matched, sampled=leaf.filled)
            return _Guess(topic, Certainty.SURE, evidence)
    evidence = Evidence(hint=hint, checked="their shape", matched=matched, sampled=leaf.filled)
    return _Guess(topic, Certainty.LIKELY, evidence, tested=False)


def _regional_phones(leaf: Leaf) -> _Guess | None:
    """Telephone numbers without a country code in a column whose name says nothing; plain digits never are."""
    if leaf.type is not LeafType.TEXT:
        return None
    matched, share = _share(leaf, looks_written)
    if share < _VALID:
        return None
    some = list(islice((text for text in leaf.texts if looks_written(text)), _REGIONAL))
    if len(some) < _REGIONAL_LEAST:
        return None
    region, valid = best_region(some)
    if valid < len(some) * _VALID:
        return None
    written = sum(text.startswith(("(", "+")) for text in some) >= _BRACKETS * len(some)
    if not written and not all(_NATIONAL.fullmatch(text) for text in some):
        return None  # groups of digits may number anything
    evidence = Evidence(checked=f"the numbering plan of {region}", matched=matched, sampled=leaf.filled)
    return _Guess(_PHONES, Certainty.SURE if written else Certainty.LIKELY, evidence)


def _free_text(leaf: Leaf) -> Proposal | None:
    """Texts that may say anything: by their name, or by what stands in them."""
    hint = hint_in(leaf.name, FREE_TEXT_NAMES)
    free = Classified(level=Classification.PII, kind=PersonalKind.FREE_TEXT)
    if leaf.type is not LeafType.TEXT:
        return None
    if not leaf.filled:
        return _of(leaf, "free texts", free, Certainty.LIKELY, Evidence(hint=hint)) if hint else None
    matched, share = _share(leaf, lambda text: is_text(text) or text.startswith(("{", "[")), longest=None)
    if share < _TEXTS and not (hint and share > 0):
        return None
    for what, planted in PLANTED.items():
        rows = sum(count for text, count in leaf.texts.items() if planted.is_in(text))
        if rows >= _PLANTED_ROWS and rows >= _PLANTED_SHARE * leaf.filled:
            like_it = sum(count for text, count in leaf.texts.items() if planted.pattern.search(text))
            if rows < planted.share * like_it:
                continue  # a check digit is right by chance
            evidence = Evidence(hint=hint, checked="a search in them", matched=rows, sampled=leaf.filled)
            return _of(leaf, f"texts in which {what} stand", free, Certainty.SURE, evidence)
    if not hint:
        return None
    evidence = Evidence(hint=hint, checked="more words than a name has", matched=matched, sampled=leaf.filled)
    return _of(leaf, "free texts", free, Certainty.LIKELY, evidence)


def _share(leaf: Leaf, test: Callable[[str], bool], *, longest: int | None = _LONGEST) -> tuple[int, float]:
    """How many values pass a test, and which share; of hopeless ones only the first are tried."""

    def passed(texts: Mapping[str, int]) -> int:
        return sum(count for text, count in texts.items() if (longest is None or len(text) <= longest) and test(text))

    if not leaf.texts:
        return 0, 0.0
    if longest is not None and len(leaf.texts) > 2 * _FIRST:
        first = dict(islice(leaf.texts.items(), 0, None, len(leaf.texts) // _FIRST))
        if passed(first) < _HOPELESS * sum(first.values()):
            return 0, 0.0
    matched = passed(leaf.texts)
    return matched, matched / leaf.filled


def _has_fractions(leaf: Leaf) -> bool:
    return any(not text.lstrip("-").isdigit() for text in leaf.texts)


def _first_and_last(leaves: Sequence[Leaf]) -> Mapping[str, Proposal | None]:
    """Columns ``first`` and ``last`` are names of persons where there are both."""
    named = {folded_words(leaf.name): leaf for leaf in leaves}
    both = [named.get(("first",)), named.get(("last",))]
    if None in both:
        return {}
    guesses = [(leaf, _guess(leaf, _NAMES, leaf.name)) for leaf in both if leaf is not None]
    return {leaf.path: _proposal(leaf, guess) for leaf, guess in guesses if guess is not None}


def _proposal(leaf: Leaf, guess: _Guess) -> Proposal:
    topic = guess.topic
    level = Classification.PHI if topic.health else topic.level
    return _of(leaf, topic.what, Classified(level=level, kind=topic.kind), guess.certainty, guess.evidence)


def _of(leaf: Leaf, what: str, classified: Classified, certainty: Certainty, evidence: Evidence) -> Proposal:
    return Proposal(
        column=leaf.column, path=leaf.path, what=what, classified=classified, certainty=certainty, evidence=evidence
    )


def _in_context(proposal: Proposal, about_health: bool) -> Proposal:
    """What is about persons in a table about their health is about their health."""
    if not (about_health and proposal.classified.level is Classification.PII):
        return proposal
    return replace(proposal, classified=replace(proposal.classified, level=Classification.PHI))
