"""The key of the register of erased persons: without it nobody can tell whom the register is about."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from readiness_pipelines.errors import RegisterKeyError

LEAST_CHARACTERS = 16
"""A shorter key could be found by trying."""

_VARIABLE, _FILE = "env:", "file:"


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
        if self.said.startswith(_VARIABLE):
            variable = self.said.removeprefix(_VARIABLE)
            if not (text := os.environ.get(variable)):
                raise RegisterKeyError(
                    f"the register's key is in the variable {variable}, which is not set",
                    way_out=f"set {variable} to the key that the register was made with",
                )
            return _checked(text.encode(), variable)
        file = self.file
        if file is None:
            raise RegisterKeyError(
                "nobody said where the key of the register of erased persons is",
                way_out='set READINESS_REGISTER_KEY to "env:NAME" or "file:PATH": beside a ledger that is not a file '
                "there is no place for it",
            )
        if make and not file.exists():
            _make(file)
        try:
            return _checked(file.read_bytes().strip(), str(file))
        except OSError as error:
            raise RegisterKeyError(
                f"the register's key cannot be read from {file}: {error.strerror}",
                way_out="bring the file back from where it is kept: no other key tells who was erased",
            ) from error

    @property
    def file(self) -> Path | None:
        """The file that holds it; ``None`` where none does."""
        if self.said.startswith(_FILE):
            return Path(self.said.removeprefix(_FILE)).expanduser()
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


def _checked(key: bytes, where: str) -> bytes:
    if len(key) < LEAST_CHARACTERS:
        raise RegisterKeyError(
            f"the register's key in {where} has {len(key)} characters",
            way_out=f"use at least {LEAST_CHARACTERS}, made by chance",
        )
    return key
