"""Which columns may be about persons, by their names: a hint for people to decide, not a finding."""

import re
from collections.abc import Sequence
from itertools import pairwise

_PERSONAL = {
    "email", "mail", "phone", "telephone", "tel", "telefon", "mobile", "mobil", "handy", "fax", "ssn", "iban",
    "passport",
    "firstname", "lastname", "surname", "forename", "givenname", "familyname", "fullname", "vorname", "nachname", "nom",
    "prenom", "apellido", "address", "adresse", "street", "strasse", "straße", "birthdate", "dob", "birthday",
    "geburtsdatum", "gender", "geschlecht", "sex", "ip", "username", "login", "first", "last", "birth", "cc", "card",
    "kreditkarte", "svnr", "steuernummer", "taxid",
}  # fmt: skip
_TOGETHER = {
    ("first", "name"), ("last", "name"), ("given", "name"), ("family", "name"), ("full", "name"), ("user", "name"),
    ("date", "birth"), ("of", "birth"), ("birth", "date"), ("card", "number"), ("card", "no"), ("cc", "num"),
    ("ip", "address"), ("ip", "addr"), ("tax", "id"), ("customer", "name"), ("patient", "name"), ("contact", "name"),
}  # fmt: skip
_ONLY_TOGETHER = {"first", "last", "birth", "cc", "card"}
_HEALTH = {"diagnosis", "diag", "icd", "icd9", "icd10", "patient", "medication", "symptom", "diagnose", "befund"}
_DIGITS_ARE_TEXT = {
    "zip", "zipcode", "postal", "postcode", "plz", "cp", "phone", "telephone", "tel", "telefon", "mobile", "mobil",
    "handy", "fax", "iban", "ssn", "isbn", "ean", "gtin", "svnr",
}  # fmt: skip


def is_personal(name: str) -> bool:
    """Whether a column's name is one that data about persons has."""
    words = words_of(name)
    pairs = set(pairwise(words))
    return bool((set(words) & _PERSONAL) - _ONLY_TOGETHER or pairs & _TOGETHER)


def personal_names(names: Sequence[str]) -> frozenset[str]:
    """Those of a table's columns that may be about persons."""
    lower = {name.lower() for name in names}
    together = {"first", "last"} if {"first", "last"} <= lower else set()
    return frozenset(name for name in names if is_personal(name) or name.lower() in together)


def is_about_health(name: str) -> bool:
    """Whether a column's name is one that data about somebody's health has."""
    return bool({word.rstrip("0123456789") or word for word in words_of(name)} & _HEALTH)


def is_number_in_name_only(name: str) -> bool:
    """Whether a column's digits are a name and not a number, by the column's own name: postal codes, phones."""
    return bool(set(words_of(name)) & _DIGITS_ARE_TEXT)


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case: ``customerEMail_2`` is customer, email."""
    spelled = re.sub(r"(?<=[a-zß-ÿ0-9])(?=[A-Z])", "_", name.replace("E-Mail", "email").replace("EMail", "Email"))
    return [word for word in re.split(r"[\W_]+", spelled.lower()) if word]
