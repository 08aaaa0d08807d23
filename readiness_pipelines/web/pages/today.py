"""Today: how each product stands, the worst first."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.ledger import Finding
from readiness_pipelines.overview import ModelToday, ProductToday, Standing, Today, standing_of
from readiness_pipelines.web.now import SHOWN_VALUES
from readiness_pipelines.web.rendering import environment, page
from readiness_pipelines.web.site import Site
from readiness_pipelines.web.stream_lines import stream_lines

MOST_PRODUCTS, MOST_OTHERS, MOST_INCIDENTS = 50, 30, 10


@dataclass(frozen=True, slots=True)
class _Row:
    """A product's or model's line: what is known of it, and the held batch to look at first."""

    of: ProductToday | ModelToday
    first_held: BatchRef | None

    def __getattr__(self, name: str) -> object:
        return getattr(self.of, name)


def show(request: Request, site: Site) -> Response:
    """How everything stands."""
    pulse, found = site.now.pulse(), site.now.today()
    most = None if request.query_params.get("all") else MOST_PRODUCTS
    late = {one.table for one in found.findings if standing_of(one) is Standing.LATE}
    return page(
        "today",
        request,
        site,
        found=found,
        pulse=pulse,
        headline=headline(found),
        products=[_Row(one, first_held(one.findings)) for one in found.products[:most]],
        more_products=len(found.products) - len(found.products[:most]),
        models=[_Row(one, first_held(one.findings)) for one in found.models],
        others=[(one, standing_of(one).value) for one in found.others[:MOST_OTHERS]],
        more_others=max(0, len(found.others) - MOST_OTHERS),
        incidents=found.incidents[-MOST_INCIDENTS:][::-1],
        running=found.running[:MOST_INCIDENTS],
        streams=stream_lines(site.tables.values(), site),
        missed=sum(one.value is not None and one.value.met is False for one in found.products),
        late=len(late),
        unread=any(not one.read for one in found.products[:most]),
        spark_values=SHOWN_VALUES,
        ref_of=lambda one: BatchRef(one.table, one.batch),
    )


def news(request: Request, site: Site) -> Response:
    """Whether something happened since a page was made; nothing is swapped under a reader's hands."""
    changed = request.query_params.get("since", "") != site.now.pulse()
    text = environment().get_template("news.html.j2").render(changed=changed, to_today=f"{site.root}/")
    return Response(text, media_type="text/html")


def first_held(findings: tuple[Finding, ...]) -> BatchRef | None:
    """The held batch to look at first."""
    return next(
        (BatchRef(one.table, one.batch) for one in findings if one.batch and standing_of(one) is Standing.HELD), None
    )


def headline(found: Today) -> str:
    """All of it in one sentence."""
    wrong = [
        (found.held, "batch is held", "batches are held"),
        (found.count(Standing.BROKEN), "product has a broken delivery", "products have broken deliveries"),
        (
            sum(one.standing is Standing.BROKEN for one in found.models),
            "model has a broken delivery",
            "models have broken deliveries",
        ),
        (
            sum(one.value is not None and one.value.met is False for one in found.products),
            "product misses its target",
            "products miss their targets",
        ),
        (
            sum(one.waits for one in found.models),
            "model needs a person",
            "models need a person",
        ),
        (found.count(Standing.LATE), "product is late", "products are late"),
    ]
    said = [f"{number:,} {one if number == 1 else more}" for number, one, more in wrong if number]
    if said:
        return f"{', '.join(said[:-1])} and {said[-1]}." if len(said) > 1 else f"{said[0]}."
    return "Everything is as promised."
