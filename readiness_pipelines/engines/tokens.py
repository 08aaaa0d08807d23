"""Tokens that are computed value by value in Python: AES-SIV and FF1, both by libraries."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from string import ascii_lowercase, digits
from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts.protections import WITHHELD, FormatPreserving
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.keys import derived_key

ALPHABETS = {"digits": digits, "letters": ascii_lowercase, "both": digits + ascii_lowercase}
LEAST_VALUES = 1_000_000
"""SP 800-38G Rev. 1: a domain of fewer values can be guessed."""

Columnwise = Callable[[Any], Any]
"""Makes of an Arrow array of text another of the same length."""


def token_maker(key: bytes) -> Columnwise:
    """Makes tokens of texts by AES-SIV (RFC 5297), in URL-safe base 64. There is no null among them.

    Raises:
        DeclarationError: The library is not installed.
    """
    cipher = _siv(key)

    def tokens(values: Any) -> pa.Array:
        return pa.array([_encoded(cipher.encrypt(v.encode(), None)) for v in values.to_pylist()], pa.string())

    return tokens


def value_of_token(token: str, key: bytes) -> str:
    """The text that a token was made of.

    Raises:
        DeclarationError: It was made with another key, or is not a token.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # of the extra

    try:
        return str(_siv(key).decrypt(urlsafe_b64decode(token + "=" * (-len(token) % 4)), None).decode())
    except (InvalidTag, ValueError):
        raise DeclarationError("not a token of this key", way_out="give the key that it was made with") from None


def format_maker(protection: FormatPreserving, key: bytes) -> Columnwise:
    """Makes texts of the same length and alphabet by FF1 (NIST SP 800-38G). There is no null among them.

    Raises:
        DeclarationError: The library is not installed.
    """
    alphabet = ALPHABETS[protection.alphabet]
    cipher = _ff1(derived_key(key, "format-preserving", 32), alphabet)

    def encrypt(value: str) -> str:
        # Capital letters are written small: their place in the alphabet is one.
        inside = [c for c in value.lower() if c in alphabet]
        if len(alphabet) ** len(inside) < LEAST_VALUES:
            return WITHHELD
        made = cipher("".join(inside))
        if made == "".join(inside):  # the cipher maps one value or so of each length to itself
            return WITHHELD
        letters = iter(made)
        return "".join(next(letters) if c in alphabet else c for c in value.lower())

    def texts(values: Any) -> pa.Array:
        return pa.array([encrypt(value) for value in values.to_pylist()], pa.string())

    return texts


def _siv(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415  # of the extra
    except ImportError:
        raise DeclarationError(
            "Token needs the library cryptography", way_out='pip install "readiness-pipelines[privacy]"'
        ) from None
    return AESSIV(derived_key(key, "token", 64))


def _ff1(key: bytes, alphabet: str) -> Callable[[str], str]:
    try:
        from fastfpe import ff1  # noqa: PLC0415  # of the extra
    except ImportError:
        raise DeclarationError(
            "FormatPreserving needs the library fastfpe", way_out='pip install "readiness-pipelines[privacy]"'
        ) from None
    return partial(ff1.encrypt, key.hex(), "", alphabet)


def _encoded(token: bytes) -> str:
    return urlsafe_b64encode(token).rstrip(b"=").decode()
