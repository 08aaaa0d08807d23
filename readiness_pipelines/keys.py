"""Keys of protections: where their bytes come from. They are never stored, logged, or part of an error."""

import hmac
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from readiness_pipelines.errors import DeclarationError

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


def read_key(name: str, where: str, *, what: str = "key", setting: str = "keys") -> bytes:
    """The bytes of a key.

    Args:
        name: Its name, for errors.
        what: What it is, for errors.
        setting: The table of settings that names it, for errors.
        where: ``env:NAME`` for what a variable holds, ``file:PATH`` for what a file holds. White space at the ends is
            not part of it.

    Raises:
        DeclarationError: It is not there, too short, or written into the settings itself.
    """
    if where.startswith(VARIABLE):
        variable = where.removeprefix(VARIABLE)
        found = os.environ.get(variable, "").encode()
        place, way_out = f"the variable {variable}", f"set {variable} to the {what}"
    elif where.startswith(FILE):
        path = Path(where.removeprefix(FILE))
        place, way_out = f"the file {path}", f"write the {what} to it, for its owner to read alone"
        try:
            found = path.read_bytes()
        except OSError as error:
            raise DeclarationError(
                f"the {what} {name!r} is in {place}, which cannot be read: {error.strerror}", way_out=way_out
            ) from None
    else:
        raise DeclarationError(
            f"the setting {setting}.{name} holds something else than the place of a {what}",
            way_out=f'give "env:VARIABLE" or "file:PATH": a {what} does not belong into a settings file',
        )
    found = found.strip()
    if not found:
        raise DeclarationError(f"the {what} {name!r} is in {place}, which is not set", way_out=way_out)
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
