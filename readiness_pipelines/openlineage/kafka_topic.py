"""A topic of Kafka that events are sent to: an extra."""

import importlib.util
import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.openlineage.facets import Json
from readiness_pipelines.openlineage.receivers import LastEvent, NotTakenError, RefusedError
from readiness_pipelines.sources.brokers import broker_options

if TYPE_CHECKING:
    from confluent_kafka import Producer

SCHEME = "kafka://"
_SECONDS = 10
_GRACE = 2
"""Seconds in which the client says itself that a message was too late."""

_LOGGER = logging.getLogger(__name__)


class TopicReceiver:
    """A topic that each event is sent to, with its run's id as the key: the two events of a run stay in order.

    An event that was sent and could not be noted is sent again, with the same run id, event type and time.

    Args:
        name: What the settings call it.
        address: ``kafka://host:9092/topic``; several hosts with commas, ``user:password@`` before them, and options of
            librdkafka after ``?``.
        seconds: How long the brokers may take.

    Raises:
        DeclarationError: An address without brokers or a topic, or the extra ``kafka`` is not installed.
    """

    def __init__(self, name: str, address: str, *, seconds: float = _SECONDS) -> None:
        self.name = name
        self._seconds = seconds
        brokers, self._topic = _parts(name, address)
        self._options = {**brokers, "acks": "all", "message.timeout.ms": int(seconds * 1_000)}
        self._producer: Producer | None = None

    def last(self) -> LastEvent | None:
        """It cannot tell."""
        return None

    def take(self, event: Json) -> None:
        """Send an event, and wait until the brokers have it.

        Raises:
            NotTakenError: They do not answer in time, or cannot take it now.
            RefusedError: It is larger than they take.
        """
        from confluent_kafka import KafkaError, KafkaException  # noqa: PLC0415  # an extra

        outcome: list[KafkaError | None] = []
        producer = self._connected()
        try:
            producer.produce(
                self._topic,
                json.dumps(event, separators=(",", ":")).encode(),
                key=event["run"]["runId"].encode(),
                on_delivery=lambda error, _message: outcome.append(error),
            )
            producer.flush(self._seconds + _GRACE)
        except KafkaException as refused:
            outcome.append(refused.args[0])
        error = outcome[0] if outcome else KafkaError(KafkaError._MSG_TIMED_OUT)
        if error is not None and error.code() == KafkaError._MSG_TIMED_OUT:
            self._producer = None  # what may still wait in it is dropped: it is sent again, and not twice
            producer.purge()
            raise NotTakenError(f"no broker took it within {self._seconds:g} seconds")
        if error is not None:
            too_large = error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE)
            raise (RefusedError if too_large else NotTakenError)(f"the brokers say {error.name()}")

    def _connected(self) -> "Producer":
        from confluent_kafka import Producer  # noqa: PLC0415  # an extra

        if self._producer is None:
            options: dict[str, Any] = {**self._options}
            self._producer = Producer(options, logger=_LOGGER)
        return self._producer


def _parts(name: str, address: str) -> tuple[Mapping[str, str], str]:
    """The options that lead to the brokers, and the topic. No error has the address: it may have a password."""
    if importlib.util.find_spec("confluent_kafka") is None:
        raise DeclarationError(
            f"the receiver {name!r} in [settings.openlineage] is a topic, and no client of Kafka is installed",
            way_out="pip install 'readiness-pipelines[kafka]'",
        )
    place, mark, options = address.removeprefix(SCHEME).partition("?")
    brokers, _, topic = place.partition("/")
    try:
        found = broker_options(f"{SCHEME}{brokers}{mark}{options}", str)
    except DeclarationError:
        found = None
    if not (found and topic):
        raise DeclarationError(
            f"the receiver {name!r} in [settings.openlineage] names no brokers with a port, or no topic",
            way_out="write kafka://host:9092/topic",
        )
    return found, topic
