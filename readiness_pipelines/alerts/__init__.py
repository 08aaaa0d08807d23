"""Who is notified: incidents become messages, messages reach channels, each once."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.alerts.routing import due_messages
    from readiness_pipelines.alerts.rules import AlertRule, AlertSettings, Channel, load_alerts
    from readiness_pipelines.alerts.sending import Sent, send_due
    from readiness_pipelines.alerts.text import incident_lines
    from readiness_pipelines.alerts.watch import Look, watch
else:
    import_on_demand(__name__)

__all__ = [
    "AlertRule",
    "AlertSettings",
    "Channel",
    "Look",
    "Sent",
    "due_messages",
    "incident_lines",
    "load_alerts",
    "send_due",
    "watch",
]
