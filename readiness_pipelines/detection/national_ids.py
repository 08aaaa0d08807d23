"""Numbers that states give to persons, by their shapes and check digits: the chance that others pass is small."""

import re
from collections.abc import Callable, Mapping, Sequence

from readiness_pipelines.detection.checksums import (
    codice_fiscale,
    digits_of,
    luhn,
    mod_11_10,
    verhoeff,
    weighted,
)

_MONTHS, _DAYS = 12, 31


def _dated(month: int, day: int) -> bool:
    return 1 <= month <= _MONTHS and 1 <= day <= _DAYS


def _us_ssn(text: str) -> bool:
    """Areas 000, 666 and 900 and above, group 00 and serial 0000 were never given out."""
    digits = text.replace("-", "")
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _de_tax_id(digits: Sequence[int]) -> bool:
    first = digits[:10]
    repeated = sorted((first.count(digit) for digit in set(first)), reverse=True)
    return digits[0] != 0 and repeated[0] in (2, 3) and repeated[1:2] in ([], [1]) and mod_11_10(digits)


def _nhs(digits: Sequence[int]) -> bool:
    return (11 - weighted(digits, range(10, 1, -1)) % 11) % 11 == digits[9]


def _fr_nir(text: str) -> bool:
    """Sex, year, month, place, order and a key: 97 minus the rest of the number by 97. Corsica has letters in it."""
    plain = re.sub(r"[\s.-]", "", text).upper()
    number = int(plain[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(plain[13:])


def _es_dni(text: str) -> bool:
    plain = re.sub(r"[\s.-]", "", text).upper()
    number = int(plain[:-1].translate(str.maketrans("XYZ", "012")))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == plain[-1]


def _nl_bsn(digits: Sequence[int]) -> bool:
    return (weighted(digits, range(9, 1, -1)) - digits[8]) % 11 == 0 and any(digits[:8])


def _be_national(digits: Sequence[int]) -> bool:
    number = int("".join(map(str, digits[:9])))
    check = digits[9] * 10 + digits[10]
    dated = _dated(digits[2] * 10 + digits[3], digits[4] * 10 + digits[5])
    return dated and check in (97 - number % 97, 97 - (2_000_000_000 + number) % 97)


def _pl_pesel(digits: Sequence[int]) -> bool:
    month = (digits[2] * 10 + digits[3]) % 20
    right = (10 - weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == digits[10]
    return right and _dated(month, digits[4] * 10 + digits[5])


def _se_personnummer(text: str) -> bool:
    digits = digits_of(text)[-10:]
    day = digits[4] * 10 + digits[5]
    return luhn(digits) and _dated(digits[2] * 10 + digits[3], day - 60 if day > 60 else day)  # noqa: PLR2004  # coordination number


def _fi_hetu(text: str) -> bool:
    digits = digits_of(text[:6] + text[7:10])
    right = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int("".join(map(str, digits))) % 31] == text[10].upper()
    return right and _dated(digits[2] * 10 + digits[3], digits[0] * 10 + digits[1])


def _no_fodselsnummer(digits: Sequence[int]) -> bool:
    first = (11 - weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11) % 11
    second = (11 - weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11
    return (first, second) == (digits[9], digits[10])


def _dk_cpr(text: str) -> bool:
    """A date and a number: CPR numbers have had no check digit since 2007, and count by their dash alone."""
    digits = digits_of(text)
    return _dated(digits[2] * 10 + digits[3], digits[0] * 10 + digits[1])


def _br_cpf(digits: Sequence[int]) -> bool:
    def check(first: Sequence[int]) -> int:
        rest = weighted(first, range(len(first) + 1, 1, -1)) * 10 % 11
        return 0 if rest == 10 else rest  # noqa: PLR2004  # of two digits

    return len(set(digits)) > 1 and check(digits[:9]) == digits[9] and check(digits[:10]) == digits[10]


def _cn_resident_id(text: str) -> bool:
    digits = digits_of(text[:17])
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    dated = _dated(int(text[10:12]), int(text[12:14]))
    return dated and "10X98765432"[weighted(digits, weights) % 11] == text[17].upper()


def _ch_ahv(digits: Sequence[int]) -> bool:
    return digits[:3] == [7, 5, 6] and weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def _at_svnr(digits: Sequence[int]) -> bool:
    right = weighted(digits, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == digits[3]
    return right and digits[0] != 0 and _dated((digits[6] * 10 + digits[7] - 1) % 12 + 1, digits[4] * 10 + digits[5])


def _tr_kimlik(digits: Sequence[int]) -> bool:
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return digits[0] != 0 and digits[9] == tenth and sum(digits[:10]) % 10 == digits[10]


def _ca_sin(digits: Sequence[int]) -> bool:
    return digits[0] not in (0, 8) and luhn(digits)


def _cz_birth_number(text: str) -> bool:
    digits = digits_of(text)
    month = (digits[2] * 10 + digits[3]) % 50 % 20
    return int("".join(map(str, digits))) % 11 == 0 and _dated(month, digits[4] * 10 + digits[5])


def _jp_my_number(digits: Sequence[int]) -> bool:
    rest = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return digits[11] == (0 if rest <= 1 else 11 - rest)


def _kr_resident(text: str) -> bool:
    digits = digits_of(text)
    right = (11 - weighted(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == digits[12]
    return right and _dated(digits[2] * 10 + digits[3], digits[4] * 10 + digits[5])


def _of_digits(check: Callable[[Sequence[int]], bool]) -> Callable[[str], bool]:
    return lambda text: check(digits_of(text))


_Validator = tuple[re.Pattern[str], Callable[[str], bool]]


def _valid(pattern: str, check: Callable[[str], bool]) -> _Validator:
    return re.compile(pattern, re.ASCII), check


PUNCTUATED: Mapping[str, _Validator] = {
    "US social security numbers": _valid(r"\d{3}-\d{2}-\d{4}", _us_ssn),
    "UK national insurance numbers": _valid(
        r"(?i:(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])",
        lambda _text: True,
    ),
    "UK NHS numbers": _valid(r"\d{3}[ -]\d{3}[ -]\d{4}", _of_digits(_nhs)),
    "French social security numbers": _valid(
        r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}", _fr_nir
    ),
    "Spanish identity numbers": _valid(r"(?i:\d{8}|[XYZ]\d{7})[ -]?[A-Za-z]", _es_dni),
    "Italian tax codes": _valid(r"[A-Za-z0-9]{16}", codice_fiscale),
    "Belgian national numbers": _valid(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _of_digits(_be_national)),
    "Swedish personal numbers": _valid(r"(?:\d{2})?\d{6}[-+]\d{4}", _se_personnummer),
    "Finnish personal identity codes": _valid(r"\d{6}[-+A-FU-Ya-fu-y]\d{3}[0-9A-Ya-y]", _fi_hetu),
    "Danish personal numbers": _valid(r"\d{6}-\d{4}", _dk_cpr),
    "Brazilian CPF numbers": _valid(r"\d{3}\.\d{3}\.\d{3}-\d{2}", _of_digits(_br_cpf)),
    "Chinese resident identity numbers": _valid(r"[1-9]\d{5}(?:19|20)\d{9}[0-9Xx]", _cn_resident_id),
    "Swiss AHV numbers": _valid(r"756\.?\d{4}\.?\d{4}\.?\d{2}", _of_digits(_ch_ahv)),
    "Canadian social insurance numbers": _valid(r"\d{3}[ -]\d{3}[ -]\d{3}", _of_digits(_ca_sin)),
    "Czech and Slovak birth numbers": _valid(r"\d{6}/\d{4}", _cz_birth_number),
    "Korean resident numbers": _valid(r"\d{6}-[1-8]\d{6}", _kr_resident),
    "Indian Aadhaar numbers": _valid(r"[2-9]\d{3}[ -]\d{4}[ -]\d{4}", _of_digits(verhoeff)),
    "Indian tax numbers (PAN)": _valid(r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", lambda _text: True),
}
"""By shape and, where there is one, check digit."""

PLAIN: Mapping[str, _Validator] = {
    "German tax identification numbers": _valid(r"\d{11}|\d{2} \d{3} \d{3} \d{3}", _of_digits(_de_tax_id)),
    "Dutch citizen service numbers": _valid(r"\d{9}", _of_digits(_nl_bsn)),
    "Polish PESEL numbers": _valid(r"\d{11}", _of_digits(_pl_pesel)),
    "Norwegian birth numbers": _valid(r"\d{6} ?\d{5}", _of_digits(_no_fodselsnummer)),
    "Brazilian CPF numbers": _valid(r"\d{11}", _of_digits(_br_cpf)),
    "Belgian national numbers": _valid(r"\d{11}", _of_digits(_be_national)),
    "Turkish identity numbers": _valid(r"[1-9]\d{10}", _of_digits(_tr_kimlik)),
    "Austrian social security numbers": _valid(r"\d{4} ?\d{6}", _of_digits(_at_svnr)),
    "UK NHS numbers": _valid(r"\d{10}", _of_digits(_nhs)),
    "Indian Aadhaar numbers": _valid(r"[2-9]\d{11}", _of_digits(verhoeff)),
    "Japanese individual numbers": _valid(r"\d{12}", _of_digits(_jp_my_number)),
    "Swiss AHV numbers": _valid(r"756\d{10}", _of_digits(_ch_ahv)),
}
"""Plain digits, which a check digit alone tells from other numbers: all but a few of many different ones must pass."""

US_SSN_PLAIN = _valid(r"\d{9}", _us_ssn)
"""Nine digits, a social security number where the column's name says so and not otherwise."""


def passes(validator: _Validator, text: str) -> bool:
    """Whether a text has the shape and the check digit."""
    pattern, check = validator
    return pattern.fullmatch(text) is not None and check(text)
