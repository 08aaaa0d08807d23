"""The gate that a path declares for a table, and what it compares the table's rows with."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.baseline import Baseline, baseline_of
from readiness_pipelines.delivery.names import Gated, profile_table, published_table
from readiness_pipelines.errors import UpstreamNotPublishedError
from readiness_pipelines.gates import Gate, OtherRows
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import EngineName


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Other published rows, the snapshots they are read from, and the batches before, where the gate asks for them."""

    rows: OtherRows
    snapshots: Mapping[str, int]
    baseline: Baseline | None


def engine_of(path: DataPath, table: Gated, default: EngineName) -> EngineName:
    """Where a table's gate judges. What DuckDB derived is judged by DuckDB."""
    if not isinstance(table, GatedTable):
        return "duckdb"
    return table.engine or path.engine or default


def gate_of(path: DataPath, table: Gated, *, default_engine: EngineName = "duckdb") -> Gate:
    """Build the gate of a table.

    Args:
        path: The path.
        table: The table.
        default_engine: Where it judges, unless path or table say so themselves.

    Raises:
        GateBuildError: Its schema cannot become a gate; names the rule and the reason.
    """
    gating = table.gating
    return Gate(
        table.schema,
        name=str(published_table(path, table)),
        missing=table.source.reader.missing if isinstance(table, GatedTable) else (),
        rules=gating.rules,
        routes=gating.routes,
        default_route=gating.default_route,
        tolerance=gating.tolerance,
        schema_change=gating.schema_change,
        allow_empty=gating.allow_empty,
        engine=engine_of(path, table, default_engine),
    )


def referenced_tables(path: DataPath, gate: Gate) -> Mapping[str, TableId]:
    """The published tables that a gate's rules refer to, by their names in the path."""
    return {name: published_table(path, path.table(name)) for name in gate.referenced_tables}


def compared_rows(
    path: DataPath,
    table: Gated,
    gate: Gate,
    *,
    batch: str,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> Compared:
    """What a gate's reference rules compare with: all that is published of other tables, and of other batches.

    Raises:
        UpstreamNotPublishedError: Nothing is published of a table that a rule refers to.
    """
    lakehouse = installation.lakehouse
    tables: dict[str, duckdb.DuckDBPyRelation] = {}
    snapshots: dict[str, int] = {}
    for name, published in referenced_tables(path, gate).items():
        newest = lakehouse.snapshots(published)[:1] if lakehouse.exists(published) else ()
        if not newest:
            raise UpstreamNotPublishedError(
                f"nothing is published of {published}, which {published_table(path, table)} refers to",
                way_out=f"readiness run {path.name} --all",
            )
        snapshots[str(published)] = newest[0].snapshot_id
        tables[name] = lakehouse.relation(engine, published, snapshot_id=newest[0].snapshot_id)
    others = None
    own = published_table(path, table)
    if gate.compares_batches and lakehouse.exists(own) and (newest := lakehouse.snapshots(own)[:1]):
        snapshots[f"{own} (other batches)"] = newest[0].snapshot_id
        published_rows = lakehouse.relation(engine, own, snapshot_id=newest[0].snapshot_id)
        others = published_rows.filter(duckdb.ColumnExpression("_batch") != duckdb.ConstantExpression(batch))
    baseline = None
    if gate.learns_ranges:
        baseline = baseline_of(path, table, batch=batch, installation=installation, engine=engine)
        profiles = profile_table(table)
        if lakehouse.exists(profiles) and (newest := lakehouse.snapshots(profiles)[:1]):
            snapshots[str(profiles)] = newest[0].snapshot_id
    ranges = baseline.ranges if baseline else {}
    return Compared(
        rows=OtherRows(tables=tables, other_batches=others, ranges=ranges), snapshots=snapshots, baseline=baseline
    )
