"""Map: tables and products with what they read, from the sources to the products."""

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.web.map_picture import nodes_of, picture_of
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

MOST_TABLES = 150
"""More are not drawn at once: a domain is chosen."""


def show(request: Request, site: Site) -> Response:
    """The map of all domains, or of one with what it reads and who reads it."""
    names = [one.name for one in site.domains]
    domain, whole = request.query_params.get("domain", ""), len(site.tables) <= MOST_TABLES
    if domain and domain not in names:
        raise UnknownNameError("domain", domain, names)
    if not domain and not whole and names:
        domain = names[0]
    own = [one for one in site.tables.values() if not domain or one.id.domain == domain]
    shown = {one.id: one for one in own}
    for one in own:
        shown |= {read.table.id: read.table for read in (*one.reads.values(), *one.references.values())}
        shown |= {reader.id: reader for reader in one.readers}
    drawn = tuple(shown.values())
    return page(
        "map",
        request,
        site,
        picture=picture_of(drawn, site, large=True),
        nodes=nodes_of(drawn, site),
        domains=names,
        domain=domain,
        whole=whole,
    )
