"""A table for the scorecard of each day."""

from sqlalchemy import JSON, BigInteger, Column, Connection, Index, Integer, MetaData, String, Table

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Make the table."""
    Table(
        "ledger_scorecards",
        MetaData(),
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("scope", String(200), nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("stage", Integer, nullable=False),
        Column("answers", JSON, nullable=False),
        Index("ledger_scorecards_scope", "scope", "at"),
    ).create(connection)
