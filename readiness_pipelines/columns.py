"""The columns that the framework adds to every row, named once."""

import pyarrow as pa

RAW_COLUMNS = pa.schema(
    [
        ("_batch", pa.string()),
        ("_row", pa.int64()),
        ("_file", pa.string()),
        ("_unreadable", pa.string()),
        ("_unreadable_reason", pa.string()),
    ]
)
"""What a raw row has beside the source's columns: its batch, its place in it, where it came from, and its text and the
reason where it could not be parsed."""

WATERMARK = "_watermark"
"""What a raw row of a stream has beside them, where late rows are told: the time up to which events had arrived."""

RAW_NAMES = frozenset({*RAW_COLUMNS.names, WATERMARK})
"""All columns of a raw table that the framework adds."""

PUBLISHED_COLUMNS = ("_batch", "_row", "_file")
"""What a published row has beside the table's own columns."""

RESERVED_COLUMNS = frozenset({*RAW_NAMES, "_errors", "_discarded", "_gate_version", "_quarantined_at"})
"""All columns that the framework adds; a source or schema that declares one is refused."""
