"""The ledger's tables."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
)

from readiness_pipelines.ledger.guards import guard
from readiness_pipelines.ledger.times import UtcDateTime

METADATA = MetaData()

FIRST_VERSION = 4
"""The oldest version that can be migrated: ledgers before it knew tables by the path that delivered them."""

SCHEMA_VERSION = 19
"""Raised with every change of the tables, together with a step in ``ledger/migrations/``."""


# SQLite numbers rows by itself only where the key is a plain INTEGER.
_ID = BigInteger().with_variant(Integer, "sqlite")


def _batch_key() -> list[Column[str]]:
    return [Column(name, String(200), primary_key=True) for name in ("table_name", "batch")]


def _link() -> Column[str]:
    """What ties a row to the one before it; see ``ledger/chain.py``."""
    return Column("link", String(64), nullable=False, server_default="")


def _of_batch() -> list[Column[str]]:
    return [Column(name, String(200), nullable=False) for name in ("table_name", "batch")]


VERSION = Table("ledger_version", METADATA, Column("version", Integer, primary_key=True))

BATCHES = Table(
    "ledger_batches",
    METADATA,
    *_batch_key(),
    Column("state", String(30), nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("ingested", "published", "quarantined", "discarded")),
    Column("erased", BigInteger, nullable=False, server_default="0"),
    Column("unreadable", BigInteger, nullable=False),
    *(Column(name, BigInteger) for name in ("raw_snapshot", "quarantine_snapshot", "published_snapshot")),
    Column("gate_version", String(64)),
    Column("run_id", String(200)),
    Column("attempt", String(64)),
    Column("reason", Text),
    Column("inputs", JSON, nullable=False),
    Column("origins", JSON, nullable=False),
    Column("arrival", String(200)),
    Column("columns", JSON, nullable=False),
    Column("newest_event_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
)

ATTEMPTS = Table(
    "ledger_attempts",
    METADATA,
    Column("attempt", String(64), primary_key=True),
    *_of_batch(),
    Column("run_id", String(200), nullable=False),
    Column("who", String(200), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text),
    Index("ledger_attempts_open", "ended_at"),
)

TRAIL = Table(
    "ledger_trail",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *_of_batch(),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(60), nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text),
    Column("run_id", String(200)),
    Column("attempt", String(64)),
    Column("details", JSON, nullable=False),
    _link(),
    Index("ledger_trail_batch", "table_name", "batch"),
)

GATES = Table(
    "ledger_gates",
    METADATA,
    Column("table_name", String(200), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("declaration", JSON, nullable=False),
    Column("first_used_at", UtcDateTime, nullable=False),
)

CONTRACTS = Table(
    "ledger_contracts",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("table_name", String(200), nullable=False),
    Column("version", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("breakages", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ledger_contracts_table", "table_name", "id"),
)

DECISIONS = Table(
    "ledger_decisions",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *_of_batch(),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("verb", String(60), nullable=False),
    Column("content", JSON, nullable=False),
    Column("text", Text, nullable=False),
    _link(),
    Index("ledger_decisions_batch", "table_name", "batch"),
)

DECISION_VALUES = Table(
    "ledger_decision_values",
    METADATA,
    Column("decision", BigInteger, primary_key=True, autoincrement=False),
    Column("part", String(700), primary_key=True),
    *_of_batch(),
    Column("salt", String(32)),
    Column("value", Text),
    Column("erased_at", UtcDateTime),
    Index("ledger_decision_values_table", "table_name"),
)

REQUESTS = Table(
    "ledger_replay_requests",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *_of_batch(),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("state", String(30), nullable=False),
    Column("run_id", String(200)),
    Column("outcome", Text),
    Index("ledger_replay_requests_state", "state"),
)

WATCHED = Table(
    "ledger_watched_tables",
    METADATA,
    Column("table_name", String(200), primary_key=True),
    Column("state", String(30), nullable=False),
    Column("watched_since", UtcDateTime, nullable=False),
    Column("looked_at", UtcDateTime, nullable=False),
)

INCIDENTS = Table(
    "ledger_incidents",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("subject", String(800), nullable=False),
    Column("state", String(30), nullable=False),
    *(Column(name, String(200), nullable=False) for name in ("kind", "severity", "table_name")),
    Column("batch", String(200)),
    *(Column(name, Text, nullable=False) for name in ("promised", "seen", "way_out", "answers")),
    *(Column(name, JSON, nullable=False) for name in ("details", "at_risk")),
    Column("since", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("notified_at", UtcDateTime),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", String(200)),
    Column("resolved_at", UtcDateTime),
    Column("resolved_by", String(200)),
    Index("ledger_incidents_subject", "subject"),
    Index("ledger_incidents_state", "state"),
    Index("ledger_incidents_table", "table_name"),
)

INCIDENT_EVENTS = Table(
    "ledger_incident_events",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("incident", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(60), nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text),
    _link(),
    Index("ledger_incident_events_incident", "incident"),
)

FINDINGS = Table(
    "ledger_findings",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *_of_batch(),
    *(Column(name, String(200), nullable=False) for name in ("kind", "measured")),
    Column("column_name", String(500)),
    *(Column(name, Text, nullable=False) for name in ("promised", "seen")),
    Column("details", JSON, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    Column("normal_at", UtcDateTime),
    Column("normal_by", String(200)),
    Column("normal_why", Text),
    Index("ledger_findings_batch", "table_name", "batch"),
)

MESSAGES = Table(
    "ledger_messages",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("channel", String(200), nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("error", Text),
    Index("ledger_messages_unsent", "sent_at", "next_try_at"),
)

NOTICES = Table(
    "ledger_notices",
    METADATA,
    Column("channel", String(200), primary_key=True),
    Column("incident", BigInteger, primary_key=True),
    Column("what", String(100), primary_key=True),
    Column("message", BigInteger, nullable=False),
)

SILENCES = Table(
    "ledger_silences",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("tables", String(200), nullable=False),
    Column("begins_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
)

SHAPES = Table(
    "ledger_shapes",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *_of_batch(),
    Column("columns", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    _link(),
    Index("ledger_shapes_table", "table_name"),
)

CLAIMS = Table(
    "ledger_claims",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("table_name", String(200), nullable=False),
    *(Column(name, Text, nullable=False) for name in ("module", "owner", "origin")),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    _link(),
    Index("ledger_claims_table", "table_name"),
)

CONTENTS = Table(
    "ledger_contents",
    METADATA,
    *_batch_key(),
    *(Column(name, BigInteger, nullable=False) for name in ("snapshot", "row_count")),
    Column("digest", String(50), nullable=False),
    Column("files", JSON, nullable=False),
)

PROFILES = Table(
    "ledger_profiles",
    METADATA,
    *_batch_key(),
    Column("noted", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("profile", Text, nullable=False),
)

ERASURES = Table(
    "ledger_erasures",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
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

ERASED_PERSONS = Table(
    "ledger_erased_persons",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("erasure", BigInteger, nullable=False),
    Column("scope", String(600), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ledger_erased_persons_digest", "digest"),
)

ERASED_LINES = Table(
    "ledger_erased_lines",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("origin", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("lines", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ledger_erased_lines_fingerprint", "fingerprint"),
)

RECEIVERS = Table(
    "ledger_receivers",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("entry", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("error", Text),
)

REFUSED_EVENTS = Table(
    "ledger_refused_events",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("error", Text, nullable=False),
)

STARTED_RUNS = Table(
    "ledger_started_runs",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("attempt", String(64), primary_key=True),
    Column("state", String(30), nullable=False),
)

STREAMS = Table(
    "ledger_streams",
    METADATA,
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
    Column("paused_since", UtcDateTime),
    Column("paused", Text),
)

SCORECARDS = Table(
    "ledger_scorecards",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("scope", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("answers", JSON, nullable=False),
    Index("ledger_scorecards_scope", "scope", "at"),
)

MODELS = Table(
    "ledger_models",
    METADATA,
    Column("table_name", String(200), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    *(Column(name, BigInteger) for name in ("champion", "shadow", "canary")),
    Column("canary_share", Float),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("served_revision", BigInteger, nullable=False),
)

MODEL_VERSIONS = Table(
    "ledger_model_versions",
    METADATA,
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

RETRAININGS = Table(
    "ledger_retrainings",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
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

TRAINING_SETS = Table(
    "ledger_training_sets",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("table_name", String(200), nullable=False),
    Column("built_at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("run_id", String(200)),
    Column("facts", JSON, nullable=False),
    Index("ledger_training_sets_table", "table_name", "built_at"),
)

EVENT_TIMES = Table(
    "ledger_event_times",
    METADATA,
    Column("table_name", String(200), primary_key=True),
    Column("batch", String(200), primary_key=True),
    Column("event_column", String(200), primary_key=True),
    Column("snapshot", BigInteger, nullable=False),
    Column("zoned", Boolean, nullable=False),
    Column("quarters", JSON, nullable=False),
)

ONLINE_VIEWS = Table(
    "ledger_online_views",
    METADATA,
    Column("table_name", String(200), primary_key=True),
    Column("definition", String(64), nullable=False),
    Column("entity", JSON, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
    Column("ahead_us", BigInteger),
    Column("per_record", JSON),
)

ONLINE_BATCHES = Table(
    "ledger_online_batches",
    METADATA,
    Column("table_name", String(200), primary_key=True),
    Column("batch", String(200), primary_key=True),
    Column("digest", String(200), nullable=False),
    Column("snapshot", BigInteger),
)

ONLINE_VALUES = Table(
    "ledger_online_values",
    METADATA,
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

APPEND_ONLY = (TRAIL, DECISIONS, INCIDENT_EVENTS, SHAPES, CLAIMS)
"""What happened, what was decided and what was accepted stays as it was written: the database itself sees to it."""


@event.listens_for(METADATA, "after_create")
def _guard_new(_metadata: MetaData, connection: Connection, tables: Sequence[Table], **_options: Any) -> None:
    for table in tables:
        if table in APPEND_ONLY:
            guard(connection, table.name)
