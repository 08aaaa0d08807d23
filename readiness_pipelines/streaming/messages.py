"""Where messages come from."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from readiness_pipelines.sources.messages import TopicMessage


class Bounds(NamedTuple):
    """What a partition has: the offset of its first message, and the one after its last."""

    first: int
    end: int


class MessageSource(Protocol):
    """A topic's messages, pulled from some of its partitions."""

    @property
    def topic_id(self) -> str:
        """The brokers' id of the topic; "" where they give none."""
        ...

    def partitions(self) -> Collection[int]:
        """The topic's partitions, as they are now.

        Raises:
            StreamError: There is no such topic, or no broker answers.
        """
        ...

    def bounds(self, partition: int) -> Bounds:
        """What a partition has now.

        Raises:
            StreamError: No broker answers.
        """
        ...

    def begin(self, positions: Mapping[int, int], marks: Mapping[int, str]) -> None:
        """Read from these offsets of these partitions, and of no others.

        Args:
            positions: The offset of the next message, by partition.
            marks: The mark of the last one that was landed, for sources whose messages have marks.

        Raises:
            StreamError: What follows cannot be had.
        """
        ...

    def take(self, most: int, seconds: float) -> Sequence[TopicMessage]:
        """The next messages, in the order of their partition; none where nothing came in time.

        Raises:
            StreamGapError: The next message of a partition is not there any more.
            StreamError: The brokers refuse.
        """
        ...

    def acknowledge(self, positions: Mapping[int, int]) -> None:
        """Tell the brokers how far it is, for tools that show lag; nothing is begun from there."""
        ...

    def idle_marks(self, *, due: bool) -> Mapping[int, str]:
        """Marks to be landed when there is no message; none for sources whose messages have none.

        Args:
            due: Whether they were not asked for in a while; if not, only those that cannot wait.
        """
        ...

    def close(self) -> None:
        """Stop."""
        ...
