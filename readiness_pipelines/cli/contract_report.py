"""What becomes of changed contracts, as sections for a terminal and for Markdown, and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from readiness_pipelines.cli.plan_report import Section
from readiness_pipelines.compatibility.change import Breaks, ContractChange
from readiness_pipelines.compatibility.verdict import Breakage, ContractVerdict, NoticeState
from readiness_pipelines.durations import format_duration

SHOWN = 200
"""So much of a value is shown; all of it is in the JSON."""


def contract_sections(verdicts: Sequence[ContractVerdict]) -> Iterator[Section]:
    """What changed in each contract, whom it breaks, and what is to be done."""
    for one in verdicts:
        if one.changes or one.breakages:
            yield _section(one)


def _section(one: ContractVerdict) -> Section:
    lines = [
        f"compatibility: {one.compatibility.value}",
        *(_broken(breakage) for breakage in one.breakages),
        *(f"the announcement of {what} is new, and dated back: give the day of today" for what in one.backdated),
    ]
    if one.breaking and one.readers:
        lines.append(f"computed from it: {', '.join(one.readers)}; readiness check tries them")
    if one.breaking and not any(breakage.who for breakage in one.breakages):
        lines.append("no consumer that is declared relies on it")
    version = one.after if one.before == one.after else f"{one.before or 'new'} → {one.after or 'gone'}"
    return Section(
        title=f"{one.table}: contract {version}",
        lines=lines,
        columns=("breaks", "of", "what", "before", "after") if one.changes else (),
        rows=[
            (_whom(change), change.subject, change.what, _cut(change.before), _cut(change.after))
            for change in one.changes
        ],
    )


def _whom(change: ContractChange) -> str:
    return ", ".join(kind.value for kind in Breaks if kind in change.breaks) or "nobody"


def _broken(one: Breakage) -> str:
    who = f"breaks {one.who} <{one.contact}>" if one.who else "breaks governance"
    what = f"{one.change.subject} {one.change.what}"
    match one.notice:
        case NoticeState.KEPT:
            return f"{who}: {what}: announced, and the notice is over"
        case NoticeState.RUNNING:
            return f"{who}: {what}: announced, and may come from {one.from_day} on"
        case NoticeState.MISSING:
            needed = f", {format_duration(one.needed)} before" if one.needed else ""
            return f"{who}: {what}: not announced{needed}"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def contract_value(one: ContractVerdict, *, strict: bool = False) -> dict[str, Any]:
    """What becomes of a table's contract, as JSON."""
    return {
        "table": one.table,
        "before": one.before or None,
        "after": one.after or None,
        "compatibility": one.compatibility.value,
        "may_pass": one.may_pass(strict=strict),
        "changes": [
            {
                "of": change.subject,
                "what": change.what,
                "before": change.before,
                "after": change.after,
                "breaks": sorted(kind.value for kind in change.breaks),
                "columns": list(change.columns),
                "rule": change.rule or None,
            }
            for change in one.changes
        ],
        "breakages": [
            {
                "who": breakage.who or None,
                "contact": breakage.contact,
                "of": breakage.change.subject,
                "what": breakage.change.what,
                "notice": breakage.notice.value,
                "from": breakage.from_day.isoformat() if breakage.from_day else None,
            }
            for breakage in one.breakages
        ],
        "backdated": list(one.backdated),
        "readers": list(one.readers),
    }
