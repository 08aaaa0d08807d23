"""Telephone numbers: what is written as one, and is one by the numbering plans that `phonenumbers` knows."""

import re
from collections.abc import Iterable

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "CH", "AT", "SE", "DK", "PL", "PT", "BR", "IN", "AU", "JP",
           "CN", "MX", "ZA", "TR", "CZ", "KR")  # fmt: skip
"""Where numbers without a country code may be from."""

_LEAST_DIGITS, _MOST_DIGITS = 7, 15
_SHAPE = re.compile(
    r"[+(]?[+(]?\d[\d\s().\-/\u00a0\u2011\u2013]{5,24}\d(?:\s*(?:x|ext\.?|#|Ext\.?|доб\.?)\s*\d{1,6})?", re.ASCII
)
_EXTENSION = re.compile(r"\s*(?:x|ext|#|Ext|доб).*")
_DATE = re.compile(r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4})(?:[T\s].*)?")
_NUMBER = re.compile(r"[-+]?\d*(?:[.,]\d+)?|[-+]?\d{1,3}(?:[., ]\d{3})+(?:[.,]\d+)?")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def looks_written(text: str) -> bool:
    """Whether a text is written as a telephone number is, and not as a date, an amount or an address.

    Plain digits are none: only a column's name could say so.
    """
    if not _SHAPE.fullmatch(text) or _DATE.fullmatch(text) or _ADDRESS.fullmatch(text):
        return False
    if not text.startswith("+") and _NUMBER.fullmatch(text):
        return False
    plain = _EXTENSION.sub("", text)
    return _LEAST_DIGITS <= sum(letter.isdigit() for letter in plain) <= _MOST_DIGITS


def may_be_written(text: str) -> bool:
    """The same for a column whose name says that it has telephone numbers: digits and blanks may be one."""
    digits = text.replace(" ", "")
    plain = digits.isascii() and digits.isdigit() and _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS
    return plain or looks_written(text)


def is_international(text: str) -> bool:
    """Whether a text is a possible telephone number with its country code."""
    return text.startswith(("+", "(+", "00")) and looks_written(text) and _possible(text)


def best_region(texts: Iterable[str]) -> tuple[str, int]:
    """The region in whose numbering plan most texts are valid, and how many are; "" and 0 where none is."""
    from phonenumbers import NumberParseException, is_valid_number, parse  # noqa: PLC0415  # 30 ms, where there is one

    def valid(text: str, region: str) -> bool:
        try:
            return is_valid_number(parse(text, region))
        except NumberParseException:
            return False

    written = list(texts)
    counts = {region: sum(valid(text, region) for text in written) for region in REGIONS}
    best = max(counts, key=lambda region: counts[region])
    return (best, counts[best]) if counts[best] else ("", 0)


def _possible(text: str) -> bool:
    from phonenumbers import NumberParseException, is_possible_number, parse  # noqa: PLC0415  # as above

    plain = text.replace("(+", "+(", 1) if text.startswith("(+") else text
    try:
        return is_possible_number(parse(plain if plain.startswith("+") else f"+{plain[2:]}", None))
    except NumberParseException:
        return False
