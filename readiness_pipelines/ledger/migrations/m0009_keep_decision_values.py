"""A table for the values that decisions name, which can be erased; decisions made before keep theirs in themselves."""

from sqlalchemy import BigInteger, Column, Connection, Index, MetaData, String, Table, Text

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Make the table."""
    Table(
        "ledger_decision_values",
        MetaData(),
        Column("decision", BigInteger, primary_key=True, autoincrement=False),
        Column("part", String(700), primary_key=True),
        *(Column(name, String(200), nullable=False) for name in ("table_name", "batch")),
        Column("salt", String(32)),
        Column("value", Text),
        Column("erased_at", UtcDateTime),
        Index("ledger_decision_values_table", "table_name"),
    ).create(connection)
