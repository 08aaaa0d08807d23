"""A table for the training sets that were built: what each is made of, and where its labels went."""

from sqlalchemy import JSON, Column, Connection, Index, MetaData, String, Table

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Make the table."""
    Table(
        "ledger_training_sets",
        MetaData(),
        Column("id", String(64), primary_key=True),
        Column("table_name", String(200), nullable=False),
        Column("built_at", UtcDateTime, nullable=False),
        Column("who", String(200), nullable=False),
        Column("run_id", String(200)),
        Column("facts", JSON, nullable=False),
        Index("ledger_training_sets_table", "table_name", "built_at"),
    ).create(connection)
