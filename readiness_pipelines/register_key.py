"""The key of the register of erased persons: without it nobody can tell whom the register is about."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from readiness_pipelines.errors import DeclarationError, RegisterKeyError
from readiness_pipelines.keys import FILE, key_bytes, said_place

LEAST_CHARACTERS = 16
"""A shorter key could be found by trying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterKey:
    """Where the key is.

    Attributes:
        said: ``env:NAME``, ``file:PATH``, or "" for a file beside the ledger.
        ledger: The file of an SQLite ledger; ``None`` where the ledger is none.
    """

    said: str = ""
    ledger: Path | None = None

    def read(self, *, make: bool = False) -> bytes:
        """The key.

        Args:
            make: Whether it is made where there is none: in a file that only its owner can read.

        Raises:
            RegisterKeyError: It is not there, too short, or nobody said where it is to be.
        """
        file = self.file
        if file is None and not self.said:
            raise RegisterKeyError(
                "nobody said where the key of the register of erased persons is",
                way_out='set READINESS_REGISTER_KEY to "env:NAME" or "file:PATH": beside a ledger that is not a file '
                "there is no place for it",
            )
        if make and file is not None and not file.exists():
            _make(file)
        where = self.said or f"{FILE}{file}"
        try:
            key = key_bytes(where)
        except DeclarationError as error:
            raise RegisterKeyError(
                f"the register's key: {error.what}",
                way_out="bring it back from where it is kept: no other key tells who was erased",
            ) from error
        if key is None or len(key) < LEAST_CHARACTERS:
            raise RegisterKeyError(
                f"the register's key in {said_place(where)} has {len(key or b'')} characters",
                way_out=f"use the one that the register was made with; a new one has at least {LEAST_CHARACTERS}, made "
                "by chance",
            )
        return key

    @property
    def file(self) -> Path | None:
        """The file that holds it; ``None`` where none does."""
        if self.said.startswith(FILE):
            return Path(self.said.removeprefix(FILE)).expanduser()
        if self.said or self.ledger is None:
            return None
        return self.ledger.with_name(f"{self.ledger.name}.register-key")


def _make(file: Path) -> None:
    """Make a key, in one step: nobody ever reads half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(secrets.token_hex(32))
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(half, file)
    except FileExistsError:
        pass  # another process made one meanwhile
    finally:
        half.unlink()
