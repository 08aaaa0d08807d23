"""Scorecard: how ready the data is, what proves it, what next."""

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.overview import Area, Grade, past_scorecards
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

SHOWN_EVIDENCE = 12
"""What speaks against is cut to a few by the answer itself, which counts the rest."""

SHOWN_STEPS = 8
SHOWN_DAYS = 30
_TITLES = {Area.OPERATION: "Operational readiness", Area.LAYERS: "The five layers", Area.STAGES: "Stages"}


def show(request: Request, site: Site) -> Response:
    """The scorecard of everything, of a domain, or of a product."""
    scope = request.query_params.get("scope", "")
    shown = site.now.scorecard_soon(scope, identity_required=site.settings.identity.required)
    card = shown.card
    if card is None:
        return page("reckoning", request, site, scope=scope)
    way_out: dict[str, int] = {}
    for step in card.next:
        way_out[step.way_out] = way_out.get(step.way_out, 0) + step.missing
    past = past_scorecards(scope, installation=site.installation, days=SHOWN_DAYS)
    return page(
        "scorecard",
        request,
        site,
        card=card,
        current=shown.current,
        scope=scope,
        scopes=list(dict.fromkeys(("", *(one.name for one in site.domains), scope))),
        counts=[(verdict.value, card.count(verdict)) for verdict in Grade],
        parts=[(_TITLES[part], part.name.lower(), card.part(part)) for part in Area],
        shown_evidence=SHOWN_EVIDENCE,
        next_steps=list(way_out.items())[:SHOWN_STEPS],
        slas=card.slas[::-1],
        past=[(one.at, one.stage, [(verdict.value, one.count(verdict)) for verdict in Grade]) for one in past[::-1]],
    )
