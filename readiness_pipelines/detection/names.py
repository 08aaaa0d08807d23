"""The words of a column's name, in any letter case, and what they hint at."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

_MOST_WORDS = 4
_LEAST_ENDING = 5
_FOLDED = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case: ``customerEMail_2`` is customer, email, 2."""
    spelled = re.sub(r"(?<=[a-zß-ÿ0-9])(?=[A-Z])", "_", name.replace("E-Mail", "email").replace("EMail", "Email"))
    return [word for word in re.split(r"[\W_]+", spelled.lower()) if word]


@cache
def folded_words(name: str) -> tuple[str, ...]:
    """The words of a name without accents, and without the digits that only number them: ``Prénom2`` is prenom.

    Words that are nothing but digits stay.
    """
    plain = "".join(map(_without_accent, unicodedata.normalize("NFKC", name)))
    plain = plain.replace("ID", "Id") if re.search(r"[a-z]ID", plain) else plain
    # HTTPServer and IPAddress are two words each.
    plain = re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return tuple(word.translate(_FOLDED).rstrip("0123456789") or word for word in words_of(plain))


def _without_accent(letter: str) -> str:
    """The letter below an accent, of Latin ones; marks on others make them other letters."""
    parts = unicodedata.normalize("NFD", letter)
    return parts[0] if parts[0].isascii() else letter


@lru_cache(maxsize=4_096)
def _runs(name: str) -> tuple[tuple[str, ...], frozenset[str], str]:
    """A name's words, what some of them in a row make, and all of them: some fifty topics look at each name."""
    words = folded_words(name)
    runs = frozenset(
        "".join(words[first : first + length])
        for length in range(1, _MOST_WORDS + 1)
        for first in range(len(words) - length + 1)
    )
    return words, runs, "".join(words)


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Phrases by how they are found; a table of thousands of columns is looked at by some fifty topics."""

    anywhere: frozenset[str]
    alone: frozenset[str]
    endings: tuple[str, ...]
    foreign: tuple[str, ...]


@cache
def _by_kind(phrases: tuple[str, ...]) -> _Phrases:
    return _Phrases(
        anywhere=frozenset(phrase for phrase in phrases if phrase[0] not in "=*"),
        alone=frozenset(phrase[1:] for phrase in phrases if phrase[0] == "="),
        endings=tuple(phrase[1:] for phrase in phrases if phrase[0] == "*"),
        foreign=tuple(phrase for phrase in phrases if not phrase.isascii()),
    )


def hint_in(name: str, phrases: tuple[str, ...]) -> str:
    """The longest of some phrases that a name has in it; "" where there is none.

    Args:
        name: As it is in the source.
        phrases: Words without accents, joined: ``dateofbirth`` is found in ``date_of_birth``, ``DateOfBirth`` and
            ``DATEOFBIRTH``. One that begins with ``=`` is only found where it is the whole name; one that begins with
            ``*`` also at the end of a longer word; one that is not in Latin letters anywhere.
    """
    words, runs, whole = _runs(name)
    kinds = _by_kind(phrases)
    found = {*(kinds.anywhere & runs), *(kinds.alone & {whole})}
    if any(word.endswith(kinds.endings) for word in words):
        found.update(ending for ending in kinds.endings if any(word.endswith(ending) for word in words))
    found.update(phrase for phrase in kinds.foreign if phrase in whole)
    return max(found, key=lambda phrase: (len(phrase), phrase), default="")
