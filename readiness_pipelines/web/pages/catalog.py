"""Catalog: the tables and products, found by what they are called, mean and hold."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.contracts import Kpi, Table, answers_for
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import SearchHit, Where, search_catalog
from readiness_pipelines.web.pages.product import kind_of
from readiness_pipelines.web.paging import page_number
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

SIZE = 50
MOST_HITS = 50


@dataclass(frozen=True, slots=True)
class CatalogLine:
    """A table as the catalog lists it; `met` says where the words were met."""

    id: TableId
    standing: str
    description: str
    kind: str
    answers: str
    met: str


def show(request: Request, site: Site) -> Response:
    """The tables, or those that some words find, the best first."""
    query, number = request.query_params.get("q", "").strip()[:200], page_number(request)
    hits = search_catalog(query, site.domains, limit=MOST_HITS) if query else ()
    met = {hit.table: _met(hit) for hit in hits}
    stands = site.now.standings()
    found = [site.tables[hit.table] for hit in hits] if query else list(site.tables.values())
    return page(
        "catalog",
        request,
        site,
        query=query,
        tables=[
            _line(one, stands[one.id].value, met.get(one.id, "")) for one in found[number * SIZE : (number + 1) * SIZE]
        ],
        missing=hits[0].missing if hits else (),
        number=number,
        size=SIZE,
        total=len(found),
        address=f"{site.root}/catalog?{urlencode({'q': query})}&",
    )


def _line(table: Table, standing: str, met: str) -> CatalogLine:
    words = table.question if isinstance(table, Kpi) else table.description
    return CatalogLine(table.id, standing, words, kind_of(table), answers_for(table), met)


def _met(hit: SearchHit) -> str:
    columns = f" {', '.join(hit.columns)}" if hit.columns else ""
    return ", ".join(f"{one.value}{columns}" if one is Where.COLUMN else one.value for one in hit.where[:3])
