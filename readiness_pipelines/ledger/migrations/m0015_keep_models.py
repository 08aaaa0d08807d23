"""Tables for models: their versions, which of them serve, and requests to train anew."""

from sqlalchemy import JSON, BigInteger, Column, Connection, Float, Index, Integer, MetaData, String, Table, Text

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Make the tables."""
    metadata = MetaData()
    Table(
        "ledger_models",
        metadata,
        Column("table_name", String(200), primary_key=True),
        Column("revision", BigInteger, nullable=False),
        *(Column(name, BigInteger) for name in ("champion", "shadow", "canary")),
        Column("canary_share", Float),
        Column("decided_at", UtcDateTime, nullable=False),
        Column("served_revision", BigInteger, nullable=False),
    )
    Table(
        "ledger_model_versions",
        metadata,
        Column("table_name", String(200), primary_key=True),
        Column("version", BigInteger, primary_key=True, autoincrement=False),
        Column("key", String(64), nullable=False),
        Column("state", String(30), nullable=False),
        Column("training_set", String(200), nullable=False),
        Column("facts", JSON, nullable=False),
        Column("used", JSON, nullable=False),
        Column("who", String(200), nullable=False),
        Column("began_at", UtcDateTime, nullable=False),
        Column("checksum", String(64)),
        Column("artefact", Text),
        *(Column(name, JSON) for name in ("measured", "validation", "registry")),
        Column("trained_at", UtcDateTime),
        Index("ledger_model_versions_key", "table_name", "key", unique=True),
    )
    Table(
        "ledger_retrainings",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("table_name", String(200), nullable=False),
        Column("key", String(200), nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("who", String(200), nullable=False),
        Column("why", Text, nullable=False),
        Column("evidence", JSON, nullable=False),
        Column("state", String(30), nullable=False),
        Column("version", BigInteger),
        Column("outcome", Text),
        Column("ended_at", UtcDateTime),
        Index("ledger_retrainings_key", "table_name", "key", unique=True),
    )
    metadata.create_all(connection)
