"""Models: what serves where, and the card of one with its versions."""

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.models import changes_under, model_card
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site


def show_all(request: Request, site: Site) -> Response:
    """All models, with what serves where, and what waits for a person."""
    ledger = site.installation.ledger.models
    rows = []
    for model in (model for domain in site.domains for model in domain.models):
        state, versions = ledger.serving(model.id), ledger.versions(model.id)
        rows.append((model, state, versions[-1] if versions else None, model.serving.readers))
    waiting = [one for one in ledger.retrainings() if one.ended_at is None]
    return page("models", request, site, rows=rows, waiting=waiting)


def show(request: Request, site: Site) -> Response:
    """One model: its versions, and the card of one of them."""
    model = site.model(request.path_params["domain"], request.path_params["model"])
    ledger = site.installation.ledger.models
    state, versions = ledger.serving(model.id), ledger.versions(model.id)
    chosen = request.query_params.get("version", "")
    card = None
    if versions:
        number = int(chosen) if chosen.isdecimal() else None
        card = model_card(model, number, tables=site.tables, installation=site.installation, at=site.clock())
    lines = [
        (one, state.role(one.version) or one.state.value, len(changes_under(one, installation=site.installation)))
        for one in reversed(versions)
    ]
    return page("model", request, site, model=model, state=state, lines=lines, card=card)
