"""A topic into the tables of a batch, slice by slice: each message once, whatever is killed."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.streaming.kafka import KafkaMessages
    from readiness_pipelines.streaming.landed import LandedMessages
    from readiness_pipelines.streaming.marks import Position, position_of
    from readiness_pipelines.streaming.messages import MessageSource
    from readiness_pipelines.streaming.micro_batches import MicroBatches
    from readiness_pipelines.streaming.monitor import Monitor, Progress
    from readiness_pipelines.streaming.reading import read_shard
    from readiness_pipelines.streaming.shards import Shard
    from readiness_pipelines.streaming.slot import SlotMessages
else:
    import_on_demand(__name__)

__all__ = [
    "KafkaMessages",
    "LandedMessages",
    "MessageSource",
    "MicroBatches",
    "Monitor",
    "Position",
    "Progress",
    "Shard",
    "SlotMessages",
    "position_of",
    "read_shard",
]
