"""Incidents: what is not as promised, who looks after it, and closing it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.ledger import Incident
from readiness_pipelines.overview import guidance_for
from readiness_pipelines.page_addresses import incident_address
from readiness_pipelines.web.guard import Form
from readiness_pipelines.web.paging import page_number
from readiness_pipelines.web.people import acting, visitor_of
from readiness_pipelines.web.remembering import remember_name
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

SIZE = 50


def show_all(request: Request, site: Site) -> Response:
    """The incidents, the newest first."""
    everything = bool(request.query_params.get("all"))
    found = site.installation.ledger.incidents.incidents(active=not everything)[::-1]
    number = page_number(request)
    return page(
        "incidents",
        request,
        site,
        incidents=found[number * SIZE : (number + 1) * SIZE],
        everything=everything,
        number=number,
        size=SIZE,
        total=len(found),
        address=f"{site.root}/incidents?{'all=1&' if everything else ''}",
    )


def show(request: Request, site: Site) -> Response:
    """One incident."""
    one = find(request, site)
    ref = BatchRef(one.finding.table, one.finding.batch or "")
    events = site.installation.ledger.incidents.events(incident=one.id)
    guidance = guidance_for(site.domains, [ref.table], now=site.clock()).get(ref.table)
    return page("incident", request, site, one=one, ref=ref, events=events, guidance=guidance)


def act(request: Request, site: Site, form: Form) -> Response:
    """Take an incident, close it, or call it normal."""
    visitor = visitor_of(request, site)
    who, why, now = acting(visitor, site, form.one("who")), form.one("why").strip(), site.clock()
    one, ledger = find(request, site), site.installation.ledger
    if form.one("do") == "take":
        ledger.incidents.acknowledge(one.id, who=who, why=why or None, at=now)
    else:
        if form.one("do") == "normal" and one.finding.of_newest and one.finding.batch is not None:
            ref = BatchRef(one.finding.table, one.finding.batch)
            ledger.findings.accept(ref, (one.finding.kind,), who=who, why=why, at=now)
        ledger.incidents.resolve(one.id, who=who, why=why, at=now)
    return remember_name(RedirectResponse(incident_address(site.root, one.id), 303), site, visitor, form)


def find(request: Request, site: Site) -> Incident:
    """The incident that an address names.

    Raises:
        UnknownNameError: There is none; names the nearest.
    """
    known = {str(one.id): one for one in site.installation.ledger.incidents.incidents()}
    number = request.path_params["incident"]
    if number not in known:
        raise UnknownNameError("incident", number, known)
    return known[number]
