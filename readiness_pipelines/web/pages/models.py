"""Models: what serves where, and the card of one with its versions."""

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.contracts import Model
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.models import changes_under, model_card
from readiness_pipelines.names import TableId
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site


def show_all(request: Request, site: Site) -> Response:
    """All models, with what serves where, and what waits for a person."""
    ledger = site.installation.ledger.models
    rows = []
    for model in _models(site).values():
        state, versions = ledger.serving(model.id), ledger.versions(model.id)
        rows.append((model, state, versions[-1] if versions else None, model.serving.readers))
    waiting = [one for one in ledger.retrainings() if one.ended_at is None]
    return page("models", request, site, rows=rows, waiting=waiting)


def show(request: Request, site: Site) -> Response:
    """One model: its versions, and the card of one of them."""
    model = _model(site, request.path_params["domain"], request.path_params["model"])
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


def _models(site: Site) -> dict[TableId, Model]:
    return {model.id: model for domain in site.domains for model in domain.models}


def _model(site: Site, domain: str, name: str) -> Model:
    models = _models(site)
    if TableId(domain, name) not in models:
        raise UnknownNameError("model", f"{domain}.{name}", map(str, models))
    return models[TableId(domain, name)]
