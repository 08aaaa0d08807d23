"""Messages of a Kafka topic, by librdkafka. Partitions are assigned, never joined for: nobody rebalances."""

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from readiness_pipelines.errors import DeclarationError, StreamError, StreamGapError
from readiness_pipelines.sources import Topic
from readiness_pipelines.sources.messages import TopicMessage
from readiness_pipelines.streaming.messages import Bounds

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

ANSWERS_WITHIN_SECONDS = 15.0
"""The longest wait for what a broker is asked about a topic."""

_OPTIONS = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    # What is not there is an error, and never passed over.
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "allow.auto.create.topics": "false",
    "check.crcs": "true",
    # So much may wait in memory while tables are written.
    "queued.max.messages.kbytes": "131072",
    "queued.min.messages": "100000",
    "fetch.max.bytes": "67108864",
    "max.partition.fetch.bytes": "33554432",
    "receive.message.max.bytes": "134217728",
}

_LOGGER = logging.getLogger(__name__)

_PASSES = frozenset(
    {
        "_ALL_BROKERS_DOWN",
        "_TRANSPORT",
        "_TIMED_OUT",
        "_RESOLVE",
        "_PARTITION_EOF",
        "_WAIT_COORD",
        "_WAIT_CACHE",
        "BROKER_NOT_AVAILABLE",
        "COORDINATOR_LOAD_IN_PROGRESS",
        "COORDINATOR_NOT_AVAILABLE",
        "LEADER_NOT_AVAILABLE",
        "NETWORK_EXCEPTION",
        "NOT_COORDINATOR",
        "NOT_LEADER_FOR_PARTITION",
        "REPLICA_NOT_AVAILABLE",
        "REQUEST_TIMED_OUT",
    }
)
"""Errors that pass by themselves: librdkafka tries again, and no message is passed over."""

_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"


CLOSES_WITHIN_SECONDS = 15.0
"""So long the client may take to say goodbye to its brokers."""


class KafkaMessages:
    """A topic's messages.

    Args:
        topic: The topic.
        options: Where its brokers are, as `broker_options` gives them.
        group: The consumer group under which its progress is shown.

    Raises:
        DeclarationError: The extra ``kafka`` is not installed, or an option is wrong.
    """

    def __init__(self, topic: Topic, options: Mapping[str, str], group: str) -> None:
        try:
            import confluent_kafka  # noqa: PLC0415  # an extra
        except ImportError as error:
            raise DeclarationError(
                f"{topic.describe()} needs the extra kafka", way_out="pip install 'readiness-pipelines[kafka]'"
            ) from error
        self._kafka = confluent_kafka
        self._topic = topic.topic
        self._options = dict(options)
        try:
            self._consumer = confluent_kafka.Consumer({**_OPTIONS, "group.id": group, **options}, logger=_LOGGER)
        except confluent_kafka.KafkaException as error:
            raise DeclarationError(f"the brokers of {topic.describe()} cannot be used: {_said(error)}") from error
        self._positions: dict[int, int] = {}

    @property
    def topic_id(self) -> str:
        """The brokers' id of the topic; "" where they give none."""
        from confluent_kafka.admin import AdminClient  # noqa: PLC0415  # an extra

        with suppress(self._kafka.KafkaException, AttributeError):
            client = AdminClient(dict(self._options), logger=_LOGGER)
            asked = client.describe_topics(
                self._kafka.TopicCollection([self._topic]), request_timeout=ANSWERS_WITHIN_SECONDS
            )
            found = str(asked[self._topic].result(ANSWERS_WITHIN_SECONDS).topic_id or "")
            return "" if found == _NO_ID else found
        return ""

    def partitions(self) -> Collection[int]:
        """The topic's partitions, as they are now.

        Raises:
            StreamError: There is no such topic, or no broker answers.
        """
        try:
            found = self._consumer.list_topics(self._topic, timeout=ANSWERS_WITHIN_SECONDS).topics[self._topic]
        except self._kafka.KafkaException as error:
            raise self._unreachable(error) from error
        if found.error is not None or not found.partitions:
            raise StreamError(
                f"there is no topic {self._topic}: {found.error.str() if found.error else 'it has no partitions'}",
                way_out="check its name and its brokers, or make it; then start the stream again",
            )
        return tuple(sorted(found.partitions))

    def bounds(self, partition: int) -> Bounds:
        """What a partition has now.

        Raises:
            StreamError: No broker answers.
        """
        try:
            where = self._kafka.TopicPartition(self._topic, partition)
            return Bounds(*self._consumer.get_watermark_offsets(where, timeout=ANSWERS_WITHIN_SECONDS))
        except self._kafka.KafkaException as error:
            raise self._unreachable(error) from error

    def begin(self, positions: Mapping[int, int], marks: Mapping[int, str]) -> None:  # noqa: ARG002  # offsets will do
        """Read from these offsets of these partitions, and of no others."""
        self._positions = dict(positions)
        self._consumer.assign([self._kafka.TopicPartition(self._topic, *one) for one in positions.items()])

    def take(self, most: int, seconds: float) -> Sequence[TopicMessage]:
        """The next messages, in the order of their partition; none where nothing came in time.

        Raises:
            StreamGapError: The next message of a partition is not there any more.
            StreamError: The brokers refuse.
        """
        found = []
        for one in self._consumer.consume(min(most, 100_000), max(seconds, 0)):
            error = one.error()
            if error is not None:
                self._refuse(error, one.partition())
                continue
            found.append(_message(one))
        for message in found:
            self._positions[message.partition] = message.offset + 1
        return found

    def _refuse(self, error: "KafkaError", partition: int | None) -> None:
        """Raise what does not pass by itself."""
        codes = self._kafka.KafkaError
        if error.code() in (codes._AUTO_OFFSET_RESET, codes.OFFSET_OUT_OF_RANGE) and partition is not None:
            raise gap(self._topic, partition, self._positions.get(partition, 0), self.bounds(partition))
        if error.fatal() or not (error.retriable() or error.name() in _PASSES):
            # Also where a message could not be taken: the next one must not be.
            raise StreamError(
                f"the topic {self._topic} cannot be read: {error.str()}",
                way_out="check the topic and what this client may do; then start the stream again: nothing is lost",
            )

    def acknowledge(self, positions: Mapping[int, int]) -> None:
        """Tell the brokers how far it is, for tools that show lag; nothing is begun from there."""
        offsets = [self._kafka.TopicPartition(self._topic, *one) for one in positions.items()]
        with suppress(self._kafka.KafkaException):  # the position in the raw table is the one that counts
            self._consumer.commit(offsets=offsets, asynchronous=True)

    def idle_marks(self, *, due: bool) -> Mapping[int, str]:  # noqa: ARG002  # there are none
        """None: offsets say where it goes on."""
        return {}

    def close(self) -> None:
        """Stop."""
        # librdkafka waits without end where a broker went away at a bad moment; all that counts is committed by now.
        closing = threading.Thread(target=self._consumer.close, daemon=True)
        closing.start()
        closing.join(CLOSES_WITHIN_SECONDS)

    def _unreachable(self, error: Exception) -> StreamError:
        return StreamError(
            f"the brokers of {self._topic} do not answer: {_said(error)}",
            way_out="check that they run and can be reached; then start the stream again: nothing is lost",
        )


def _message(one: Any) -> TopicMessage:
    """A message as librdkafka has it; its headers may be a mapping or pairs."""
    headers = one.headers() or ()
    pairs = tuple(headers.items() if isinstance(headers, dict) else headers)
    kind, sent_ms = one.timestamp()
    return TopicMessage(one.partition(), one.offset(), one.key(), one.value(), pairs, sent_ms if kind else None)


def gap(topic: str, partition: int, position: int, bounds: Bounds) -> StreamGapError:
    """The error of messages that are gone before they were read."""
    return StreamGapError(
        f"partition {partition} of {topic} begins at {bounds.first}, and its position is {position}: "
        f"{bounds.first - position:,} messages are gone before they were read",
        way_out="bring them from elsewhere and let the steward know; to go on without them, after that: "
        "readiness stream --skip-gap --reason …",
    )


def _said(error: Any) -> str:
    """What an error of librdkafka says."""
    inner = error.args[0] if getattr(error, "args", ()) else error
    return str(inner.str()) if hasattr(inner, "str") else str(inner)
