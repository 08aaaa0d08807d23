"""What the first look would wait for, done before the page says that it is there."""

from contextlib import suppress

from readiness_pipelines.delivery import gate_of
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.overview import catalog_index
from readiness_pipelines.web.rendering import environment
from readiness_pipelines.web.site import Site


def warm(site: Site) -> None:
    """Read the templates, index the catalog, load what gates are built with, and look at everything once.

    A ledger that does not answer is no error here: whoever looks is told.

    Args:
        site: What is shown.
    """
    for name in environment().list_templates(filter_func=lambda name: name.endswith(".html.j2")):
        environment().get_template(name)
    catalog_index(site.domains)
    for table in list(site.tables.values())[:1]:
        with suppress(ReadinessError):  # the page of a table without a gate says why
            gate_of(table)
    site.now.warm()
