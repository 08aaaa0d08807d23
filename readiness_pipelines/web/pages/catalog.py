"""Catalog: the tables and products, found by what they are called, mean and hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.contracts import Kpi, Table, TrainingSet, answers_for
from readiness_pipelines.contracts.models import model_served_by
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import SearchHit, Standing, Where, search_catalog
from readiness_pipelines.page_addresses import model_address, table_address, training_set_address
from readiness_pipelines.training import builds_of
from readiness_pipelines.web.pages.product import kind_of
from readiness_pipelines.web.paging import page_number
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

SIZE = 50
MOST_HITS = 50


@dataclass(frozen=True, slots=True)
class CatalogLine:
    """A table or product as the catalog lists it; `met` says where the words were met."""

    id: TableId
    address: str
    standing: str
    description: str
    kind: str
    answers: str
    met: str


def show(request: Request, site: Site) -> Response:
    """The tables and products, or those that some words find, the best first."""
    query, number = request.query_params.get("q", "").strip()[:200], page_number(request)
    hits = search_catalog(query, site.domains, limit=MOST_HITS) if query else ()
    met = {hit.table: _met(hit) for hit in hits}
    sets = {one.id: one for domain in site.domains for one in domain.training_sets}
    every: dict[TableId, Table | TrainingSet] = {**site.tables, **sets}
    found = [every[hit.table] for hit in hits] if query else list(every.values())
    standings = site.now.standings()
    return page(
        "catalog",
        request,
        site,
        query=query,
        tables=[_line(one, site, standings, met.get(one.id, "")) for one in found[number * SIZE : (number + 1) * SIZE]],
        missing=hits[0].missing if hits else (),
        number=number,
        size=SIZE,
        total=len(found),
        address=f"{site.root}/catalog?{urlencode({'q': query})}&",
    )


def _line(one: Table | TrainingSet, site: Site, standings: Mapping[TableId, Standing], met: str) -> CatalogLine:
    if isinstance(one, TrainingSet):
        built = "built" if builds_of(site.installation, one) else "never built"
        address = training_set_address(site.root, one.id)
        return CatalogLine(one.id, address, built, one.description, "training set", one.owner, met)
    words = one.question if isinstance(one, Kpi) else one.description
    to = model_address if model_served_by(one) else table_address
    standing = standings[one.id].value
    return CatalogLine(one.id, to(site.root, one.id), standing, words, kind_of(one), answers_for(one), met)


def _met(hit: SearchHit) -> str:
    columns = f" {', '.join(hit.columns)}" if hit.columns else ""
    return ", ".join(f"{one.value}{columns}" if one is Where.COLUMN else one.value for one in hit.where[:3])
