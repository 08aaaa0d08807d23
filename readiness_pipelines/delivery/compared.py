"""What a gate compares a table's rows with: other published rows, and the usual ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from readiness_pipelines.columns import WATERMARK
from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.contracts.protections import Protection
from readiness_pipelines.contracts.reads import AllBatches
from readiness_pipelines.contracts.references import MaskingVerified
from readiness_pipelines.delivery.baseline import Baseline, baseline_of
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Inputs, Published
from readiness_pipelines.errors import UpstreamNotPublishedError
from readiness_pipelines.gates import Gate, OtherRows
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import ALL_BATCHES
from readiness_pipelines.names import TableId


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
    protected: dict[tuple[str, str], Protection] = {}
    references: dict[str, tuple[TableId, int, Sequence[str] | None]] = {}
    published = Published(installation.ledger)
    arriving = {rule.of for rule in table.gating.rules if isinstance(rule, MaskingVerified)}
    for name, read in table.references.items():
        store = read.table.id.raw if name in arriving else store_of(read.table)
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
        for column in () if name in arriving else tables[name].columns:
            if (protection := class_of(read.table, column).protection) is not None:
                protected[name, column] = protection
        read_now = {key: published.snapshot(read.table, key) for key in keys} or {ALL_BATCHES: snapshot_id}
        inputs.setdefault(read.table.id, {}).update(read_now)
    others, own_snapshot = None, None
    own = store_of(table)
    if gate.compares_batches and lakehouse.exists(own) and (newest := lakehouse.snapshots(own)[:1]):
        own_snapshot = (own, newest[0].snapshot_id)
        inputs.setdefault(table.id, {})[ALL_BATCHES] = newest[0].snapshot_id
        published_rows = lakehouse.relation(engine, own, snapshot_id=newest[0].snapshot_id)
        others = published_rows.filter(duckdb.ColumnExpression("_batch") != duckdb.ConstantExpression(batch))
    watermarks = None
    if gate.lateness is not None and isinstance(table, GatedTable) and lakehouse.exists(table.id.raw):
        watermarks = watermarks_of(lakehouse.relation(engine, table.id.raw, batch=batch))
    baseline = None
    if gate.learns_ranges:
        newest_profile = installation.ledger.newest_profile(table.id)
        baseline = baseline_of(table, batch=batch, installation=installation)
        if newest_profile is not None:
            inputs.setdefault(table.id.profiles, {})[ALL_BATCHES] = newest_profile
    ranges = baseline.ranges if baseline else {}
    return Compared(
        rows=OtherRows(tables=tables, other_batches=others, protected=protected, watermarks=watermarks, ranges=ranges),
        inputs=inputs,
        baseline=baseline,
        references=references,
        own=own_snapshot,
    )


def watermarks_of(raw: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation | None:
    """The watermarks that rows of a raw table arrived at; ``None`` where it has none."""
    if WATERMARK not in raw.columns:
        return None
    return raw.filter(f"{WATERMARK} IS NOT NULL").project(f"_row, epoch_us({WATERMARK}) AS watermark")


def merged(*inputs: Inputs) -> Inputs:
    """Several inputs as one."""
    found: dict[TableId, dict[str, int]] = {}
    for one in inputs:
        for table, batches in one.items():
            found.setdefault(table, {}).update(batches)
    return found
