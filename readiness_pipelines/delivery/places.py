"""Where the published batches of a table lie."""

from readiness_pipelines.batches import Scope
from readiness_pipelines.contracts import Table
from readiness_pipelines.names import TableId


def store_of(table: Table) -> TableId:
    """The Iceberg table with all published batches: the table's own, or where its versions are kept.

    The table itself shows the newest version alone; what is computed may need an older one.
    """
    return table.id.versions if table.batches.scope is Scope.TABLE else table.id
