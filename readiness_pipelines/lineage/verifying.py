"""What a table's lineage says, held against what changes when a batch is computed from changed rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts import Computed, Kpi
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.delivery.reading import errors_of_transform, input_relations, transformed
from readiness_pipelines.installation import Installation
from readiness_pipelines.lineage.influences import ANY_COLUMN
from readiness_pipelines.lineage.tables import schemas_in, transform_lineage
from readiness_pipelines.lineage.witness import observe_changes

SAMPLED = 200
"""So many rows of each input are changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLineage:
    """What was seen.

    Attributes:
        batch: The batch of which rows were changed.
        runs: How often it was computed.
        confirmed: Pairs of an input's column (``orders.amount``) and a column that changed with it, as was said.
        contradicted: Pairs where something changed that the lineage does not say: it is wrong.
        unseen: Pairs of which the lineage says that values flow, and nothing changed: the sample may not reach them.
        unstable: Columns that differ from run to run with nothing changed.
        unresolved: Why parts of the lineage are "any column of".
    """

    batch: str
    runs: int
    confirmed: tuple[tuple[str, str], ...]
    contradicted: tuple[tuple[str, str], ...]
    unseen: tuple[tuple[str, str], ...]
    unstable: tuple[str, ...]
    unresolved: tuple[str, ...]


def verify_lineage(
    table: Computed, *, batch: str, installation: Installation, most_rows: int = SAMPLED
) -> VerifiedLineage:
    """Change the inputs of a batch, column by column, compute it, and hold what changes against the lineage.

    Rows stay in memory, and nothing is written. What the gate does afterwards is not looked at.

    Args:
        table: The table.
        batch: The batch.
        installation: Where its inputs are.
        most_rows: So many rows of each input are taken at most.

    Raises:
        UpstreamNotPublishedError: An input has nothing published for the batch.
        DeclarationError: The transform breaks on the rows as they are.
        LakehouseError: A table cannot be read.
    """
    lineage = transform_lineage(table, schemas_in(installation))
    with handling_rows(table), installation.engine(f"batch {batch!r} of {table.id}") as engine:
        relations, _ = input_relations(table, batch=batch, installation=installation, engine=engine)
        sample = {name: given.order("_row").limit(most_rows).to_arrow_table() for name, given in relations.items()}
        read = {name: one.table.id for name, one in table.reads.items()}
        concerned = {(one.table, one.column) for made in (*lineage.columns.values(), lineage.rows) for one in made}
        others = {
            name: [column for column in rows.column_names if (read[name], column) not in concerned]
            for name, rows in sample.items()
        }
        with errors_of_transform(table, batch):
            seen = observe_changes(_Computation(table, engine), sample, unconcerned=others)
    confirmed: set[tuple[str, str]] = set()
    contradicted: set[tuple[str, str]] = set()
    unseen: set[tuple[str, str]] = set()
    for (name, column), outputs in seen.changes.items():
        for output in outputs:
            known = {(one.table, one.column) for one in lineage.of(output)}
            said = {(read[name], column), (read[name], ANY_COLUMN)} & known
            (confirmed if said else contradicted).add((f"{name}.{column}", output))
    for output, made in lineage.columns.items():
        for one in made:
            names = [name for name, table_id in read.items() if table_id == one.table]
            if (
                one.how.direct
                and one.resolved
                and not any(output in seen.changes.get((name, one.column), ()) for name in names)
            ):
                unseen.add((f"{names[0] if names else one.table}.{one.column}", output))
    return VerifiedLineage(
        batch=batch,
        runs=seen.runs,
        confirmed=tuple(sorted(confirmed)),
        contradicted=tuple(sorted(contradicted)),
        unseen=tuple(sorted(unseen)),
        unstable=tuple(sorted(seen.unstable)),
        unresolved=lineage.unresolved,
    )


class _Computation:
    """Computes a batch from rows in memory."""

    def __init__(self, table: Computed, engine: duckdb.DuckDBPyConnection) -> None:
        self._table = table
        self._engine = engine

    def __call__(self, inputs: Mapping[str, pa.Table]) -> Mapping[str, pa.ChunkedArray]:
        """The values of each column, but for those of the framework."""
        given = {name: self._engine.from_arrow(rows) for name, rows in inputs.items()}
        made = transformed(self._table, given, self._engine).to_arrow_table()
        constant = ("unit", "target", "is_total") if isinstance(self._table, Kpi) else ()
        return {
            name: made.column(name) for name in made.column_names if not name.startswith("_") and name not in constant
        }
