"""Single values that say themselves what they are: e-mail and network addresses, cards, accounts, dates, streets."""

import ipaddress
import re

from readiness_pipelines.detection.checksums import digits_of, luhn, mod_97

_EMAIL = re.compile(
    r"(?:mailto:)?[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*\.[^\W\d_]{2,24}", re.IGNORECASE
)
_NAMED_EMAIL = re.compile(r"[^<>@]{1,64}<[^<>\s@]{1,64}@[^<>\s@]{3,190}>")
_MAC = re.compile(
    r"(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"
)
_IBAN = re.compile(r"[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}")
_CARD = re.compile(r"\d{12,19}|\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}|3\d{3}[ -]\d{6}[ -]\d{4,5}", re.ASCII)
_ISSUERS = re.compile(r"3[0-9]|4|5[0-9]|6[0-9]|2[2-7]|81|62")
_MRN = re.compile(r"(?:MRN|PAT(?:IENT)?|PT|PID|CHART)[-_# :]{0,2}[A-Z]{0,3}[-_]?\d{4,12}", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"(?=.*\d)[A-Za-z0-9]{1,20}(?:[-/._ ][A-Za-z0-9]{1,20}){0,5}")
_DATE = re.compile(
    r"(?:(?:1[89]|20)\d{2}(?:[-./]\d{1,2}[-./]\d{1,2}|[01]\d[0-3]\d)|\d{1,2}[-./ ](?:\d{1,2}|[^\W\d_]{3,12}\.?)[-./ ]"
    r"(?:\d{2}|\d{4})|[^\W\d_]{3,12}\.? \d{1,2},? \d{4}|\d{4}年\d{1,2}月\d{1,2}日)(?:[T ].{4,18})?"
)
_YEAR = re.compile(r"(?:18[5-9]|19\d|20[0-4])\d(?:[.,]0)?")
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .,'\u2019\u02bc·\-()]|\u0300)*")
_STREET = re.compile(
    r"(?i)(?:\b(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace|trail|"
    r"parkway|pkwy|highway|hwy|way|crescent|close|mews|grove|gardens|apt|suite|p\.?o\.? box|unit|postfach|"
    r"rue|avenue|chemin|impasse|allee|allée|quai|cours|calle|avenida|avda|paseo|plaza|camino|rua|travessa|largo|"
    r"via|viale|piazza|corso|vicolo|strada|contrada|rotonda|borgo|ul|ulica|aleja|plac|os|ulice|utca|út|tér|mahallesi|sokak|sk|"
    r"cd|caddesi|gata|ул|улица|пр|проспект|пер|д|кв|улиця|вул)\b\.?|"
    r"\w(?:strasse|straße|str\.|gasse|weg|platz|allee|ring|damm|ufer|straat|laan|plein|gracht|kade|dreef|singel|gatan|vägen|"
    r"gränd|stigen|vej|gade|allé|gata|veien|vegen|katu|tie|kuja|polku)\b|[丁目番地号室路街巷弄])"
)
_HOUSE = re.compile(r"\d")
_COORDINATE = re.compile(r"-?\d{1,3}(?:[.,]\d+)?")
_POSTAL = re.compile(
    r"\d{4,5}(?:-\d{4}|-\d{3})?|\d{3}[ -]\d{2}|\d{4} ?[A-Za-z]{2}|[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d|\d{3}-\d{4}|\d{6,8}|"
    r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}|[A-Za-z]{1,2}-\d{4,5}|\d{2}-\d{3}|\d{2}\.?\d{3}-\d{3}",
    re.ASCII,
)
_LEAST_POSTAL = 3
_OPAQUE = re.compile(r"[0-9a-f]{32,128}|[0-9A-F]{32,128}|\$[0-9a-z]{1,6}\$.{20,}|[A-Za-z0-9+/_-]{40,}={0,2}")
_HIGH_OCTET = 100


def is_email(text: str) -> bool:
    """Whether a text is an e-mail address, by itself or behind a name."""
    return "@" in text and (_EMAIL.fullmatch(text) is not None or _NAMED_EMAIL.fullmatch(text) is not None)


def is_ip_address(text: str) -> bool:
    """Whether a text is an address of IPv4 or IPv6, perhaps with a port or a prefix."""
    if not (text.count(".") == 3 or text.count(":") > 1):  # noqa: PLR2004  # four octets
        return False
    plain = re.sub(r"/\d{1,3}$", "", text.strip("[]"))
    plain = re.sub(r"(?<=\.\d):\d+$|(?<=\.\d\d):\d+$|(?<=\.\d\d\d):\d+$", "", plain)
    try:
        return bool(ipaddress.ip_address(plain))
    except ValueError:
        return False


def has_high_octet(text: str) -> bool:
    """Whether an address is one that no version number is: IPv6, or with a part over a hundred."""
    return ":" in text or any(int(part) >= _HIGH_OCTET for part in re.findall(r"\d{1,3}", text))


def is_mac_address(text: str) -> bool:
    """Whether a text is the hardware address of a network device."""
    return _MAC.fullmatch(text) is not None


def is_iban(text: str) -> bool:
    """Whether a text is an account number by ISO 13616, with its check digits."""
    plain = re.sub(r"[\s-]", "", text)
    return plain.isascii() and _IBAN.fullmatch(plain) is not None and mod_97(plain)


def is_card(text: str) -> bool:
    """Whether a text is the number of a payment card, by issuer range and check digit."""
    return _CARD.fullmatch(text) is not None and _ISSUERS.match(text) is not None and luhn(digits_of(text))


def may_be_card(text: str) -> bool:
    """Whether a text may be a card's number that lost digits: by its length, or as a spreadsheet writes it."""
    return (
        re.fullmatch(r"\d{11,19}|\d(?:[.,]\d+)?[Ee]\+1[0-9]|\d{4,6}[*xX•]{4,10}\d{2,4}|[*xX•]{4,14}\d{4}", text)
        is not None
    )


def is_mrn(text: str) -> bool:
    """Whether a text is marked as the number of a patient."""
    return _MRN.fullmatch(text) is not None


def is_numbered(text: str) -> bool:
    """Whether a text may be a number in a register: letters and digits, without sentences."""
    return _NUMBER.fullmatch(text) is not None


def is_day(text: str) -> bool:
    """Whether a text is a date, or a year in which somebody alive may have been born."""
    return _DATE.fullmatch(text) is not None or _YEAR.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether a text may be a name: letters, few words."""
    return _NAME.fullmatch(text) is not None and len(text.split()) <= 7  # noqa: PLR2004  # titles and four names


def is_user_name(text: str) -> bool:
    """Whether a text may be the name of an account: no blanks, some letter."""
    return re.fullmatch(r"[\w.@+\\-]{2,64}", text) is not None and any(letter.isalpha() for letter in text)


def is_street(text: str) -> bool:
    """Whether a text has a word for a street and a number in it."""
    return _HOUSE.search(text) is not None and _STREET.search(text) is not None


def may_be_street(text: str) -> bool:
    """Whether a text has letters and a number, as addresses do, or is the name of a street."""
    return any(letter.isalpha() for letter in text) and (_HOUSE.search(text) is not None or is_street_name(text))


def is_street_name(text: str) -> bool:
    """Whether a text has a word for a street in it."""
    return _STREET.search(text) is not None


def is_postal_code(text: str) -> bool:
    """Whether a text has the shape of a postal code somewhere; leading zeros may be lost."""
    return _POSTAL.fullmatch(text) is not None or (text.isascii() and text.isdigit() and len(text) == _LEAST_POSTAL)


def is_coordinate(text: str) -> bool:
    """Whether a text is a number of degrees."""
    return _COORDINATE.fullmatch(text) is not None and abs(float(text.replace(",", "."))) <= 180  # noqa: PLR2004  # degrees


def is_opaque(text: str) -> bool:
    """Whether a text is a digest or a token: what it was made of cannot be seen."""
    return _OPAQUE.fullmatch(text) is not None
