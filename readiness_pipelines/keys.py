"""Keys of protections: where their bytes come from. They are never stored, logged, or part of an error."""

import hmac
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.wrapped_keys import KEYSET, unwrap_keyset

VARIABLE = "env:"
FILE = "file:"
LEAST_BYTES = 32
"""A key is at least as long as what it makes: 256 bits."""

Keys = Callable[[str], bytes]
"""Gives the bytes of a key by its name, or raises `DeclarationError` where it cannot be had."""


def no_keys(name: str) -> bytes:
    """Where there are no keys.

    Raises:
        DeclarationError: Always.
    """
    raise DeclarationError(f"the key {name!r} is not there", way_out="name its place in [settings.keys]")


def key_bytes(where: str) -> bytes | None:
    """What lies where a key is said to be; ``None`` where nothing does.

    Args:
        where: ``env:NAME`` for what a variable holds, ``file:PATH`` for what a file holds, without white space at the
            ends; ``tink:PATH?kek=URI`` for a keyset in a file that a key management service decrypts.

    Raises:
        DeclarationError: A file that cannot be read, a keyset that is not decrypted, or no place of a key.
    """
    if where.startswith(VARIABLE):
        return os.environ.get(where.removeprefix(VARIABLE), "").encode().strip() or None
    if where.startswith(KEYSET):
        return unwrap_keyset(where)
    if not where.startswith(FILE):
        raise DeclarationError(
            "a key is given, and not its place",
            way_out='give "env:VARIABLE", "file:PATH" or "tink:PATH?kek=…": a key does not belong into a settings file',
        )
    path = Path(where.removeprefix(FILE)).expanduser()
    try:
        return path.read_bytes().strip() or None
    except OSError as error:
        raise DeclarationError(
            f"the file {path} cannot be read: {error.strerror}",
            way_out="write the key to it, for its owner to read alone",
        ) from None


def said_place(where: str) -> str:
    """Where a key is, in words, for errors: ``the variable PATIENTS_KEY``."""
    if where.startswith(VARIABLE):
        return f"the variable {where.removeprefix(VARIABLE)}"
    return f"the file {where.partition(':')[2].partition('?')[0]}"


def read_key(name: str, where: str, *, what: str = "key") -> bytes:
    """The bytes of a key.

    Args:
        name: Its name, for errors.
        where: As `key_bytes` reads it.
        what: What it is, for errors.

    Raises:
        DeclarationError: It is not there, too short, or written into the settings itself.
    """
    try:
        found = key_bytes(where)
    except DeclarationError as error:
        raise DeclarationError(f"the {what} {name!r}: {error.what}", way_out=error.way_out) from None
    place = said_place(where)
    if found is None:
        raise DeclarationError(f"the {what} {name!r} is in {place}, which is empty or not set", way_out="set it")
    if len(found) < LEAST_BYTES:
        raise DeclarationError(
            f"the {what} {name!r} in {place} has {len(found)} bytes, fewer than {LEAST_BYTES}",
            way_out='make one: python -c "import secrets; print(secrets.token_hex(32))"',
        )
    return found


def key_id(key: bytes) -> str:
    """What tells a key from another and says nothing of it: 8 hexadecimal characters of an HMAC under it."""
    return hmac.digest(key, b"readiness: id of this key", sha256).hex()[:8]


def derived_key(key: bytes, purpose: str, length: int) -> bytes:
    """A key for one purpose, made of another: HKDF-SHA256 (RFC 5869) without salt.

    Args:
        key: The key it is made of.
        purpose: Tells the keys made of it apart.
        length: Bytes wanted, at most 8,160.
    """
    secret = hmac.digest(bytes(32), key, sha256)
    block, out = b"", b""
    while len(out) < length:
        block = hmac.digest(secret, block + purpose.encode() + bytes([len(out) // 32 + 1]), sha256)
        out += block
    return out[:length]
