"""What happens to batches, as OpenLineage events: made from the ledger, and sent to whoever is to know."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.openlineage.events import EventMaker
    from readiness_pipelines.openlineage.receivers import EventFile, HttpReceiver, Receiver, receivers_of
    from readiness_pipelines.openlineage.sending import SentEvents, send_again, send_events, send_to_all, skip_to_now
else:
    import_on_demand(__name__)

__all__ = [
    "EventFile",
    "EventMaker",
    "HttpReceiver",
    "Receiver",
    "SentEvents",
    "receivers_of",
    "send_again",
    "send_events",
    "send_to_all",
    "skip_to_now",
]
