"""Which columns of a file are read, and what they are called; names that cannot be told apart are refused."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.errors import FileUnreadableError
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile

NUL = "\0"
"""Where C ends a name: Arrow and DuckDB would each know the column by another."""
MOST_NAME = 1_000
"""Characters that a column's name may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLayout:
    """The columns of one file.

    Attributes:
        file: The file.
        positions: The places in the file of the columns that are read.
        schema: Their names, as they are from here on, and types.
        arrived: Their names as they arrived.
    """

    file: SourceFile
    positions: tuple[int, ...]
    schema: pa.Schema
    arrived: tuple[str, ...]


def layout_of(file: SourceFile, arrived: pa.Schema, drop: FileDrop) -> FileLayout:
    """Ignore, rename and check a file's columns.

    Raises:
        FileUnreadableError: Too many columns; a blank, reserved or repeated name, or one with a NUL byte; two that
            differ in letter case only.
    """
    arrived_names = arrived.names  # a list made anew each time
    positions = tuple(place for place, name in enumerate(arrived_names) if not drop.ignores(name))
    # More columns take minutes of planning and all memory, whatever the rows.
    if len(positions) > file.limits.most_columns:
        raise too_many_columns(file, f"{len(positions):,} columns")
    names = [arrived_names[place] for place in positions]
    _check(file, names, positions, drop)
    schema = pa.schema(
        [pa.field(column_name(arrived.field(at).name, drop), arrived.field(at).type) for at in positions]
    )
    return FileLayout(file=file, positions=positions, schema=schema, arrived=tuple(names))


def too_many_columns(file: SourceFile, columns: str) -> FileUnreadableError:
    """The error of a file with too many columns."""
    return file.beyond(
        f"it has {columns}, more than {file.limits.most_columns:,}",
        "most_columns",
        "declare FileDrop(ignore=(…)) for those that nobody reads, check its delimiter",
    )


def column_name(arrived: str, drop: FileDrop) -> str:
    """What a column is called from here on: without blanks around it, its accents composed (NFC), and renamed.

    `FileDrop.rename` may spell it as it arrived, or as it is without these.
    """
    renamed = drop.renamed(arrived)
    return renamed if renamed != arrived else drop.renamed(plain_name(arrived))


def plain_name(arrived: str) -> str:
    """A column's name without blanks around it, its accents composed (NFC)."""
    return unicodedata.normalize("NFC", arrived).strip()


def _check(file: SourceFile, names: Sequence[str], positions: Sequence[int], drop: FileDrop) -> None:
    by_name: dict[str, list[str]] = {}
    for place, name in zip(positions, names, strict=True):
        shown = column_name(name, drop)
        if (odd := odd_name(shown)) is not None:
            raise file.unreadable(f"column {place + 1} {odd}", _other_name(name, shown))
        by_name.setdefault(shown.lower(), []).append(name)
    for alike in by_name.values():
        if len(alike) > 1:
            raise file.unreadable(_twice(alike, drop), _way_out(alike))


def odd_name(name: str) -> str | None:
    """Why a column cannot be called so; ``None`` where it can."""
    if not name.strip():
        return "has no name"
    if len(name) > MOST_NAME:
        return f"has a name of {len(name):,} characters, more than {MOST_NAME:,}"
    if NUL in name:
        return f"is called {name!r}: no table keeps a name with a NUL byte in it"
    if name.lower() in RESERVED_COLUMNS:
        return f"is called {name!r}, a name that the framework adds itself"
    return None


def _other_name(arrived: str, shown: str) -> str:
    """How a column with an odd name gets another."""
    if not shown.strip():
        return 'declare FileDrop(columns=(…)), whose names replace the header, or ignore=("",)'
    if len(shown) > MOST_NAME:
        return "check its header and its delimiter, or declare FileDrop(columns=(…)), whose names replace the header"
    return f"declare FileDrop(rename={{{arrived!r}: …}}) or ignore=({arrived!r},)"


def _twice(alike: list[str], drop: FileDrop) -> str:
    if len(set(alike)) == 1:
        return f"the header has {alike[0]} more than once"
    listed = " and ".join(map(repr, dict.fromkeys(alike)))
    if any(drop.renamed(name) != name for name in alike) and len({column_name(name, drop) for name in alike}) == 1:
        return f"columns {listed} are both called {column_name(alike[0], drop)!r} after renaming"
    if len({column_name(name, drop) for name in alike}) == 1:
        return f"columns {listed} differ in blanks around them, or in how accents are written, only"
    return f"columns {listed} differ in letter case only"


def _way_out(alike: list[str]) -> str:
    if len(set(alike)) == 1:
        return "declare FileDrop(columns=(…)), whose names replace the header"
    return f"declare FileDrop(ignore=({alike[1]!r},)), or rename={{{alike[1]!r}: …}} to another name"


def check_together(layouts: Sequence[FileLayout]) -> None:
    """Refuse columns of a batch's files that differ in letter case only.

    Raises:
        FileUnreadableError: There are such; names both, and their files.
    """
    seen: dict[str, tuple[str, SourceFile]] = {}
    for layout in layouts:
        for name in layout.schema.names:
            first, file = seen.setdefault(name.lower(), (name, layout.file))
            if first != name:
                raise FileUnreadableError(
                    f"columns {first!r} of {file.name} and {name!r} of {layout.file.name} differ in letter case only",
                    way_out=f"declare FileDrop(rename={{{name!r}: {first!r}}})",
                )
