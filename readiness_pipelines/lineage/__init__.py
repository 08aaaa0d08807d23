"""Where data comes from and what depends on it: tables, columns, single rows."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.lineage.influences import ANY_COLUMN, ColumnLineage, How, Influence, Influences
    from readiness_pipelines.lineage.queries.reading import QueryInput, query_lineage
    from readiness_pipelines.lineage.tables import column_lineage, declared_schema, known_lineage, schemas_in
    from readiness_pipelines.lineage.witness import Observed, observe_changes
else:
    import_on_demand(__name__)

__all__ = [
    "ANY_COLUMN",
    "ColumnLineage",
    "How",
    "Influence",
    "Influences",
    "Observed",
    "QueryInput",
    "column_lineage",
    "declared_schema",
    "known_lineage",
    "observe_changes",
    "query_lineage",
    "schemas_in",
]
