"""The columns that a change has beside those of the table it changes."""

OP, POSITION, AT, TABLE, TRANSACTION, UNCHANGED = (
    "change_op",
    "change_position",
    "change_at",
    "change_table",
    "change_transaction",
    "change_unchanged",
)
CHANGE_COLUMNS = (OP, POSITION, AT, TABLE, TRANSACTION, UNCHANGED)
BEFORE = "before_"
"""Before the name of a key's column: its value before an update that changed the key."""

OPS = ("snapshot", "insert", "update", "delete", "truncate", "tombstone")
"""What a change can be."""
