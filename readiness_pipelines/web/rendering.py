"""Pages from templates: what they are given is text, whatever it looks like."""

from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId
from readiness_pipelines.page_addresses import (
    batch_address,
    decide_address,
    incident_address,
    model_address,
    product_address,
    table_address,
    today_address,
    training_set_address,
)
from readiness_pipelines.version import __version__
from readiness_pipelines.web.charts import line_chart, share_bar, spark_line
from readiness_pipelines.web.dagster_links import asset_link, run_link
from readiness_pipelines.web.guard import TOKEN_FIELD
from readiness_pipelines.web.people import visitor_of
from readiness_pipelines.web.site import Site
from readiness_pipelines.web.words import (
    age_text,
    at_text,
    cell_text,
    count_text,
    span_text,
    state_text,
    target_text,
    value_text,
)

STATIC = Path(__file__).parent / "static"


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=PackageLoader("readiness_pipelines.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "at": at_text,
        "span": span_text,
        "cell": cell_text,
        "state_word": state_text,
        "thousands": lambda number: f"{number:,}",
    }
    made.globals |= {
        "count_of": count_text,
        "value_text": value_text,
        "target_text": target_text,
        "line_chart": line_chart,
        "share_bar": share_bar,
        "spark_line": spark_line,
        "version": __version__,
    }
    return made


def page(name: str, request: Request, site: Site, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page.

    Args:
        name: Its template, without ``.html.j2``.
        request: Who looks.
        site: What is shown.
        status: The HTTP status.
        **values: What the template is given.
    """
    template = environment().get_template(f"{name}.html.j2")
    return HTMLResponse(template.render(**common(request, site), **values), status_code=status)


def common(request: Request, site: Site) -> dict[str, Any]:
    """What every template is given."""
    root, now = site.root, site.clock()
    return {
        "root": root,
        "now": now,
        "visitor": visitor_of(request, site),
        "token_field": TOKEN_FIELD,
        "token": request.state.form_token,
        "here": request.url.path,
        "age": partial(age_text, now=now),
        "to_today": today_address(root),
        "to_batch": lambda ref: batch_address(root, ref),
        "to_decide": lambda ref: decide_address(root, ref),
        "to_table": lambda table: table_address(root, table),
        "to_product": lambda product: product_address(root, product),
        "to_model": lambda model: model_address(root, model),
        "to_training_set": lambda one: training_set_address(root, one),
        "has_models": any(domain.models for domain in site.domains),
        "to_incident": lambda number: incident_address(root, number),
        "to": lambda kind, ref: _address(root, kind, ref),
        "dagster": site.settings.dagster_url,
        "run_link": lambda run: run_link(site.settings.dagster_url, run),
        "asset_link": lambda table, batch=None: asset_link(site.settings.dagster_url, table, batch),
        "is_known": lambda table: (TableId.parse(table) if isinstance(table, str) else table) in site.tables,
        "asset_version": __version__,
    }


def _address(root: str, kind: str, ref: BatchRef) -> str:
    """Another address of a batch: ``/rows/shop/orders/2026-11-01``."""
    return batch_address(root, ref).replace(f"{root}/batches/", f"{root}/{kind}/", 1)
