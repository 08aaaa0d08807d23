"""Two teams that each call a table `orders`, and a third that takes another's name by mistake."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import DailyBatches, Domain, FileDrop, Source, Steward
from readiness_pipelines.contracts import GatedTable

DAYS = DailyBatches(start=date(2026, 1, 1))


class Order(pa.DataFrameModel):
    """One order."""

    order_id: arrow.int64() = pa.Field(unique=True)
    amount: arrow.float64() = pa.Field(ge=0)


def orders_of(domain: Domain, folder: str) -> GatedTable:
    """A domain's orders."""
    return domain.gated(
        "orders",
        source=Source(
            origin=f"{folder} export",
            steward=Steward("Sellers", "x@y.example"),
            reader=FileDrop(f"{folder}/{{batch}}.csv"),
        ),
        schema=Order,
        batches=DAYS,
    )


retail = Domain("retail", owner="retail@sellers.example")
retail_orders = orders_of(retail, "retail")

wholesale = Domain("wholesale", owner="wholesale@sellers.example")
wholesale_orders = orders_of(wholesale, "wholesale")

impostor = Domain("retail", owner="outlet@sellers.example")
impostor.module = "outlet.tables"  # as if another repository declared it
impostor_orders = orders_of(impostor, "outlet")
