"""Catalog: the tables and products, found by their words."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.contracts import Kpi, Table, answers_for
from readiness_pipelines.names import TableId
from readiness_pipelines.web.pages.product import kind_of
from readiness_pipelines.web.pages.table import worst
from readiness_pipelines.web.paging import page_number
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

SIZE = 50


@dataclass(frozen=True, slots=True)
class CatalogLine:
    """A table as the catalog lists it."""

    id: TableId
    standing: str
    description: str
    kind: str
    answers: str


def show(request: Request, site: Site) -> Response:
    """The tables, or those that some words find."""
    query, number = request.query_params.get("q", "").strip()[:200], page_number(request)
    found = [one for one in site.tables.values() if _meets(one, query.casefold().split())]
    return page(
        "catalog",
        request,
        site,
        query=query,
        tables=[_line(site, one) for one in found[number * SIZE : (number + 1) * SIZE]],
        number=number,
        size=SIZE,
        total=len(found),
        address=f"{site.root}/catalog?{urlencode({'q': query})}&",
    )


def _line(site: Site, table: Table) -> CatalogLine:
    words = table.question if isinstance(table, Kpi) else table.description
    return CatalogLine(table.id, worst(site, table), words, kind_of(table), answers_for(table))


def _meets(table: Table, words: list[str]) -> bool:
    text = f"{table.id} {table.description} {answers_for(table)} {table.question if isinstance(table, Kpi) else ''}"
    return all(word in text.casefold() for word in words)
