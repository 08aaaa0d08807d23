"""A table for deliveries whose beginning a receiver was sent before their end."""

from sqlalchemy import Column, Connection, MetaData, String, Table


def migrate(connection: Connection) -> None:
    """Make the table."""
    metadata = MetaData()
    Table(
        "ledger_started_runs",
        metadata,
        Column("name", String(200), primary_key=True),
        Column("attempt", String(64), primary_key=True),
        Column("state", String(30), nullable=False),
    )
    metadata.create_all(connection)
