"""The chain of custody of one row, for people and for programs."""

from typing import Any

from readiness_pipelines.cli.output import count_batches, say
from readiness_pipelines.lineage import FileRecord, RowCustody, Stage

SHOWN_STAGES = 20
"""So many batches of each kind are shown; ``--json`` has all."""


def show_custody(custody: RowCustody) -> None:
    """Print what happened to one row, from where it arrived to what uses it."""
    say((f"row {custody.row} of {custody.ref}", "bold"), f": {custody.place.value}")
    if custody.file is not None:
        _show_file(custody.file)
    for stage in custody.made_of[-SHOWN_STAGES:]:
        _show_stage("made of", stage, origins=custody.file is None)
    if custody.gate:
        say(f"  gate {custody.gate}")
    if custody.computed_by:
        say(f"  transform {custody.computed_by}")
    for applied in custody.decisions:
        one = applied.decision
        about = {True: "changes this row", False: "not about this row", None: "not known whether about this row"}
        say(f"  decision {one.id} · {one.at:%Y-%m-%d %H:%M} · {one.who}: {one.verb} {one.text} · {one.why}")
        say((f"    {about[applied.touches]}", "dim"))
    if custody.broken:
        say(f"  broke {', '.join(custody.broken)}")
    _show_stage("published" if custody.judged.snapshot else "judged", custody.judged, origins=False)
    for stage in custody.used_by[:SHOWN_STAGES]:
        _show_stage("used by KPI" if stage.kpi else "used by", stage, origins=False)
    if (more := len(custody.used_by) - SHOWN_STAGES) > 0:
        say(f"  and by {count_batches(more)} more")


def _show_file(file: FileRecord) -> None:
    origin = file.origin
    place = f", record {file.record:,}" if file.record is not None else ""
    size = f" · {origin.bytes:,} bytes" if origin.bytes is not None else ""
    arrived = f" · {origin.arrived_at:%Y-%m-%d %H:%M:%S}" if origin.arrived_at else ""
    say(f"  arrived in {origin.name}{place}{size}{arrived}")
    if origin.fingerprint:
        say((f"    checksum {origin.fingerprint}", "dim"))


def _show_stage(word: str, stage: Stage, *, origins: bool) -> None:
    at = f" · {stage.at:%Y-%m-%d %H:%M:%S}" if stage.at else ""
    snapshot = f" · snapshot {stage.snapshot}" if stage.snapshot is not None else ""
    say(f"  {word} {stage.ref}: {stage.state.replace('_', ' ') or 'not known'}{snapshot}{at}")
    for origin in stage.origins if origins else ():
        say((f"    {origin.name} · checksum {origin.fingerprint}", "dim"))


def custody_value(custody: RowCustody) -> dict[str, Any]:
    """What happened to one row, as JSON."""
    file = custody.file
    return {
        "table": str(custody.ref.table),
        "batch": custody.ref.batch,
        "row": custody.row,
        "place": custody.place.value,
        "broken": list(custody.broken),
        "file": None
        if file is None
        else {
            "name": file.origin.name,
            "checksum": file.origin.fingerprint or None,
            "bytes": file.origin.bytes,
            "arrived_at": file.origin.arrived_at.isoformat() if file.origin.arrived_at else None,
            "record": file.record,
        },
        "made_of": list(map(_stage_value, custody.made_of)),
        "gate": custody.gate,
        "computed_by": custody.computed_by or None,
        "decisions": [
            {
                "id": one.decision.id,
                "verb": one.decision.verb,
                "text": one.decision.text,
                "who": one.decision.who,
                "why": one.decision.why,
                "at": one.decision.at.isoformat(),
                "touches": one.touches,
            }
            for one in custody.decisions
        ],
        "judged": _stage_value(custody.judged),
        "used_by": list(map(_stage_value, custody.used_by)),
    }


def _stage_value(stage: Stage) -> dict[str, Any]:
    return {
        "table": str(stage.ref.table),
        "batch": stage.ref.batch,
        "snapshot": None if stage.snapshot is None else str(stage.snapshot),
        "state": stage.state or None,
        "at": stage.at.isoformat() if stage.at else None,
        "run": stage.run,
        "kpi": stage.kpi,
        "origins": [{"name": one.name, "checksum": one.fingerprint, "bytes": one.bytes} for one in stage.origins],
    }
