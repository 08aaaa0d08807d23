"""A table for when what batches tell of happened."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, MetaData, String, Table


def migrate(connection: Connection) -> None:
    """Make the table."""
    metadata = MetaData()
    Table(
        "ledger_event_times",
        metadata,
        Column("table_name", String(200), primary_key=True),
        Column("batch", String(200), primary_key=True),
        Column("event_column", String(200), primary_key=True),
        Column("snapshot", BigInteger, nullable=False),
        Column("zoned", Boolean, nullable=False),
        Column("quarters", JSON, nullable=False),
    )
    metadata.create_all(connection)
