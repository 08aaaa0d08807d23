"""Models: what serves where, and the card of one with its versions."""

from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Run
from readiness_pipelines.ledger import RetrainingRequest, RetrainingState
from readiness_pipelines.ledger.models import retraining_ref
from readiness_pipelines.models import allow_retraining, changes_under, decline_retraining, model_card
from readiness_pipelines.page_addresses import model_address
from readiness_pipelines.web.guard import Form
from readiness_pipelines.web.numbers import whole_number
from readiness_pipelines.web.people import acting, visitor_of
from readiness_pipelines.web.remembering import remember_name
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

SHOWN_RETRAININGS = 20


def show_all(request: Request, site: Site) -> Response:
    """All models, with what serves where, and what waits for a person."""
    ledger = site.installation.ledger.models
    rows = []
    for model in (model for domain in site.domains for model in domain.models):
        state, versions = ledger.serving(model.id), ledger.versions(model.id)
        rows.append((model, state, versions[-1] if versions else None, model.serving.readers))
    known = {model.id for model, *_ in rows}
    waiting = [one for one in ledger.retrainings() if one.ended_at is None and one.model in known]
    return page("models", request, site, rows=rows, waiting=waiting, said_of=lambda one: said_of(one, site))


def show(request: Request, site: Site) -> Response:
    """One model: its versions, and the card of one of them."""
    model = site.model(request.path_params["domain"], request.path_params["model"])
    ledger = site.installation.ledger.models
    state, versions = ledger.serving(model.id), ledger.versions(model.id)
    card = None
    if versions:
        number = whole_number(request.query_params.get("version", ""))
        card = model_card(model, number, tables=site.tables, installation=site.installation, at=site.clock())
    lines = [
        (one, state.role(one.version) or one.state.value, len(changes_under(one, installation=site.installation)))
        for one in reversed(versions)
    ]
    today = next(one for one in site.now.today().models if one.model is model)
    return page(
        "model",
        request,
        site,
        model=model,
        state=state,
        lines=lines,
        card=card,
        today=today,
        retrainings=ledger.retrainings(model.id)[::-1][:SHOWN_RETRAININGS],
        said_of=lambda one: said_of(one, site),
    )


def decide(request: Request, site: Site, form: Form) -> Response:
    """Let a model be trained anew, or leave it as it is."""
    visitor = visitor_of(request, site)
    who, why = acting(visitor, site, form.one("who")), form.one("why").strip()
    number = request.path_params["request"]
    known = {str(one.id): one for one in waiting_retrainings(site)}
    if number not in known:
        raise UnknownNameError("retraining that waits", number, known)
    run = Run(who=who, clock=site.clock)
    match form.one("do"):
        case "allow":
            allow_retraining(int(number), why=why, installation=site.installation, run=run)
        case "decline":
            decline_retraining(int(number), why=why, installation=site.installation, run=run)
        case other:
            raise DeclarationError(f"{other!r} decides nothing", way_out="press one of the two buttons")
    return remember_name(RedirectResponse(model_address(site.root, known[number].model), 303), site, visitor, form)


def waiting_retrainings(site: Site) -> Sequence[RetrainingRequest]:
    """The requests of which a person has to say whether they are carried out, oldest first."""
    known = {model.id for domain in site.domains for model in domain.models}
    waiting = site.installation.ledger.models.retrainings(state=RetrainingState.WAITING)
    return [one for one in waiting if one.model in known]


def said_of(one: RetrainingRequest, site: Site) -> list[tuple[str, str, str, datetime]]:
    """What was decided about a request and became of it: what, who, why and when; oldest first."""
    entries = site.installation.ledger.trail(ref=retraining_ref(one.model, one.id))
    words = {"retraining allowed": "allowed", "retraining done": "trained", "retraining declined": "declined"}
    return [(words[e.what], e.who, e.why or "", e.at) for e in entries if e.what in words]
