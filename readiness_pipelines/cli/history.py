"""`readiness history`: the chain of custody of a batch."""

from readiness_pipelines.batches import BatchState
from readiness_pipelines.cli.output import AsJson, errors_for_people, print_json, say
from readiness_pipelines.cli.words import BatchKey, OfTable, find_batch
from readiness_pipelines.contracts import Kpi, Table
from readiness_pipelines.domains import load_domains, tables_of
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.json_values.history import history_value, snapshots_value
from readiness_pipelines.overview import BatchHistory, guidance_of, history
from readiness_pipelines.products import format_value
from readiness_pipelines.settings import Settings


def show_history(batch: BatchKey, what: OfTable = None, as_json: AsJson = False) -> None:
    """Show all that happened to a batch, to what it was made of, and to what was made of it.

    Origins, snapshots, gate versions, decisions, who and why, the KPIs.
    """
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        command = "readiness history {table} --batch {batch}"
        found, _ = find_batch(what, batch, settings, installation=installation, command=command)
        past = history(found, batch=batch, installation=installation)
        if as_json:
            print_json(history_value(past))
            return
        tables = tables_of(load_domains(settings))
        for step in past.steps:
            _show(step, tables.get(step.ref.table))


def _show(step: BatchHistory, table: Table | None) -> None:
    record = step.record
    if record is None:
        say((f"{step.ref}: never", "dim"))
        return
    counts = record.counts
    outcome = f"{counts.ingested:,} ingested"
    if record.gate_version:
        outcome += (
            f", {counts.published:,} published, {counts.quarantined:,} quarantined, {counts.discarded:,} discarded"
        )
    if counts.erased:
        outcome += f", {counts.erased:,} erased"
    say((str(step.ref), "bold"), f": {record.state.replace('_', ' ')} · {outcome}")
    if record.state is BatchState.HELD and table is not None:
        for line in guidance_of(table, now=utc_now()).lines:
            say(f"  {line}")
    if step.value is not None and isinstance(table, Kpi):
        say(f"  value {format_value(step.value.value, table.unit)}")
    for origin in record.origins:
        size = f" · {origin.bytes:,} bytes" if origin.bytes is not None else ""
        say(f"  origin {origin.name}{size} · {origin.fingerprint}")
    if record.gate_version:
        say(f"  gate {record.gate_version}")
    for name, snapshot in snapshots_value(record).items():
        say(f"  {name} snapshot {snapshot}")
    for decision in step.decisions:
        at = f"{decision.at:%Y-%m-%d %H:%M}"
        say(f"  decision {decision.id} · {at} · {decision.who}: {decision.verb} {decision.text} · {decision.why}")
    for entry in step.trail:
        why = f" · {entry.why}" if entry.why else ""
        say(f"  {entry.at:%Y-%m-%d %H:%M:%S} {entry.what} · {entry.who}{why}")
