"""A slice: messages that are brought into the tables together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from readiness_pipelines.lakehouse import NothingToCommit
from readiness_pipelines.sources.messages import TopicMessage, row_number


class WindowClosed(NothingToCommit):
    """The window of a slice is closed: it belongs to a later one."""


class SettledSlice(NothingToCommit):
    """A table has the slice's rows already, or its window is closed, and all of it is in the hands of the seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Messages of some partitions, each from an offset up to another.

    Attributes:
        id: Tells it from all others.
        window: The batch that it is added to.
        window_end: When that ends, as text that sorts by time.
        ranges: By partition: its first offset, and the one after its last.
        marks: By partition: where its source goes on after it, for one that does not know by the offset.
    """

    id: str
    window: str
    window_end: str
    ranges: Mapping[int, tuple[int, int]]
    marks: Mapping[int, str] = field(default_factory=dict)

    @property
    def condition(self) -> str:
        """SQL that holds for its rows among those of its window."""
        each = (
            f"_row BETWEEN {row_number(partition, start)} AND {row_number(partition, end) - 1}"
            for partition, (start, end) in self.ranges.items()
        )
        return "(" + " OR ".join(each) + ")"


def ranges_of(
    messages: Sequence[TopicMessage], begins: Mapping[int, int], ends: Mapping[int, tuple[int, int]]
) -> Mapping[int, tuple[int, int]]:
    """The offsets that messages cover, from where their partitions stand: offsets without a message are passed over.

    Args:
        messages: Some messages.
        begins: Where their partitions stand.
        ends: What follows the last message of a partition, where it is known that no message does: from where, and up
            to where.
    """
    after: dict[int, int] = {}
    for message in messages:
        after[message.partition] = max(after.get(message.partition, 0), message.offset + 1)
    return {partition: (begins[partition], passed_over(end, ends.get(partition))) for partition, end in after.items()}


def passed_over(position: int, ends: tuple[int, int] | None) -> int:
    """Where a partition goes on that stands at a position, if offsets follow there that are no messages.

    Args:
        position: Where it stands.
        ends: The offset after the last message that was taken, and the one up to which there is none.
    """
    return ends[1] if ends and ends[0] <= position < ends[1] else position
