"""Rows of one file: record batches with their place in the file, and the lines that could not be parsed."""

from collections.abc import Sequence

import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.sources.files import SourceFile

ROWS_PER_BATCH = 50_000


def row_batch(
    columns: Sequence[pa.Array | pa.ChunkedArray],
    names: Sequence[str],
    *,
    places: Sequence[int] | pa.Array,
    unreadable: Sequence[str | None] | None = None,
    reasons: Sequence[str | None] | None = None,
) -> pa.Table:
    """One table of a file's rows.

    Args:
        columns: One array per column.
        names: Their names.
        places: Place of each row in the file, from 0.
        unreadable: Raw text of the rows that could not be parsed; ``None`` where all could.
        reasons: Why they could not.
    """
    rows = len(places)
    nothing = pa.nulls(rows, pa.string())
    return pa.table(
        [
            *columns,
            pa.array(places, pa.int64()),
            nothing if unreadable is None else pa.array(unreadable, pa.string()),
            nothing if reasons is None else pa.array(reasons, pa.string()),
        ],
        names=[*names, "_row", "_unreadable", "_unreadable_reason"],
    )


def check_columns(file: SourceFile, names: Sequence[str]) -> tuple[str, ...]:
    """The names of a file's columns, if they can be told apart.

    Raises:
        FileUnreadableError: A blank, repeated or reserved name.
    """
    way_out = "ask the steward to mend the header, then run the batch again"
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise file.unreadable(f"column {place} has no name", way_out)
        if name in RESERVED_COLUMNS:
            raise file.unreadable(f"column {name!r} has a name that the framework adds itself", way_out)
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise file.unreadable(f"the header has {', '.join(twice)} more than once", way_out)
    return tuple(names)


def printable(text: str) -> str:
    """Text whose undecodable bytes are written as backslash escapes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
