"""A topic of messages: its batches are the windows of time in which they arrived."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from readiness_pipelines.batches import Batches
from readiness_pipelines.contracts.readers import Arrival, Places, RawBatch
from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import BatchNotLandedError, DeclarationError
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.limits import MEGABYTE


class Topic(Frozen):
    """Messages of a Kafka topic, read by ``readiness stream`` and by nothing else.

    A batch is the time in which messages arrived: what arrives is added to the open batch slice by slice, and is
    published within seconds; when the time is over the batch is sealed, which judges all of it together.

    Attributes:
        topic: The topic's name.
        brokers: Where the brokers are: ``host:port`` (several with commas), ``env:NAME`` for what a variable says, or
            the name of one of the settings' ``connections``. What is named may also be
            ``kafka://user:password@host:port?sasl.mechanism=PLAIN``, with options of librdkafka.
        format: What a message's value is: ``json``, an object each.
        begins: Where a partition begins that was never read: at its ``first`` message, or with what comes from now on.
        slice_every: A slice is closed so long after its first message.
        slice_records: So many messages close it, too.
        slice_mb: And so many megabytes of values.
        missing: Text that means "no value". Raw keeps it as it came; the gate reads it as null.

    Example:
        Topic("transactions", brokers="env:KAFKA_BROKERS", slice_every="5s")
    """

    topic: str = Field(min_length=1, max_length=249, pattern=r"^[A-Za-z0-9._-]+$")
    brokers: str = Field(min_length=1)
    format: Literal["json"] = "json"
    begins: Literal["first", "now"] = "first"
    slice_every: Duration = timedelta(seconds=5)
    slice_records: int = Field(default=50_000, ge=1)
    slice_mb: float = Field(default=64, gt=0)
    missing: tuple[str, ...] = ()

    def __init__(self, topic: str | None = None, /, **fields: object) -> None:
        """Accept the topic's name as the only positional argument."""
        if topic is not None:
            fields["topic"] = topic
        super().__init__(**fields)

    @field_validator("missing", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @property
    def slice_bytes(self) -> int:
        """The size that closes a slice, in bytes."""
        return int(self.slice_mb * MEGABYTE)

    def check(self, batches: Batches) -> None:
        """Refuse batches that are not windows of time.

        Raises:
            DeclarationError: The batches have no calendar.
        """
        if batches.first_start() is None:
            raise DeclarationError(
                f"messages of {self.topic} arrive in windows of time, and {batches.name} batches have none",
                way_out="declare QuarterHourlyBatches(…) or HourlyBatches(…)",
            )

    def arrivals(self, places: Places) -> Iterable[Arrival]:  # noqa: ARG002  # as a Reader has it
        """Nothing: whoever reads the topic adds to the tables by itself; what is due of it, the ledger says."""
        return ()

    def open(self, batch: str, places: Places) -> RawBatch:
        """Refuse: the topic may not have the messages of a window any more, and raw has.

        Raises:
            BatchNotLandedError: Always.
        """
        raise BatchNotLandedError(
            f"batch {batch!r} is a window of the topic {self.topic}, and nothing of it was read",
            way_out=f"readiness stream, for the table; {places.batches.name} batches without messages are not there",
        )

    def describe(self) -> str:
        """The topic's name."""
        return f"topic {self.topic}"
