"""Batch: why it stands where it does, its rows, who is affected, what happened."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.commands import history_command, quarantine_command, replay_command
from readiness_pipelines.contracts import Kpi, Table, answers_for, products_of
from readiness_pipelines.decisions import decisions_about, waits_for_approval
from readiness_pipelines.delivery.revealing import reveal as reveal_columns
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.installation import Run
from readiness_pipelines.ledger import FAILED, BatchRecord, IncidentState, RequestState, TrailEntry
from readiness_pipelines.masking import NOBODY
from readiness_pipelines.overview import (
    GateChanges,
    RowsRead,
    WaitingPage,
    gate_changes,
    guidance_of,
    history,
    read_failing_rows,
    rules_broken,
    shown_rows,
)
from readiness_pipelines.page_addresses import batch_address
from readiness_pipelines.reports.parts import unusual_rows
from readiness_pipelines.web.guard import Form
from readiness_pipelines.web.numbers import whole_number
from readiness_pipelines.web.pages.usual import usual_lines
from readiness_pipelines.web.paging import MOST, page_number
from readiness_pipelines.web.people import acting, check_proved, visitor_of
from readiness_pipelines.web.remembering import remember_name
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

SIZE = 25


def ref_of(request: Request, site: Site) -> tuple[Table, BatchRef]:
    """The table and the batch that an address names.

    Raises:
        UnknownNameError: No such table; names the nearest.
    """
    table = site.table(request.path_params["domain"], request.path_params["table"])
    return table, BatchRef(table.id, request.path_params["batch"])


def show(request: Request, site: Site) -> Response:
    """Everything about a batch."""
    table, ref = ref_of(request, site)
    ledger = site.installation.ledger
    steps = history(table, batch=ref.batch, installation=site.installation).steps
    place = next(number for number, step in enumerate(steps) if step.ref == ref)
    step, record = steps[place], steps[place].record
    waits = record is not None and record.counts.quarantined > 0
    rule, number = request.query_params.get("rule") or None, page_number(request)
    read = _read(site, table, ref, rule, number) if waits else None
    raw = next((one for one in steps if one.ref == BatchRef(table.id.raw, ref.batch)), None)
    profile, profile_of = usual_lines(table, ref, site.installation)
    found = [one for one in ledger.findings.of(batch=ref) if one.normal_at is None]
    requests = ledger.replay_requests(tables=[table.id])
    return page(
        "batch",
        request,
        site,
        table=table,
        ref=ref,
        record=record,
        state=record.state.value if record else ("ingested" if raw else "failed"),
        counts=record.counts if record else Counts(),
        reason=_reason(record, step.trail, ingested=raw is not None),
        waits=waits,
        value=step.value,
        unit=table.unit if isinstance(table, Kpi) else "",
        answers=answers_for(table),
        guidance=guidance_of(table, now=site.clock()),
        taken=ledger.assignments([ref]).get(ref),
        request_running=next(
            (
                one
                for one in reversed(requests)
                if one.ref == ref and one.state in (RequestState.OPEN, RequestState.STARTED)
            ),
            None,
        ),
        rules=rules_broken(table, record, step.trail, installation=site.installation) if record else (),
        **_row_values(site, ref, read, rule, number),
        after=[(one, site.tables.get(one.ref.table)) for one in steps[place + 1 :] if one.ref.table in site.tables],
        before=steps[:place],
        products=products_of(table),
        unusual=unusual_rows(found),
        incidents=[
            one
            for one in ledger.incidents.incidents(tables=[table.id])
            if one.finding.batch == ref.batch and one.state is not IncidentState.RESOLVED
        ],
        origins=raw.record.origins if raw and raw.record else (),
        decisions=step.decisions,
        unapproved={one.id for one in waits_for_approval(decisions_about(ledger, ref))},
        trail=sorted((*(raw.trail if raw else ()), *step.trail), key=lambda entry: entry.id, reverse=True),
        profile=profile,
        profile_of=profile_of,
        gate=_gate(site, table, record),
        commands=_commands(ref, waits=waits),
    )


def reveal(request: Request, site: Site, form: Form) -> Response:
    """Rows with values of classified columns; the trail has it before anybody sees them."""
    visitor = visitor_of(request, site)
    who = acting(visitor, site, form.one("who"))
    check_proved(visitor, site)
    table, ref = ref_of(request, site)
    rule, text = form.one("rule") or None, form.one("page", "0")
    number = min(whole_number(text) or 0, MOST)
    read = _read(site, table, ref, rule, number)
    viewer = NOBODY
    if read.classified:
        run = Run(who=who, clock=site.clock)
        columns, why = read.classified, form.one("why")
        viewer = reveal_columns(
            ref, columns=columns, rows=len(read.rows), why=why, installation=site.installation, run=run
        )
    shown = shown_rows(read, viewer)
    values = {**_row_values(site, ref, read, rule, number), "rows": shown, "revealed": who}
    return remember_name(page("revealed", request, site, ref=ref, **values), site, visitor, form)


def _read(site: Site, table: Table, ref: BatchRef, rule: str | None, number: int) -> RowsRead:
    return read_failing_rows(
        table, batch=ref.batch, rule=rule, limit=SIZE, offset=number * SIZE, installation=site.installation
    )


def _row_values(site: Site, ref: BatchRef, read: RowsRead | None, rule: str | None, number: int) -> dict[str, Any]:
    address = f"{batch_address(site.root, ref)}?{urlencode({'rule': rule or ''})}&"
    return {
        "rows": shown_rows(read) if read is not None else WaitingPage(),
        "rule": rule,
        "number": number,
        "size": SIZE,
        "rows_address": address,
        "revealed": "",
    }


def _reason(record: BatchRecord | None, trail: Sequence[TrailEntry], *, ingested: bool) -> str:
    """Why it stands where it does; that its last delivery broke comes first."""
    last = next((one for one in reversed(trail) if one.attempt is not None), None)
    broke = f"Its last delivery broke: {(last.why or '').splitlines()[0]}" if last and last.what == FAILED else ""
    if broke:
        return broke
    if record is None:
        return "It was ingested, and no gate has judged it." if ingested else "It was never delivered."
    if record.reason:
        return f"{record.reason[0].upper()}{record.reason[1:]}."
    return "Every row passed." if record.state is BatchState.PUBLISHED else ""


def _gate(site: Site, table: Table, record: BatchRecord | None) -> GateChanges | None:
    """How the gate that judged it differs from the code's; ``None`` where it does not."""
    if record is None or record.gate_version is None:
        return None
    known = {one.version for one in site.installation.ledger.gates(table.id)}
    try:
        since = record.gate_version if record.gate_version in known else None
        (changes,) = gate_changes([table], installation=site.installation, since=since)
    except GateBuildError:
        return None
    return None if changes.after == record.gate_version else changes


def _commands(ref: BatchRef, *, waits: bool) -> list[str]:
    if not waits:
        return [history_command(ref)]
    return [quarantine_command(ref), replay_command(ref), history_command(ref)]
