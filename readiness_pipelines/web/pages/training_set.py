"""Training set: what it is made of, its builds, and the models that learn from it."""

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.overview import training_set_entry
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site


def show(request: Request, site: Site) -> Response:
    """A training set."""
    one = site.training_set(request.path_params["domain"], request.path_params["training_set"])
    entry = training_set_entry(one, site.domains, installation=site.installation)
    return page("training_set", request, site, entry=entry)
