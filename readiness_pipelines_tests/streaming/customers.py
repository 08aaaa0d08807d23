"""A domain whose customers come as changes of a database's table."""

import json
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import ChangeColumns, Changes, Domain, HourlyBatches, PostgresChanges, Source, Steward
from readiness_pipelines.contracts import GatedTable

FROM_SLOT = PostgresChanges(
    "public.customers", connection="shop", publication="shop", slot="customers", key="id", slice_every="0.1s"
)


class CustomerChange(ChangeColumns):
    """A change of a customer."""

    id: arrow.int64() = pa.Field(nullable=True)
    before_id: arrow.int64() = pa.Field(nullable=True)
    name: arrow.string() = pa.Field(nullable=True)
    bio: arrow.string() = pa.Field(nullable=True)
    paid: arrow.decimal128(12, 2) = pa.Field(nullable=True)


class Customer(pa.DataFrameModel):
    """A customer as it is now."""

    id: arrow.int64() = pa.Field(unique=True)
    name: arrow.string() = pa.Field()
    bio: arrow.string() = pa.Field(nullable=True)
    paid: arrow.decimal128(12, 2) = pa.Field(nullable=True)


def customers_domain(reader: Any = None) -> Domain:
    """The domain; its changes are read from a topic unless another reader is given."""
    shop = Domain("shop", owner="shop@shop.example")
    changes = shop.gated(
        "customer_changes",
        source=Source(
            origin="Shop database",
            steward=Steward("Shop", "shop@shop.example"),
            reader=reader or Changes("customers", brokers="127.0.0.1:1", key="id", slice_every="0.2s"),
        ),
        schema=CustomerChange,
        batches=HourlyBatches(start="2026-11-02"),
    )
    shop.current("customers", changes, schema=Customer)
    return shop


def changes_table(domain: Domain) -> GatedTable:
    table = domain.table("customer_changes")
    assert isinstance(table, GatedTable)
    return table


def change(op: str, lsn: int, before: Any = None, after: Any = None) -> bytes:
    """A change as Debezium sends it."""
    source = {"lsn": lsn, "ts_ms": 1_793_613_600_000, "schema": "public", "table": "customers", "txId": lsn}
    return json.dumps({"op": op, "before": before, "after": after, "source": source}).encode()


def customer(key: int, name: str, **other: Any) -> dict[str, Any]:
    return {"id": key, "name": name, "bio": None, "paid": "1.50", **other}
