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

PUBLISHED_COLUMNS = ("_batch", "_row", "_file")
"""What a published row has beside the table's own columns."""

KNOWN_COLUMNS = pa.schema([("_known_at", pa.timestamp("us", tz="UTC")), ("_known_until", pa.timestamp("us", tz="UTC"))])
"""What a row of a history has beside those of a published one: when it was published, and until when."""

RESERVED_COLUMNS = frozenset(
    {
        *RAW_COLUMNS.names,
        *KNOWN_COLUMNS.names,
        *("_errors", "_discarded", "_gate_version", "_quarantined_at", "_split"),
    }
)
"""All columns that the framework adds; a source or schema that declares one is refused."""
