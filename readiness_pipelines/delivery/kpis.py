"""The values of a KPI, read back from its table."""

from collections.abc import Sequence
from dataclasses import replace

from readiness_pipelines.contracts import Kpi
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.masking import Listing
from readiness_pipelines.products import KpiValue, values_of


def kpi_values(kpi: Kpi, *, installation: Installation, batches: Sequence[str] | None = None) -> tuple[KpiValue, ...]:
    """The published values of a KPI, by batch, the totals before the dimensions.

    Dimensions of classified columns are redacted; the KPI's table in the lakehouse has them.

    Args:
        kpi: The KPI.
        installation: Where its table is.
        batches: Only these; ``None`` for all.

    Raises:
        LakehouseError: The table cannot be read.
    """
    store = store_of(kpi)
    if not installation.lakehouse.exists(store) or (batches is not None and not batches):
        return ()
    with installation.engine(f"the values of {kpi.id}") as engine:
        rows = installation.lakehouse.relation(engine, store, batch=batches).order("_batch, _row").to_arrow_table()
    listing = Listing(classes_of(kpi))
    return tuple(
        value if value.is_total else replace(value, dimensions=listing.row(value.dimensions))
        for value in values_of(kpi, rows.to_pylist())
    )
