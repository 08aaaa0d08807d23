"""The parts of a line that could not be parsed which may be a value: nobody knows where its fields are."""

import re
import unicodedata
from collections.abc import Iterator

MOST_WORDS = 12
"""A value is found up to so many words."""

_MOST_SIGNS = 3
"""A value may begin and end with so many signs: ``+49 …``, ``(555) …``, ``Acme Inc.``"""

_WORD = re.compile(r"[^\W_]+")
_SIGNS_BEFORE = re.compile(rf"(?:[^\w\s,;|\"]|_){{1,{_MOST_SIGNS}}}\Z")
_SIGNS_AFTER = re.compile(rf"(?:[^\w\s,;|\"]|_){{1,{_MOST_SIGNS}}}")
"""Signs beside a word that may be a value's own: what parts the fields of lines, and quotes, are not."""

_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_DOUBLED = re.compile("(['\"])\\1")


def parts_of(line: str) -> Iterator[str]:
    r"""The parts of a line from a word's start to a word's end, with and without the signs at its edges, once each.

    Where the line has escapes, so are the parts of what it says without them: those of JSON (``\u00fc``), and quotes
    that are written twice.

    Args:
        line: The line.
    """
    seen: set[str] = set()
    for reading in dict.fromkeys((line, without_escapes(line))):
        for part in _spans(reading):
            if part not in seen:
                seen.add(part)
                yield part


def without_escapes(line: str) -> str:
    """A line as it is meant if it is JSON, SQL, or CSV with quotes."""
    if "\\" in line:
        line = _JSON_ESCAPE.sub(_unescaped, line)
        if any("\ud800" <= sign <= "\udfff" for sign in line):  # two halves of one sign
            line = line.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _DOUBLED.sub(r"\1", line)


def _unescaped(found: re.Match[str]) -> str:
    code, sign = found.groups()
    return chr(int(code, 16)) if code else _MEANT.get(sign, sign)


def _spans(line: str) -> Iterator[str]:
    shape = line if line.isascii() else "".join("x" if _is_of_word(sign) else sign for sign in line)
    words = [match.span() for match in _WORD.finditer(shape)]
    edges = [0, *(place for word in words for place in word), len(line)]
    between = [(edges[place], edges[place + 1]) for place in range(0, len(edges), 2)]
    last = len(words)
    before = [_reach(shape, *gap, inner=0 < n < last, of=_SIGNS_BEFORE) for n, gap in enumerate(between)]
    after = [_reach(shape, *gap, inner=0 < n < last, of=_SIGNS_AFTER) for n, gap in enumerate(between)]
    for first, (start, _) in enumerate(words):
        for here in range(first, min(first + MOST_WORDS, last)):
            end = words[here][1]
            for more_before in range(before[first] + 1):
                for more_after in range(after[here + 1] + 1):
                    yield line[start - more_before : end + more_after]


def _reach(line: str, start: int, end: int, *, inner: bool, of: re.Pattern[str]) -> int:
    """How many signs of those between two words may be of a value that begins, or ends, there.

    One sign alone between two words joins them: it is inside of a value, and at the edge of none.
    """
    if end - start <= int(inner):
        return 0
    gap = line[start:end]
    found = of.search(gap) if of is _SIGNS_BEFORE else of.match(gap)
    return len(found.group()) if found else 0


def _is_of_word(sign: str) -> bool:
    """Whether a sign is none of those that part words: what is written over or under a letter, and pictures."""
    kind = unicodedata.category(sign)
    return kind[0] == "M" or kind == "So" or sign.isalnum()
