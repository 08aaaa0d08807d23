"""Messages, of a topic or of a database: their batches are the windows of time in which they arrived."""

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from readiness_pipelines.batches import Batches
from readiness_pipelines.contracts.readers import Arrival, Places, RawBatch
from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import BatchNotLandedError, DeclarationError
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.limits import MEGABYTE


class StreamReader(Frozen):
    """What `Topic`, `Changes`, `PostgresChanges` and `LandedTable` share: only ``readiness stream`` reads them.

    Attributes:
        slice_every: A slice is closed so long after its first message.
        slice_records: So many messages close it, too.
        slice_mb: And so many megabytes of values.
        missing: Text that means "no value". Raw keeps it as it came; the gate reads it as null.
        on_hold: What is done while a window of the table is held, or was sealed and could not be judged: ``continue``
            with the next windows, or ``pause``: no message is taken until somebody has decided and it was replayed.
        sparse: Whether a message lacks the columns that it has no value for, so that one which all of a batch lack is
            null, and not missing.
    """

    sparse: ClassVar[bool] = False

    slice_every: Duration = timedelta(seconds=5)
    slice_records: int = Field(default=50_000, ge=1)
    slice_mb: float = Field(default=64, gt=0)
    missing: tuple[str, ...] = ()
    on_hold: Literal["continue", "pause"] = "continue"

    @field_validator("missing", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @property
    def slice_bytes(self) -> int:
        """The size that closes a slice, in bytes."""
        return int(self.slice_mb * MEGABYTE)

    @property
    def stream_name(self) -> str:
        """What messages are known by: the name of their topic, or of what else they come from."""
        raise NotImplementedError  # each kind of stream says it; this base is never declared itself

    def check(self, batches: Batches) -> None:
        """Refuse batches that are not windows of time.

        Raises:
            DeclarationError: The batches have no calendar.
        """
        if batches.first_start() is None:
            raise DeclarationError(
                f"messages of {self.stream_name} arrive in windows of time, and {batches.name} batches have none",
                way_out="declare QuarterHourlyBatches(…) or HourlyBatches(…)",
            )

    def arrivals(self, places: Places) -> Iterable[Arrival]:  # noqa: ARG002  # as a Reader has it
        """Nothing: whoever reads the messages adds to the tables by itself; what is due of it, the ledger says."""
        return ()

    def open(self, batch: str, places: Places) -> RawBatch:
        """Refuse: the messages of a window may not be there any more, and raw has them.

        Raises:
            BatchNotLandedError: Always.
        """
        raise BatchNotLandedError(
            f"batch {batch!r} is a window of {self.describe()}, and nothing of it was read",
            way_out=f"readiness stream, for the table; {places.batches.name} batches without messages are not there",
        )

    def describe(self) -> str:
        """Where messages come from, on one line."""
        raise NotImplementedError  # each kind of stream says it; this base is never declared itself


class Topic(StreamReader):
    """Messages of a Kafka topic, read by ``readiness stream`` and by nothing else.

    A batch is the time in which messages arrived: what arrives is added to the open batch slice by slice, and is
    published within seconds; when the time is over the batch is sealed, which judges all of it together.

    Attributes:
        topic: The topic's name.
        brokers: Where the brokers are: ``host:port`` (several with commas), ``env:NAME`` for what a variable says, or
            the name of one of the settings' ``connections``. What is named may also be
            ``kafka://user:password@host:port?sasl.mechanism=PLAIN``, with options of librdkafka.
        format: What a message's value is: ``json``, an object each; ``avro``, a record each, as Confluent's clients
            write it: a zero, the id of its schema in four bytes, then the record.
        registry: Where the schemas of Avro are: ``https://host:port``, ``env:NAME`` for what a variable says, or the
            name of one of the settings' ``connections``. What is named may also be ``https://user:password@host:port``;
            what is written here may not.
        begins: Where a partition begins that was never read: at its ``first`` message, or with what comes from now on.
            One that is added to the topic later is read from its first message.
        slice_every: A slice is closed so long after its first message.
        slice_records: So many messages close it, too.
        slice_mb: And so many megabytes of values.
        missing: Text that means "no value". Raw keeps it as it came; the gate reads it as null.
        on_hold: ``continue`` with the next windows while one is held, or ``pause`` until somebody has decided.

    Example:
        Topic("transactions", brokers="env:KAFKA_BROKERS", slice_every="5s")
    """

    topic: str = Field(min_length=1, max_length=249, pattern=r"^[A-Za-z0-9._-]+$")
    brokers: str = Field(min_length=1)
    format: Literal["json", "avro"] = "json"
    registry: str = ""
    begins: Literal["first", "now"] = "first"

    def __init__(self, topic: str | None = None, /, **fields: object) -> None:
        """Accept the topic's name as the only positional argument."""
        if topic is not None:
            fields["topic"] = topic
        super().__init__(**fields)

    @model_validator(mode="after")
    def _registry_where_avro(self) -> Self:
        if (self.format == "avro") != bool(self.registry):
            raise ValueError("format='avro' needs a registry, and other formats have none: registry='env:REGISTRY_URL'")
        if "@" in self.registry:
            raise ValueError("a registry's password is not written here: registry='env:REGISTRY_URL'")
        return self

    @property
    def stream_name(self) -> str:
        """The topic's name."""
        return self.topic

    def describe(self) -> str:
        """The topic's name."""
        return f"topic {self.topic}"


def _names(value: object) -> object:
    """One name, or several."""
    return (value,) if isinstance(value, str) else value


class Changes(Topic):
    """Inserts, updates and deletes of a database's table, as messages of a topic that Debezium, or the like, writes.

    Each message is a row, and none is changed later: the row that the change left (of a delete, what is known of the
    row that is gone), and what it did, in the columns of `ChangeColumns`. The table as it is now is `Domain.current` of
    them. Messages have ``op``, ``before``, ``after`` and ``source``, with or without the envelope of ``schema`` and
    ``payload``; one topic has one table. The other fields are those of `Topic`.

    Attributes:
        key: The columns that tell the table's rows apart.

    Example:
        Changes("shop.public.customers", key="id", brokers="env:KAFKA_BROKERS")
    """

    sparse: ClassVar[bool] = True
    key: tuple[str, ...] = Field(min_length=1)

    def __init__(self, topic: str | None = None, /, **fields: object) -> None:
        """Accept the topic's name as the only positional argument."""
        super().__init__(topic, **fields)

    @field_validator("key", mode="before")
    @classmethod
    def _one_key_or_many(cls, value: object) -> object:
        return _names(value)

    def describe(self) -> str:
        """The topic's name."""
        return f"changes of topic {self.topic}"


class PostgresChanges(StreamReader):
    """Inserts, updates and deletes of a Postgres table, by logical replication from a slot of its own.

    The table's rows come first, as snapshot; then what changes. The slot is made when nothing was read yet, and never
    again: one that is lost is an error. Rows are as those of `Changes`.

    Attributes:
        table: The table, as ``schema.table``.
        connection: Name of the database among the settings' ``connections``; its user may replicate.
        publication: The publication that has the table: ``CREATE PUBLICATION shop FOR TABLE public.customers``.
        slot: The slot's name, for this table alone.
        key: The columns that tell the table's rows apart: its primary key.

    Example:
        PostgresChanges("public.customers", connection="shop", publication="shop", slot="customers", key="id")
    """

    sparse: ClassVar[bool] = True
    table: str = Field(pattern=r"^[^.\x00]+\.[^.\x00]+$")
    connection: str = Field(min_length=1)
    publication: str = Field(pattern=r"^[a-z0-9_]{1,63}$")
    slot: str = Field(pattern=r"^[a-z0-9_]{1,63}$")
    key: tuple[str, ...] = Field(min_length=1)

    def __init__(self, table: str | None = None, /, **fields: object) -> None:
        """Accept the table's name as the only positional argument."""
        if table is not None:
            fields["table"] = table
        super().__init__(**fields)

    @field_validator("key", mode="before")
    @classmethod
    def _one_key_or_many(cls, value: object) -> object:
        return _names(value)

    @property
    def stream_name(self) -> str:
        """The slot's name."""
        return f"slot {self.slot}"

    def describe(self) -> str:
        """The table and the slot."""
        return f"changes of {self.table} by slot {self.slot}"
