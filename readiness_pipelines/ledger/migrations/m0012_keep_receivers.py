"""Tables for what receivers of events were sent: how far each is, and what it refused for good."""

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, Text

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Make the tables."""
    Table(
        "ledger_receivers",
        MetaData(),
        Column("name", String(200), primary_key=True),
        Column("entry", BigInteger, nullable=False),
        Column("part", Integer, nullable=False),
        Column("tries", Integer, nullable=False),
        Column("next_try_at", UtcDateTime, nullable=False),
        Column("sent_at", UtcDateTime),
        Column("error", Text),
    ).create(connection)
    Table(
        "ledger_refused_events",
        MetaData(),
        Column("name", String(200), primary_key=True),
        Column("entry", BigInteger, primary_key=True, autoincrement=False),
        Column("part", Integer, primary_key=True, autoincrement=False),
        Column("at", UtcDateTime, nullable=False),
        Column("error", Text, nullable=False),
    ).create(connection)
