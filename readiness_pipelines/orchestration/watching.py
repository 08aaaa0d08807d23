"""One sensor that watches every domain of a code location: freshness, held batches, broken deliveries; it alerts."""

from collections.abc import Iterable, Sequence

import dagster as dg

from readiness_pipelines.alerts import load_alerts, watch
from readiness_pipelines.contracts import Domain
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Run
from readiness_pipelines.interop.odcs.publishing import publish_contracts
from readiness_pipelines.observability import TableFreshness
from readiness_pipelines.orchestration.freshness import freshness_evaluations
from readiness_pipelines.orchestration.queues import note_stuck_queue
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of
from readiness_pipelines.orchestration.stream_windows import is_reported, window_observations
from readiness_pipelines.overview import scorecards_of_today
from readiness_pipelines.settings import Settings

NAME = "readiness_watch"
LOOK_SECONDS = 30
TABLES_A_LOOK = 100
"""So many tables are looked at for the first time in one look: a gate takes some hundredths of a second to build."""

AT_ONCE = 100
"""So many entries of the trail are sent to each receiver of events at one look."""


def watch_sensor(domains: Sequence[Domain], settings: Settings | None) -> dg.SensorDefinition:
    """Watches some domains every half minute, and evaluates the check of a table that changed its state.

    Args:
        domains: The domains of the code location.
        settings: Names the file that says who is alerted; ``None`` reads the environment at each look.
    """

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="What is late, held, broken or stuck becomes an incident, and whoever is to know gets one message.",
        required_resource_keys={INSTALLATION},
    )
    def readiness_watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        chosen = settings or Settings()
        installation = installation_of(context.resources)
        note_stuck_queue(context.instance, domains, installation=installation, now=Run().clock())
        try:
            publish_contracts(domains, installation=installation, now=Run().clock(), most=TABLES_A_LOOK)
        except ReadinessError as failure:  # it must not keep an alert from anybody
            context.log.warning(f"contracts were not kept, tried again at the next look: {failure}")
        look = watch(domains, load_alerts(chosen.config), installation=installation, clock=Run().clock)
        for event in look.events:
            context.log.info(f"incident {event.incident} {event.what}: {event.why}")
        for error in look.sent.errors:
            context.log.warning(f"not sent, tried again later: {error}")
        try:
            today = scorecards_of_today(
                domains, installation=installation, identity_required=chosen.identity.required, now=Run().clock()
            )
            installation.ledger.scorecards.keep(today)
        except ReadinessError as failure:  # it must not keep an alert from anybody
            context.log.warning(f"no scorecard was kept, tried again at the next look: {failure}")
        if chosen.openlineage:
            from readiness_pipelines.openlineage import send_to_all  # noqa: PLC0415  # a parser of SQL: where it is set

            told = send_to_all(domains, chosen, installation=installation, clock=Run().clock, most=AT_ONCE)
            for receiver in told:
                if receiver.error or receiver.refused:
                    context.log.warning(f"OpenLineage to {receiver.name}: {receiver.error or 'events were refused'}")
        windows: list[dg.AssetObservation] = []
        cursor, now = context.cursor, Run().clock()
        if is_reported(cursor, now):
            tables = [table for domain in domains for table in domain.tables]
            windows, cursor = list(window_observations(tables, installation=installation)), now.isoformat()
        changed = [(table, found) for table, found in look.freshness.items() if table in look.changed]
        return dg.SensorResult(
            skip_reason=_summary(look.freshness.values(), len(look.events), look.sent.sent),
            asset_events=[*freshness_evaluations(changed), *windows],
            cursor=cursor,
        )

    return readiness_watch


def _summary(freshness: Iterable[TableFreshness], events: int, sent: int) -> str:
    states = [found.state.value for found in freshness]
    counted = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))) or "no freshness promise"
    return f"{counted}; {events} changes, {sent} messages sent"
