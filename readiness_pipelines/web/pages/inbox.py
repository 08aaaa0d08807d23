"""Inbox: what waits, and who takes it."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.identity import same_person
from readiness_pipelines.ledger import IncidentState
from readiness_pipelines.overview import InboxItem
from readiness_pipelines.overview.inbox import incidents_by_batch
from readiness_pipelines.page_addresses import batch_address
from readiness_pipelines.web.guard import Form
from readiness_pipelines.web.pages.models import waiting_retrainings
from readiness_pipelines.web.paging import page_number
from readiness_pipelines.web.people import acting, visitor_of
from readiness_pipelines.web.remembering import remember_name
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site
from readiness_pipelines.web.words import count_text

SIZE = 50
TAKEN = "taken from the inbox"


def show(request: Request, site: Site) -> Response:
    """What waits, held batches first."""
    domain, shown = request.query_params.get("domain", ""), request.query_params.get("show", "")
    name = visitor_of(request, site).name
    found = site.now.inbox()
    chosen = [one for one in found if (not domain or one.ref.table.domain == domain) and _meets(one, shown, name)]
    number, held = page_number(request), sum(one.held for one in found)
    summary = f"{count_text(len(found), 'batch')} with rows that wait, {held:,} held." if found else ""
    return page(
        "inbox",
        request,
        site,
        reviews=[one for one in waiting_retrainings(site) if not domain or one.model.domain == domain],
        items=chosen[number * SIZE : (number + 1) * SIZE],
        summary=summary,
        number=number,
        size=SIZE,
        total=len(chosen),
        address=f"{site.root}/inbox?{urlencode({'domain': domain, 'show': shown})}&",
        domains=[one.name for one in site.domains],
        domain=domain,
        show=shown,
        filtered=bool(domain or shown),
    )


def take(request: Request, site: Site, form: Form) -> Response:
    """Note who looks after a batch, and take the incident about it with it."""
    visitor = visitor_of(request, site)
    who = acting(visitor, site, form.one("who"))
    table = site.table(request.path_params["domain"], request.path_params["table"])
    ref, ledger, now = BatchRef(table.id, request.path_params["batch"]), site.installation.ledger, site.clock()
    person, why = form.one("person").strip() or who, form.one("why").strip() or TAKEN
    ledger.assign(ref, person=person, who=who, why=why, at=now)
    incident = incidents_by_batch(ledger.incidents.incidents(tables=[table.id], active=True)).get(ref)
    if incident is not None and incident.state is IncidentState.OPEN:
        ledger.incidents.acknowledge(incident.id, who=person, why=why, at=now)
    back = f"{site.root}/inbox" if form.one("back") == "inbox" else batch_address(site.root, ref)
    return remember_name(RedirectResponse(back, 303), site, visitor, form)


def _meets(item: InboxItem, shown: str, name: str) -> bool:
    person = item.taken.person if item.taken else (item.incident.acknowledged_by if item.incident else None)
    match shown:
        case "held":
            return item.held
        case "nobody":
            return not person
        case "mine":
            return bool(person and name) and same_person(str(person), name)
        case _:
            return True
