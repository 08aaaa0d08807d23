"""What the gallery's tests share: files written, domains run whole, tables read."""

from typing import Any

from readiness_pipelines import Domain
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery import Delivery, reconcile
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId
from readiness_pipelines.testing import run_domains


def write(installation: Installation, name: str, *lines: str, encoding: str = "utf-8") -> None:
    """Write a file of the landing folder."""
    file = installation.landing.path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(("\n".join(lines) + "\n").encode(encoding))


def run(*domains: Domain, installation: Installation) -> dict[str, list[str]]:
    """Run domains until nothing is due, and check that all adds up: the batches that were delivered, by table."""
    delivered = by_table(run_domains(*domains, installation=installation))
    assert run_domains(*domains, installation=installation) == ()
    assert reconcile(domains, installation=installation).problems == ()
    return delivered


def by_table(deliveries: tuple[Delivery, ...]) -> dict[str, list[str]]:
    """The batches that were delivered, by table, in order of their keys."""
    found: dict[str, list[str]] = {}
    for delivery in deliveries:
        found.setdefault(delivery.ref.table.name, []).append(delivery.ref.batch)
    return {name: sorted(batches) for name, batches in found.items()}


def rows(installation: Installation, table: TableId, *columns: str, batch: str | None = None) -> list[Any]:
    """A table's rows in the order of batches and rows: some columns of them, or all as dicts."""
    if not installation.lakehouse.exists(table):
        return []
    with installation.engine() as engine:
        found = installation.lakehouse.relation(engine, table).to_arrow_table().to_pylist()
    found = sorted(found, key=lambda row: (row["_batch"], row["_row"]))
    found = [row for row in found if batch in (None, row["_batch"])]
    return [tuple(row[name] for name in columns) for row in found] if columns else found


def record(installation: Installation, table: Table, batch: str) -> BatchRecord:
    """Where a batch stands."""
    found = installation.ledger.get(BatchRef(table.id, batch))
    assert found is not None
    return found
