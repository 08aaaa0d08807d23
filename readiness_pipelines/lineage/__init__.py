"""Where data comes from and what depends on it: tables, columns, single rows."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.lineage.batches import Inputs, inputs_of, made_from, made_of
    from readiness_pipelines.lineage.custody import (
        AppliedDecision,
        FileRecord,
        RowCustody,
        RowPlace,
        Stage,
        row_custody,
    )
    from readiness_pipelines.lineage.graph import ROWS, Branch, Impact, LineageGraph, Link, Node
    from readiness_pipelines.lineage.influences import ANY_COLUMN, ColumnLineage, How, Influence, Influences
    from readiness_pipelines.lineage.queries.reading import QueryInput, query_lineage
    from readiness_pipelines.lineage.reads import read_text
    from readiness_pipelines.lineage.table_lineage import TableBranch, TableLink, table_links, table_tree
    from readiness_pipelines.lineage.tables import column_lineage, declared_schema, known_lineage, schemas_in
    from readiness_pipelines.lineage.verifying import VerifiedLineage, verify_lineage
    from readiness_pipelines.lineage.witness import Observed, observe_changes
else:
    import_on_demand(__name__)

__all__ = [
    "ANY_COLUMN",
    "ROWS",
    "AppliedDecision",
    "Branch",
    "ColumnLineage",
    "FileRecord",
    "How",
    "Impact",
    "Influence",
    "Influences",
    "Inputs",
    "LineageGraph",
    "Link",
    "Node",
    "Observed",
    "QueryInput",
    "RowCustody",
    "RowPlace",
    "Stage",
    "TableBranch",
    "TableLink",
    "VerifiedLineage",
    "column_lineage",
    "declared_schema",
    "inputs_of",
    "known_lineage",
    "made_from",
    "made_of",
    "observe_changes",
    "query_lineage",
    "read_text",
    "row_custody",
    "schemas_in",
    "table_links",
    "table_tree",
    "verify_lineage",
]
