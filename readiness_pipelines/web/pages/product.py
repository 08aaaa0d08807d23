"""Product: its value over batches and by dimension, and what it is made of."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.contracts import DerivedTable, FeatureView, GatedTable, Kpi, Table, answers_for
from readiness_pipelines.contracts.models import model_served_by
from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.lineage import read_text
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import data_path, standing_of
from readiness_pipelines.web.map_picture import picture_of
from readiness_pipelines.web.paging import page_number
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site
from readiness_pipelines.web.words import bound_text

SIZE = 60


@dataclass(frozen=True, slots=True)
class PathStep:
    """A table on the way to a product."""

    id: TableId
    kind: str
    reads: str
    answers: str


def show(request: Request, site: Site) -> Response:
    """A product."""
    product = site.product(request.path_params["domain"], request.path_params["product"])
    today = next(one for one in site.now.today().products if one.product.id == product.id)
    published = [one.batch for one in site.now.publications().get(product.id, ())]
    ordered, number = in_order(product.batches, published), page_number(request)
    end = max(0, len(ordered) - number * SIZE)
    shown = ordered[max(0, end - SIZE) : end]
    found = kpi_values(product, installation=site.installation, batches=shown)
    totals = sorted((one for one in found if one.is_total), key=lambda one: product.batches.order(one.batch or ""))
    newest = totals[-1] if totals else None
    parts = [one for one in found if not one.is_total and newest is not None and one.batch == newest.batch]
    path = data_path(product)
    return page(
        "product",
        request,
        site,
        product=product,
        standing=today.standing.value,
        sentence=today.sentence,
        value=newest,
        target=_target(product),
        values=totals,
        newest_first=totals[::-1],
        number=number,
        size=SIZE,
        total=len(ordered),
        address=f"{request.url.path}?",
        parts=parts,
        findings=[(one, standing_of(one).value) for one in today.findings],
        batch_of=lambda one: BatchRef(one.table, one.batch),
        ref_of=lambda batch: BatchRef(product.id, batch),
        path=[PathStep(one.id, kind_of(one), reads_of(one), answers_for(one)) for one in path],
        picture=picture_of(path, site),
    )


def kind_of(table: Table) -> str:
    """What a table is, in a word."""
    match table:
        case GatedTable():
            return "model" if model_served_by(table) else "from a source"
        case FeatureView():
            return "features"
        case DerivedTable():
            return "computed"
        case Kpi():
            return "product"


def reads_of(table: Table) -> str:
    """What a table reads, for people."""
    if isinstance(table, GatedTable):
        return table.source.origin
    return ", ".join(map(read_text, table.reads.values()))


def _target(product: Kpi) -> str:
    return bound_text(product.target, product.unit) if product.target is not None else ""
