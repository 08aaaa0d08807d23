"""Tables for the latest values of feature views: by key, with the batches that they were kept from."""

from sqlalchemy import JSON, BigInteger, Column, Connection, Index, MetaData, String, Table, Text

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Make the tables."""
    metadata = MetaData()
    Table(
        "ledger_online_views",
        metadata,
        Column("table_name", String(200), primary_key=True),
        Column("definition", String(64), nullable=False),
        Column("entity", JSON, nullable=False),
        Column("kept_at", UtcDateTime, nullable=False),
        Column("ahead_us", BigInteger),
        Column("per_record", JSON),
    )
    Table(
        "ledger_online_batches",
        metadata,
        Column("table_name", String(200), primary_key=True),
        Column("batch", String(200), primary_key=True),
        Column("digest", String(200), nullable=False),
        Column("snapshot", BigInteger),
    )
    Table(
        "ledger_online_values",
        metadata,
        Column("table_name", String(200), primary_key=True),
        Column("key_hash", String(32), primary_key=True),
        Column("key", Text, nullable=False),
        Column("features", Text, nullable=False),
        Column("batch", String(200), nullable=False),
        Column("event_us", BigInteger),
        Column("published_us", BigInteger, nullable=False),
        Column("known_us", BigInteger, nullable=False),
        Column("row_number", BigInteger, nullable=False),
        Index("ledger_online_values_batch", "table_name", "batch", "key_hash"),
    )
    metadata.create_all(connection)
