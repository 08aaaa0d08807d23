r"""What a search by text looks for: a value as files may write it, whatever its case, and not a longer number.

Each letter of the value has its forms: small and capital ones (``ß`` is ``SS``), composed and decomposed. Of the files'
bytes, the letters of ASCII are made small before they are searched, and all others are among the forms.
"""

import json
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from readiness_pipelines.delivery.erasure.persons import ValueKind, canonical_text

LEAST_CHARACTERS = 5
"""A shorter text is found in the middle of all kinds of others: it is looked for in the columns that name persons."""

LEAST_DIGITS = 9
"""So is a number, or a time, with fewer: it is also the number of a row, an amount, the day of something else."""

_UNIT = re.compile("ss|.", re.IGNORECASE | re.DOTALL)
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_CASES: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.title, str.casefold)
_WRITTEN = {
    '"': ('\\"', '""', "&quot;"),
    "'": ("''", "&#39;", "&apos;"),
    "&": ("&amp;",),
    "<": ("&lt;",),
    ">": ("&gt;",),
    "\\": ("\\\\",),
    "/": ("\\/",),
}
"""How JSON, CSV, SQL and XML (workbooks) write a sign within a text."""


@dataclass(frozen=True, slots=True)
class Needle:
    """One text to look for.

    Attributes:
        number: Its digits, where it has nothing else.
        pattern: How texts have it: a regular expression of Python and of RE2, to be matched whatever the case.
    """

    number: str | None = field(repr=False)
    pattern: str = field(repr=False)
    _part: str = field(repr=False)
    _codings: tuple["_Coding", ...] = field(repr=False)

    def in_text(self, text: str) -> bool:
        """Whether a text has it."""
        return self._part in text.lower() and re.search(self.pattern, text, re.IGNORECASE) is not None

    def in_bytes(self, low: bytes, *, run_on: bool = False) -> bool:
        """Whether bytes have it, as UTF-8, JSON in ASCII, UTF-16 or Latin-1.

        Args:
            low: The bytes; letters of ASCII are small.
            run_on: Values may follow one another with nothing between: a digit beside it is another value's.
        """
        return any(
            one.part in low and (one.anywhere if run_on else one.alone).search(low) is not None for one in self._codings
        )


@dataclass(frozen=True, slots=True)
class _Coding:
    """A text in bytes: with no digit beside one at its edges, anywhere, and a part that all its forms have."""

    alone: re.Pattern[bytes]
    anywhere: re.Pattern[bytes]
    part: bytes


def is_told_by_text(value: str) -> bool:
    """Whether a value is found by its text: one that is short, or a number of few digits, is others' as well."""
    text = value.strip()
    counts = any(canonical_text(text, kind) is not None for kind in (ValueKind.NUMBER, ValueKind.TIME))
    return len(text) >= LEAST_CHARACTERS and (not counts or sum(map(str.isdigit, text)) >= LEAST_DIGITS)


def needles_of(values: Iterable[str], kinds: Iterable[ValueKind] = ()) -> tuple[Needle, ...]:
    """The texts to look for: values as they were given, and as columns of some kinds compare them.

    Args:
        values: The values; those that a text does not tell are left out.
        kinds: The kinds of the columns that name persons.
    """
    compared = dict.fromkeys((ValueKind.TEXT, *kinds))
    texts = {text for value in values for kind in compared if (text := canonical_text(value, kind)) is not None}
    return tuple(_needle(text) for text in sorted(texts) if is_told_by_text(text))


def _needle(text: str) -> Needle:
    units = [_forms(unit) for unit in _UNIT.findall(text)]
    before, after = text[0].isdecimal(), text[-1].isdecimal()
    either = [[*unit, *(one for form in unit if (one := _json(form).decode()) != form)] for unit in units]
    # Not by looking around: RE2, which searches columns, knows no such thing.
    # The end of an escape is no digit of what follows it.
    no_digit = r"(?:^|[^0-9]|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})"
    pattern = "".join([no_digit * before, *map(_any_of, either), "(?:$|[^0-9])" * after])
    codings = (_coded(units, code, before=before, after=after) for code in (_utf8, _json, _utf16, _latin1))
    each = tuple(dict.fromkeys(one for one in codings if one is not None))
    return Needle(text if text.isdecimal() else None, pattern, _longest_run(either), each)


def _forms(unit: str) -> list[str]:
    """How a letter may be written, with small letters of ASCII."""
    forms = {unit}
    for _ in range(2):  # the capital of a small letter has another small one: that of sigma
        forms |= {case(one) for one in forms for case in _CASES}
    if "ss" in forms:
        forms |= {"ß", "ẞ"}
    forms |= {unicodedata.normalize(form, one) for one in forms for form in ("NFC", "NFD")}
    return sorted({one.translate(_SMALL) for one in (*forms, *_WRITTEN.get(unit, ()))})


def _coded(
    units: Sequence[Sequence[str]], code: Callable[[str], bytes | None], *, before: bool, after: bool
) -> _Coding | None:
    """A text in a coding; ``None`` where that does not have its letters."""
    coded = [[made.lower() for form in unit if (made := code(form)) is not None] for unit in units]
    if not all(coded):
        return None
    each = [[one.decode("latin-1") for one in sorted(set(forms))] for forms in coded]  # a letter for each byte
    wide = "\x00" if code is _utf16 else ""
    anywhere = "".join(map(_any_of, each))
    no_digit = f"(?<![0-9]{wide})" if wide else r"(?:(?<![0-9])|(?<=\\u[0-9a-f]{4})|(?<=%[0-9a-f]{2}))"
    alone = "".join([no_digit * before, anywhere, f"(?![0-9]{wide})" * after])
    patterns = [re.compile(one.encode("latin-1")) for one in (alone, anywhere)]
    return _Coding(patterns[0], patterns[1], _longest_run(each).encode("latin-1"))


def _any_of(forms: Sequence[str]) -> str:
    """A regular expression for any of some texts."""
    escaped = list(map(re.escape, forms))
    return escaped[0] if len(escaped) == 1 else f"(?:{'|'.join(escaped)})"


def _longest_run(units: Sequence[Sequence[str]]) -> str:
    """The longest part that all forms of a text have: to look for before the text is."""
    shared = "".join(unit[0] if len(unit) == 1 else _BREAK for unit in units)
    return max(shared.split(_BREAK), key=len)


_BREAK = "\uffff"


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _json(text: str) -> bytes:
    return "".join(one if one.isascii() else json.dumps(one)[1:-1] for one in text).encode()


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _latin1(text: str) -> bytes | None:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None
