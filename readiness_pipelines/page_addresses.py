"""Where the web page shows what: addresses that alerts, runs and reports link to."""

from urllib.parse import quote

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId


def today_address(root: str) -> str:
    """Address of the page that says how each product stands; ``root`` is the setting ``web_url``."""
    return f"{root.rstrip('/')}/"


def batch_address(root: str, batch: BatchRef) -> str:
    """Address of a batch's page: its verdict, rows, decisions, trail."""
    return f"{root.rstrip('/')}/batches/{batch.table.domain}/{batch.table.name}/{_part(batch.batch)}"


def decide_address(root: str, batch: BatchRef) -> str:
    """Address of the page where what waits in a batch is decided."""
    return f"{root.rstrip('/')}/decide/{batch.table.domain}/{batch.table.name}/{_part(batch.batch)}"


def table_address(root: str, table: TableId) -> str:
    """Address of a table's page in the catalog."""
    return f"{root.rstrip('/')}/tables/{table.domain}/{table.name}"


def product_address(root: str, product: TableId) -> str:
    """Address of a product's page: its value over batches, what it is made of."""
    return f"{root.rstrip('/')}/products/{product.domain}/{product.name}"


def model_address(root: str, model: TableId) -> str:
    """Address of a model's page: its versions and their cards."""
    return f"{root.rstrip('/')}/models/{model.domain}/{model.name}"


def training_set_address(root: str, training_set: TableId) -> str:
    """Address of a training set's page: what it is made of, its builds, and who learns from it."""
    return f"{root.rstrip('/')}/training-sets/{training_set.domain}/{training_set.name}"


def incident_address(root: str, incident: int | str) -> str:
    """Address of an incident's page."""
    return f"{root.rstrip('/')}/incidents/{_part(str(incident))}"


def _part(text: str) -> str:
    return quote(text, safe="")
