"""The gate that is declared for a table, and what it compares the table's rows with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

import duckdb

from readiness_pipelines.contracts import DerivedTable, GatedTable, Kpi, Table
from readiness_pipelines.contracts.reads import AllBatches
from readiness_pipelines.delivery.baseline import Baseline, baseline_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Inputs, Published
from readiness_pipelines.errors import UpstreamNotPublishedError
from readiness_pipelines.gates import Gate, OtherRows
from readiness_pipelines.gates.schema.tests import Disclosed
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import ALL_BATCHES
from readiness_pipelines.names import TableId
from readiness_pipelines.products import kpi_schema
from readiness_pipelines.settings import EngineName

GATES_KEPT = 1_024
"""So many gates are kept: building one takes longer than judging a small batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a gate compares a batch with.

    Attributes:
        rows: Other published rows, and the usual ranges.
        inputs: The snapshots they are read from.
        baseline: The batches before; ``None`` where the gate does not need them.
        references: For each table that a rule names: where it is, its snapshot, and the batches (``None`` for all).
        own: Where the table's own batches are, and their snapshot, where rules compare with the others.
    """

    rows: OtherRows
    inputs: Inputs
    baseline: Baseline | None
    references: Mapping[str, tuple[TableId, int, Sequence[str] | None]]
    own: tuple[TableId, int] | None


def engine_of(table: Table, default: EngineName) -> EngineName:
    """Where a table's gate judges. What DuckDB computed is judged by DuckDB."""
    if not isinstance(table, GatedTable):
        return "duckdb"
    return table.engine or table.domain.engine or default


def gate_of(table: Table, *, default_engine: EngineName = "duckdb") -> Gate:
    """The gate of a table or product.

    Args:
        table: The table.
        default_engine: Where it judges, unless domain or table say so themselves.

    Raises:
        GateBuildError: Its schema cannot become a gate; names the rule and the reason.
    """
    return _gate(table, engine_of(table, default_engine))


def exposing_rules(table: Table) -> frozenset[str]:
    """The names of the rules about what a table's rows give away of persons."""
    return frozenset(test.rule.name for test in gate_of(table).tests if isinstance(test, Disclosed))


@lru_cache(maxsize=GATES_KEPT)
def _gate(table: Table, engine: EngineName) -> Gate:
    if isinstance(table, Kpi) and not table.gating.rules:
        if table.by not in _kpi_gates:
            _kpi_gates[table.by] = _built(table, engine)
        return _kpi_gates[table.by].renamed(str(table.id))
    return _built(table, engine)


_kpi_gates: dict[tuple[str, ...], Gate] = {}
"""Gates of KPIs of which nothing is said to be plausible, by their dimensions: nothing else tells them apart."""


def _built(table: Table, engine: EngineName) -> Gate:
    gating = table.gating
    match table:
        case GatedTable():
            schema, missing, rules = table.schema, table.source.reader.missing, gating.rules
        case DerivedTable():
            schema, missing, rules = table.schema, (), gating.rules
        case Kpi():
            schema, missing, rules = kpi_schema(table), (), ()
        case _:
            assert_never(table)
    return Gate(
        schema,
        name=str(table.id),
        missing=missing,
        rules=rules,
        routes=gating.routes,
        default_route=gating.default_route,
        tolerance=gating.tolerance,
        schema_change=gating.schema_change,
        unclassified=gating.unclassified,
        allow_empty=gating.allow_empty,
        engine=engine,
        classified=table.classified,
    )


def compared_rows(
    table: Table, gate: Gate, *, batch: str, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> Compared:
    """What a gate's reference rules compare with: the version in force, or all that is published; and other batches.

    Raises:
        UpstreamNotPublishedError: Nothing is published of a table that a rule refers to.
    """
    lakehouse = installation.lakehouse
    tables: dict[str, duckdb.DuckDBPyRelation] = {}
    inputs: dict[TableId, dict[str, int]] = {}
    references: dict[str, tuple[TableId, int, Sequence[str] | None]] = {}
    published = Published(installation.ledger)
    for name, read in table.references.items():
        store = store_of(read.table)
        keys = () if isinstance(read.mapping, AllBatches) else published.read(read, table, batch)
        newest = lakehouse.snapshots(store)[:1] if lakehouse.exists(store) else ()
        if not newest or not (keys or isinstance(read.mapping, AllBatches)):
            raise UpstreamNotPublishedError(
                f"nothing is published of {read.table.id}, which {table.id} refers to",
                way_out=f"readiness run {read.table.id}",
            )
        snapshot_id = newest[0].snapshot_id
        references[name] = (store, snapshot_id, keys or None)
        tables[name] = lakehouse.relation(engine, store, batch=keys or None, snapshot_id=snapshot_id)
        read_now = {key: published.snapshot(read.table, key) for key in keys} or {ALL_BATCHES: snapshot_id}
        inputs.setdefault(read.table.id, {}).update(read_now)
    others, own_snapshot = None, None
    own = store_of(table)
    if gate.compares_batches and lakehouse.exists(own) and (newest := lakehouse.snapshots(own)[:1]):
        own_snapshot = (own, newest[0].snapshot_id)
        inputs.setdefault(table.id, {})[ALL_BATCHES] = newest[0].snapshot_id
        published_rows = lakehouse.relation(engine, own, snapshot_id=newest[0].snapshot_id)
        others = published_rows.filter(duckdb.ColumnExpression("_batch") != duckdb.ConstantExpression(batch))
    baseline = None
    if gate.learns_ranges:
        newest_profile = installation.ledger.newest_profile(table.id)
        baseline = baseline_of(table, batch=batch, installation=installation)
        if newest_profile is not None:
            inputs.setdefault(table.id.profiles, {})[ALL_BATCHES] = newest_profile
    ranges = baseline.ranges if baseline else {}
    return Compared(
        rows=OtherRows(tables=tables, other_batches=others, ranges=ranges),
        inputs=inputs,
        baseline=baseline,
        references=references,
        own=own_snapshot,
    )


def merged(*inputs: Inputs) -> Inputs:
    """Several inputs as one."""
    found: dict[TableId, dict[str, int]] = {}
    for one in inputs:
        for table, batches in one.items():
            found.setdefault(table, {}).update(batches)
    return found


__all__ = ["Compared", "compared_rows", "engine_of", "exposing_rules", "gate_of", "merged"]
