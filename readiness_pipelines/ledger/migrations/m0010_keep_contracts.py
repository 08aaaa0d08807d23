"""A table for what tables promised, one row for each time that a contract changed, with whom that breaks."""

from sqlalchemy import JSON, BigInteger, Column, Connection, Index, Integer, MetaData, String, Table, Text

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Make the table."""
    Table(
        "ledger_contracts",
        MetaData(),
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("table_name", String(200), nullable=False),
        Column("version", String(64), nullable=False),
        Column("text", Text, nullable=False),
        Column("breakages", JSON, nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Index("ledger_contracts_table", "table_name", "id"),
    ).create(connection)
