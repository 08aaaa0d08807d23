"""What lands for one hostile batch: files and links, how they are declared, and how many rows must come of them."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Meddling = Literal["", "vanish", "grow", "replace", "cut"]
"""What happens to the first file while it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileBatch:
    """A batch that no sender means well with.

    Attributes:
        files: Contents by name, in the batch's folder; a name may hold bytes that are not UTF-8, as surrogates.
        links: Where links of the batch's folder lead, by name.
        options: Options of `FileDrop`.
        rows: Rows, unreadable ones among them, that must come of it where it is not refused; ``None`` where nobody can
            say.
        meddling: What happens while it is read.
        refused: Whether it must be refused.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    meddling: Meddling = ""
    refused: bool = False

    def land(self, folder: Path) -> None:
        """Write it."""
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        for name, target in self.links.items():
            (folder / name).symlink_to(target)


Maker = Callable[[random.Random], HostileBatch]

COLUMNS = ("id", "name", "amount")
WORDS = (
    "",
    "x",
    "Ünïcode",
    "two words",
    "'",
    "`",
    "NULL",
    "nan",
    "-",
    "0x1F",
    "1_000",
    "=1+1",
    "€",
    "\u200b",
    "日本",
    "🙂",
)


def some_rows(chance: random.Random, most: int = 40) -> list[list[str]]:
    """Rows of `COLUMNS`, none of them blank."""
    return [
        [str(number), chance.choice(WORDS), f"{chance.uniform(-10, 1000):.2f}"]
        for number in range(1, chance.randint(2, most))
    ]


def csv_of(rows: list[list[str]], header: tuple[str, ...] = COLUMNS, end: str = "\n") -> str:
    """Rows as lines without quotes."""
    return "".join(",".join(row) + end for row in [list(header), *rows])
