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

KNOWN_COLUMNS = pa.schema([("_known_at", pa.timestamp("us", tz="UTC")), ("_known_until", pa.timestamp("us", tz="UTC"))])
"""What a row of a history has beside those of a published one: when it was published, and until when."""

RESERVED_COLUMNS = frozenset(
    {
        *RAW_NAMES,
        *KNOWN_COLUMNS.names,
        *("_errors", "_discarded", "_gate_version", "_quarantined_at", "_split"),
    }
)
"""All columns that the framework adds; a source or schema that declares one is refused."""

CHANGE_OP, CHANGE_POSITION, CHANGE_AT = "change_op", "change_position", "change_at"
CHANGE_TABLE, CHANGE_TRANSACTION, CHANGE_UNCHANGED = "change_table", "change_transaction", "change_unchanged"
CHANGE_COLUMNS = (CHANGE_OP, CHANGE_POSITION, CHANGE_AT, CHANGE_TABLE, CHANGE_TRANSACTION, CHANGE_UNCHANGED)
"""What a change of a row has beside the columns of the table that it changes."""

BEFORE = "before_"
"""Before the name of a key's column: its value before an update that changed the key."""

CHANGE_OPS = ("snapshot", "insert", "update", "delete", "truncate", "tombstone")
"""What a change can be."""

OFFSET_BITS = 44
"""A row of a stream is numbered by its partition, then its offset in so many bits: 17 million million messages each."""
