"""Words as they are looked for: whatever their case, accents, plural, and however names join them."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_SPLIT = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe", "ß": "ss"})
_LEAST_STEM = 4


def fold(text: str) -> str:
    """A text without case and accents: ``Größe`` is ``grosse``, and so is ``GROSSE``."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    return bare.replace("ø", "o").replace("æ", "ae").replace("œ", "oe").replace("ł", "l").replace("đ", "d")


def words_of(text: str) -> Iterator[str]:
    """The words of a text, folded, with those that names are joined of: ``orderId``, ``order_id``, ``A1Cresult``.

    A word with umlauts comes in both spellings: ``große`` is found by ``grosse``, ``für`` by ``fuer`` and ``fur``.
    """
    for word in _SPLIT.findall(text):
        yield from _spellings(word)


@lru_cache(maxsize=100_000)
def _spellings(word: str) -> tuple[str, ...]:
    """A word, folded, in each of its spellings, and the words that it is joined of."""
    word = unicodedata.normalize("NFC", word)
    whole = fold(word)
    written_out = fold(word.lower().translate(_UMLAUTS))
    joined = [fold(part) for part in _JOINED.findall(word)]
    parts = [part for part in joined if len(part) > 1] if len(joined) > 1 else []
    return tuple(dict.fromkeys((whole, written_out, *parts)))


def stem(word: str) -> str:
    """A word without the ending of an English plural: ``orders``, ``boxes``, ``countries``.

    Other languages' plurals differ from their singular by a letter or two, as typing errors do.
    """
    if len(word) < _LEAST_STEM or not word.isascii() or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > _LEAST_STEM:
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    return word[:-1]


def trigrams(word: str) -> frozenset[str]:
    """Three letters each, with the edges marked, so that how a word begins and ends counts."""
    padded = f"\x02{word}\x03"
    return frozenset(padded[at : at + 3] for at in range(max(1, len(padded) - 2)))


def distance(one: str, other: str, *, most: int) -> int:
    """How many letters are wrong, missing, too many or swapped between two words; `most` + 1 where it is more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        older, before, row = before, row, [at]
        for place, others in enumerate(other, start=1):
            cost = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (letter != others))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == others:
                cost = min(cost, older[place - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
