"""Decide: several decisions as one draft, what they would do, then all of them and one replay."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Kpi, Table, downstream
from readiness_pipelines.decisions import UNWAIVABLE
from readiness_pipelines.delivery import Draft, DraftOutcome, decide_together, dry_run, gate_of
from readiness_pipelines.delivery.drafts import check_draft
from readiness_pipelines.errors import DeclarationError, EngineError, GateBuildError, LedgerError, ReadinessError
from readiness_pipelines.gates import TOLERANCE
from readiness_pipelines.installation import Run
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import (
    WaitingPage,
    read_failing_rows,
    rules_broken,
    shown_rows,
    unknown_batch,
)
from readiness_pipelines.page_addresses import batch_address
from readiness_pipelines.web.drafting import DraftLine, changed, decisions_of, lines_of
from readiness_pipelines.web.guard import Form
from readiness_pipelines.web.numbers import whole_number
from readiness_pipelines.web.pages.batch import ref_of
from readiness_pipelines.web.people import acting, visitor_of
from readiness_pipelines.web.remembering import remember_name
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

CELL_ROWS = 12
SHOWN_COLUMNS = 4
LIVE_ROWS = 200_000
"""A batch of more rows is judged when somebody wants to see what would happen, not while they write."""

AT_ONCE = 2
WAITS = 20.0

_judging = threading.BoundedSemaphore(AT_ONCE)


def show(request: Request, site: Site) -> Response:
    """The page, with what an address proposes to undo or approve."""
    lines = [
        DraftLine(place=place, kind=kind, decision=number)
        for place, kind in enumerate(("undo", "approve"))
        if (number := request.query_params.get(kind, ""))
    ]
    return _show(request, site, Form({}), lines, outcome=None, error=None)


def decide(request: Request, site: Site, form: Form) -> Response:
    """Add or remove a line, show what would happen, or do it."""
    do, lines = form.one("do"), lines_of(form)
    if do == "keep":
        try:
            return _keep(request, site, form)
        except ReadinessError as error:
            return _show(request, site, form, lines, outcome=None, error=error, status=400)
    if do == "preview":
        found, refused = _outcome(request, site, form, live=False)
        return _show(request, site, form, lines, outcome=found, error=refused)
    return _show(request, site, form, changed(lines, do), outcome=None, error=None)


def outcome(request: Request, site: Site, form: Form) -> Response:
    """What would happen, while somebody writes."""
    table, ref = ref_of(request, site)
    found, error = _outcome(request, site, form, live=True)
    record, bound = _record(site, table, ref), table.domain.second_person_over
    return page(
        "outcome", request, site, outcome=found, error=error, record=record, bound=bound, products=_products(table)
    )


def _outcome(
    request: Request, site: Site, form: Form, *, live: bool
) -> tuple[DraftOutcome | None, ReadinessError | None]:
    table, ref = ref_of(request, site)
    name = form.one("who") or visitor_of(request, site).name or "nobody"
    run = Run(who=name, clock=site.clock)
    try:
        decisions = decisions_of(form)
        if not decisions:
            return None, None
        draft = Draft(table=table, batch=ref.batch, decisions=decisions)
        record = _record(site, table, ref)
        with turn():
            if live and record.counts.ingested > LIVE_ROWS:
                checked = check_draft(draft, installation=site.installation, run=run)
                counted = ", ".join(
                    f"{one.what.verb}: {'the batch' if one.rows is None else f'{one.rows:,} rows'}"
                    for one in checked.decisions
                )
                return None, DeclarationError(counted, way_out="press “Show what would happen”: the batch is large")
            return dry_run(draft, installation=site.installation, run=run, kpis=not live), None
    except ReadinessError as error:
        return None, error


def _keep(request: Request, site: Site, form: Form) -> Response:
    visitor = visitor_of(request, site)
    run = Run(who=acting(visitor, site, form.one("who")), clock=site.clock)
    table, ref = ref_of(request, site)
    draft = Draft(table=table, batch=ref.batch, decisions=decisions_of(form))
    why = form.one("why").strip()
    if not why:
        raise LedgerError(f"the decision about {ref} has no reason", way_out="write why: it is kept for ever")
    with turn():
        checked = check_draft(draft, installation=site.installation, run=run)
        # What waits for a second person changes nothing yet: there is nothing to replay.
        replay = any(not one.second_person for one in checked.decisions)
        kept = decide_together([draft], why=why, installation=site.installation, run=run, replay=replay)
    address = batch_address(site.root, ref)
    for wanted in kept.requests:
        site.start_replay(wanted.id)
        address = f"{site.root}/replays/{wanted.id}"
    return remember_name(RedirectResponse(address, 303), site, visitor, form)


@contextmanager
def turn() -> Iterator[None]:
    """A few batches are judged at once: each may take the memory that the settings give to one.

    Raises:
        EngineError: No turn came.
    """
    if not _judging.acquire(timeout=WAITS):
        raise EngineError("others have batches judged, for longer than is waited", way_out="try it again")
    try:
        yield
    finally:
        _judging.release()


def _show(
    request: Request,
    site: Site,
    form: Form,
    lines: Sequence[DraftLine],
    *,
    outcome: DraftOutcome | None,
    error: ReadinessError | None,
    status: int = 200,
) -> Response:
    table, ref = ref_of(request, site)
    record = _record(site, table, ref)
    rows = WaitingPage()
    if record.counts.quarantined:
        read = read_failing_rows(
            table, batch=ref.batch, rule=None, limit=CELL_ROWS, offset=0, installation=site.installation
        )
        rows = shown_rows(read)
    broken = [name for name in rows.columns if any(name in row.broken for row in rows.rows)]
    failing = tuple(row for row in rows.rows if row.broken)
    about = {one.id: f"{one.verb} {one.text}" for one in site.installation.ledger.decisions(ref)}
    return page(
        "decide",
        request,
        site,
        status=status,
        ref=ref,
        record=record,
        rows=replace(rows, rows=failing),
        edit_columns=broken,
        shown_columns=[name for name in rows.columns if name not in broken][:SHOWN_COLUMNS],
        all_columns=_columns(site, table, ref) or list(rows.columns),
        rules=_rules(site, table, record),
        lines=[
            replace(one, about=about.get(number, "")) if (number := whole_number(one.decision)) is not None else one
            for one in lines
        ],
        form=form,
        outcome=outcome,
        error=error,
        bound=table.domain.second_person_over,
        products=_products(table),
    )


def _products(table: Table) -> dict[TableId, Kpi]:
    return {one.id: one for one in downstream(table) if isinstance(one, Kpi)}


def _record(site: Site, table: Table, ref: BatchRef) -> BatchRecord:
    record = site.installation.ledger.get(ref)
    if record is None:
        known = {one.ref.batch for one in site.installation.ledger.glances(tables=[table.id])}
        raise unknown_batch(table, ref.batch, known)
    return record


def _columns(site: Site, table: Table, ref: BatchRef) -> list[str]:
    """The columns that a correction may set: those that arrived."""
    raw = site.installation.ledger.get(BatchRef(table.id.raw, ref.batch))
    return sorted({column.name for column in raw.columns}) if raw is not None else []


def _rules(site: Site, table: Table, record: BatchRecord) -> list[str]:
    """The rules that may be waived: those that the batch breaks first, then the tolerance, then the others."""
    trail = site.installation.ledger.trail(ref=record.ref)
    broken = [one.name for one in rules_broken(table, record, trail, installation=site.installation)]
    try:
        every = [rule.name for rule in gate_of(table, default_engine=site.installation.engine_name).rules]
    except GateBuildError:
        every = []
    return [name for name in dict.fromkeys((*broken, TOLERANCE, *every)) if name not in UNWAIVABLE]
