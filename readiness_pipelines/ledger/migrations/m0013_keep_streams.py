"""A table for the processes that read streams: who reads which shard, when it was last heard of, and how far it is."""

from sqlalchemy import JSON, BigInteger, Column, Connection, MetaData, String, Table, Text

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Make the table."""
    Table(
        "ledger_streams",
        MetaData(),
        Column("table_name", String(200), primary_key=True),
        Column("shard", String(20), primary_key=True),
        Column("epoch", BigInteger, nullable=False),
        Column("holder", String(200), nullable=False),
        Column("state", String(30), nullable=False),
        Column("began_at", UtcDateTime, nullable=False),
        Column("heartbeat_at", UtcDateTime, nullable=False),
        Column("ended_at", UtcDateTime),
        Column("error", Text),
        Column("open_window", String(200)),
        Column("positions", JSON, nullable=False),
        *(Column(name, BigInteger) for name in ("records", "lag")),
        Column("watermark", UtcDateTime),
    ).create(connection)
