"""Check digits: what tells a number of a card, an account or a person from a number that only looks like one."""

import re
from collections.abc import Sequence

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def digits_of(text: str) -> list[int]:
    """The digits of a text, in order; others are left out."""
    return [int(letter) for letter in text if letter in "0123456789"]


def luhn(digits: Sequence[int]) -> bool:
    """Whether the last digit is right by ISO/IEC 7812 (Luhn)."""
    doubled = (2 * digit - 9 if digit > 4 else 2 * digit for digit in digits[-2::-2])  # noqa: PLR2004  # of one digit
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def mod_97(text: str) -> bool:
    """Whether a text of digits and letters is right by ISO 7064 MOD 97-10, the first four characters moved last."""
    moved = (text[4:] + text[:4]).upper()
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    """The sum of the digits, each times its weight; those without one are left out."""
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def mod_11_10(digits: Sequence[int]) -> bool:
    """Whether the last digit is right by ISO 7064 MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == digits[-1]


_D5 = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def verhoeff(digits: Sequence[int]) -> bool:
    """Whether the last digit is right by Verhoeff."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_D5[check][int(_PERMUTED[place % 8][digit])])
    return check == 0


_ODD_VALUES = dict(
    zip(
        "0123456789" + _LETTERS,
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip
_CODICE_FISCALE = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")


def codice_fiscale(text: str) -> bool:
    """Whether an Italian tax code has its shape and its check letter."""
    code = text.upper()
    if _CODICE_FISCALE.fullmatch(code) is None:
        return False
    odd = sum(_ODD_VALUES[letter] for letter in code[0:15:2])
    even = sum(int(letter) if letter.isdigit() else _LETTERS.index(letter) for letter in code[1:15:2])
    return _LETTERS[(odd + even) % 26] == code[15]
