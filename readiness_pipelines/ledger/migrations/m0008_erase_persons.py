"""A count of erased rows for each batch; tables for requests, for the register of persons, and for lines of files."""

from sqlalchemy import JSON, BigInteger, Column, Connection, Index, Integer, MetaData, String, Table, Text, text

from readiness_pipelines.ledger.times import UtcDateTime

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


def migrate(connection: Connection) -> None:
    """Add the column, and make the tables."""
    connection.execute(text("ALTER TABLE ledger_batches ADD COLUMN erased BIGINT DEFAULT '0' NOT NULL"))
    made = MetaData()
    Table(
        "ledger_erasures",
        made,
        Column("id", _NUMBER, primary_key=True, autoincrement=True),
        Column("state", String(30), nullable=False),
        Column("scopes", JSON, nullable=False),
        Column("begun_at", UtcDateTime, nullable=False),
        Column("who", String(200), nullable=False),
        *(Column(name, Text, nullable=False) for name in ("why", "ground")),
        Column("found", JSON, nullable=False),
        Column("ended_at", UtcDateTime),
        Column("certificate", JSON),
        Index("ledger_erasures_state", "state"),
    )
    Table(
        "ledger_erased_persons",
        made,
        Column("id", _NUMBER, primary_key=True, autoincrement=True),
        Column("erasure", BigInteger, nullable=False),
        Column("scope", String(600), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("key_id", String(16), nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Index("ledger_erased_persons_digest", "digest"),
    )
    Table(
        "ledger_erased_lines",
        made,
        Column("id", _NUMBER, primary_key=True, autoincrement=True),
        Column("origin", Text, nullable=False),
        Column("fingerprint", String(64), nullable=False),
        Column("lines", JSON, nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Index("ledger_erased_lines_fingerprint", "fingerprint"),
    )
    made.create_all(connection)
