"""The gate that a path declares for a table."""

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.names import Gated, published_table
from readiness_pipelines.gates import Gate


def gate_of(path: DataPath, table: Gated) -> Gate:
    """Build the gate of a table.

    Raises:
        GateBuildError: Its schema cannot become a gate; names the rule and the reason.
    """
    missing = table.source.reader.missing if isinstance(table, GatedTable) else ()
    return Gate(table.schema, name=str(published_table(path, table)), tolerance=table.tolerance, missing=missing)
