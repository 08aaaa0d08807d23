"""What a table's page says first: its newest batch, whichever was run last."""

from typing import Any

from readiness_pipelines.batches import in_order
from readiness_pipelines.contracts import Kpi, Table
from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation
from readiness_pipelines.products import format_value


def newest_metadata(table: Table, installation: Installation) -> dict[str, Any]:
    """The newest published batch of a table, and of a KPI its value there; nothing where none is published.

    Dagster shows the metadata of the run that ended last, which may be the replay of an old batch.
    """
    batches = in_order(table.batches, installation.ledger.visible_batches(table.id))
    if not batches:
        return {}
    metadata: dict[str, Any] = {"readiness/newest_batch": batches[-1]}
    if isinstance(table, Kpi):
        for total in kpi_values(table, installation=installation, batches=batches[-1:]):
            if total.is_total:
                metadata["readiness/newest_value"] = format_value(total.value, table.unit) + _met(total.met)
    return metadata


def _met(met: bool | None) -> str:
    return {True: " (meets its target)", False: " (misses its target)", None: ""}[met]
