"""`readiness history`: the chain of custody of a batch."""

from typing import Annotated, Any

import typer
from rich.text import Text

from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json
from readiness_pipelines.cli.paths import find_path
from readiness_pipelines.cli.values import counts_value
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import describe
from readiness_pipelines.overview import TableHistory, history
from readiness_pipelines.settings import Settings


def show_history(
    batch: Annotated[str, typer.Argument(help="The batch.")],
    path: Annotated[str | None, typer.Option("--path", help="The path; not needed where there is only one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show all that happened to a batch: files, snapshots, gate versions, decisions, who and why, the KPI."""
    with errors_for_people():
        settings = Settings()
        found = history(
            find_path(path, settings, batches=[batch]), batch=batch, installation=Installation.open(settings)
        )
        if as_json:
            print_json({"path": found.path, "batch": batch, "tables": [_value(table) for table in found.tables]})
            return
        for table in found.tables:
            _show(table)


def _show(table: TableHistory) -> None:
    record = table.record
    if record is None:
        OUT.print(Text(f"{table.table}: never", style="dim"))
        return
    counts = record.counts
    told = f"{counts.ingested:,} ingested"
    if record.gate_version:
        told += f", {counts.published:,} published, {counts.quarantined:,} wait, {counts.discarded:,} discarded"
    OUT.print(Text.assemble((table.table, "bold"), f": {record.state.replace('_', ' ')} · {told}"))
    for file in record.files:
        OUT.print(Text(f"  file {file.path} · {file.size_bytes:,} bytes · sha256 {file.sha256}"))
    if record.gate_version:
        OUT.print(Text(f"  gate {record.gate_version}"))
    for name, snapshot in _snapshots(table).items():
        OUT.print(Text(f"  {name} snapshot {snapshot}"))
    for decision in table.decisions:
        what = f"{decision.kind} {describe(decision.what)}"
        OUT.print(
            Text(f"  decision {decision.id} · {decision.at:%Y-%m-%d %H:%M} · {decision.who}: {what} · {decision.why}")
        )
    for entry in table.trail:
        why = f" · {entry.why}" if entry.why else ""
        value = entry.details.get("value")
        told = f" · value {value:.6f}" if isinstance(value, float) else ""
        OUT.print(Text(f"  {entry.at:%Y-%m-%d %H:%M:%S} {entry.what} · {entry.who}{told}{why}"))


def _snapshots(table: TableHistory) -> dict[str, int]:
    if table.record is None:
        return {}
    held = {name: getattr(table.record.snapshots, name) for name in ("raw", "quarantine", "published")}
    return {name: snapshot for name, snapshot in held.items() if snapshot is not None}


def _value(table: TableHistory) -> dict[str, Any]:
    record = table.record
    return {
        "table": table.table,
        "state": record.state.value if record else None,
        "rows": counts_value(record.counts) if record else None,
        "gate_version": record.gate_version if record else None,
        "files": [
            {"path": file.path, "bytes": file.size_bytes, "sha256": file.sha256}
            for file in (record.files if record else ())
        ],
        "snapshots": _snapshots(table),
        "inputs": dict(record.inputs) if record else {},
        "decisions": [
            {
                "decision": d.id,
                "kind": d.kind,
                "what": describe(d.what),
                "who": d.who,
                "why": d.why,
                "at": d.at.isoformat(),
            }
            for d in table.decisions
        ],
        "trail": [
            {
                "at": entry.at.isoformat(),
                "what": entry.what,
                "who": entry.who,
                "why": entry.why,
                "run": entry.run_id,
                "details": dict(entry.details),
            }
            for entry in table.trail
        ],
    }
