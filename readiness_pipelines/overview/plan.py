"""What code that is not deployed yet would do to past batches: which are judged again, by what, and who reads them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import GatedTable, Kpi, Table, downstream
from readiness_pipelines.contracts.reads import AllBatches
from readiness_pipelines.delivery import decisions_in_force, gate_of, in_flow, readers_of_all, transform_facts
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.gates import ChangeKind, GateDeclaration, differences, fingerprint
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import OtherType
from readiness_pipelines.ledger import BatchRecord, GateRecord
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.gate_changes import GateChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """A past batch that would be judged or computed again.

    Attributes:
        ref: The batch.
        state: Where it stands; ``None`` where it would be computed for the first time.
        counts: Its rows as they are.
        attempt: The delivery that brought it there.
        given: Fingerprint of what it would be made of, but for batches of the same plan: snapshots, and decisions in
            force.
    """

    ref: BatchRef
    state: BatchState | None
    counts: Counts
    attempt: str | None
    given: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformChange:
    """One difference between what computed some batches and the code: of what, and its value before and after."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCode:
    """What judges and computes a table's batches.

    Attributes:
        gate: The version of its gate.
        transform: What it is computed by; empty for a table that a source feeds. See `transform_facts`.
    """

    gate: str
    transform: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """A table of which the code differs from what judged or computed its batches.

    Attributes:
        table: The table.
        gates: How the gate differs from each one that judged batches, the newest first.
        transforms: How the transform differs from those that computed batches.
        batches: The batches that would be judged again, from old to new.
        stuck: How many cannot be: what they were made of is not there any more.
        unknown: How many were computed before the ledger kept by what; they are left as they are.
        refused: Columns that the table has of a type which cannot become the code's: no batch can be published so.
    """

    table: TableId
    gates: tuple[GateChanges, ...]
    transforms: tuple[TransformChange, ...]
    batches: tuple[PlannedBatch, ...]
    stuck: int
    unknown: int
    refused: tuple[OtherType, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether a verdict or a row may change: not where only words for people do."""
        kinds = {change.kind for gate in self.gates for change in gate.changes}
        return bool(self.batches or self.stuck or self.transforms or kinds - {ChangeKind.COSMETIC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the code would do to past batches.

    Attributes:
        tables: The tables of which something differs, in the order rows flow.
        downstream: The batches that read those of the plan: they are computed again where their inputs change.
        readers: The tables and products that are computed from tables of the plan, in the order rows flow.
        products: The KPIs among the tables of the plan and their readers.
        code: What the code has for each table of which a batch may change.
    """

    tables: tuple[TablePlan, ...]
    downstream: tuple[PlannedBatch, ...]
    readers: tuple[TableId, ...]
    products: tuple[TableId, ...]
    code: Mapping[TableId, TableCode]

    @property
    def decides(self) -> bool:
        """Whether anything would change but words for people."""
        return any(table.decides for table in self.tables)

    @property
    def batches(self) -> tuple[PlannedBatch, ...]:
        """The batches that would be judged again, in the order rows flow, and from old to new."""
        return tuple(batch for table in self.tables for batch in table.batches)

    @property
    def refs(self) -> frozenset[BatchRef]:
        """All batches that may change."""
        return frozenset(one.ref for one in (*self.batches, *self.downstream))


def plan_changes(tables: Sequence[Table], *, installation: Installation, run: Run) -> Plan:
    """Compare the code of some tables with what judged and computed their batches. Nothing is written.

    Args:
        tables: The tables.
        installation: Where the ledger is.
        run: Tells the time, which decides about waivers that expire.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
        LedgerError: The ledger cannot be reached.
        LakehouseError: A table's metadata cannot be read.
    """
    ordered = in_flow(tables)
    published = Published(installation.ledger)
    found = [_differing(table, published, installation) for table in ordered]
    changed = {record.ref for one in found for record in one.records}
    following = readers_of_all(changed, [one.table for one in found if one.records], published)
    readers = in_flow(reader for one in found if one.decides for reader in downstream(one.table))
    planned = frozenset({*changed, *following})
    known = {table.id: table for table in (*ordered, *readers)}
    given = _Given(planned, published, installation, run, _decided(known, installation))
    plans = tuple(_table_plan(one, given) for one in found if one.says_something)
    products = [one.table for one in found if one.decides and isinstance(one.table, Kpi)]
    products += [reader for reader in readers if isinstance(reader, Kpi)]
    return Plan(
        tables=plans,
        downstream=tuple(given.batch(known[ref.table], ref) for ref in following if ref not in changed),
        readers=tuple(reader.id for reader in readers),
        products=tuple(dict.fromkeys(product.id for product in products)),
        code={ident: code_of(known[ident], installation) for ident in sorted({ref.table for ref in planned})},
    )


def code_of(table: Table, installation: Installation) -> TableCode:
    """What the code has for a table.

    Raises:
        GateBuildError: Its schema cannot become a gate.
    """
    gate = gate_of(table, default_engine=installation.engine_name)
    return TableCode(gate=gate.version, transform=transform_facts(table))


def given_of(
    refs: Iterable[tuple[Table, BatchRef]], planned: frozenset[BatchRef], *, installation: Installation, run: Run
) -> Mapping[BatchRef, PlannedBatch]:
    """Some batches as they stand now, as a plan of some batches would have them."""
    wanted = list(refs)
    tables = {table.id: table for table, _ in wanted}
    published = Published(installation.ledger)
    given = _Given(planned, published, installation, run, _decided(tables, installation))
    published.load(tables)
    return {ref: given.batch(table, ref) for table, ref in wanted}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Differing:
    """What differs of a table, and the records of its batches that would be judged again."""

    table: Table
    gates: tuple[GateChanges, ...]
    transforms: tuple[TransformChange, ...]
    records: tuple[BatchRecord, ...]
    stuck: int
    unknown: int
    refused: tuple[OtherType, ...]

    @property
    def decides(self) -> bool:
        return bool(self.records or self.stuck)

    @property
    def says_something(self) -> bool:
        return self.decides or any(one.changes for one in self.gates) or bool(self.unknown)


def _differing(table: Table, published: Published, installation: Installation) -> _Differing:
    gate = gate_of(table, default_engine=installation.engine_name)
    used = installation.ledger.gates(table.id)
    facts = transform_facts(table)
    records = sorted(
        (one for one in published.records(table.id).values() if one.gate_version is not None),
        key=lambda one: table.batches.order(one.ref.batch),
    )
    kept: dict[str, Any] = {}
    if facts:
        verdicts = installation.ledger.last_verdicts(tables=[table.id])
        kept = {one.ref.batch: one.details.get("transform") for one in verdicts}
    differing: list[BatchRecord] = []
    transforms: dict[TransformChange, None] = {}
    unknown = stuck = 0
    for record in records:
        before = kept.get(record.ref.batch) if facts else facts
        unknown += before is None
        changes = _transform_changes(before, facts) if before else ()
        if record.gate_version == gate.version and not changes:
            continue
        transforms |= dict.fromkeys(changes)
        if published.inputs(table, record.ref.batch) is None:
            stuck += 1
        else:
            differing.append(record)
    judged_by = {record.gate_version for record in records}
    return _Differing(
        table=table,
        gates=tuple(_gate_changes(table, gate.declaration, used, judged_by)),
        transforms=tuple(transforms),
        records=tuple(differing),
        stuck=stuck,
        unknown=unknown,
        refused=refused_types(table, installation=installation) if differing else (),
    )


def refused_types(table: Table, *, installation: Installation) -> tuple[OtherType, ...]:
    """The columns that a table has of a type which cannot become the one in the code.

    Raises:
        GateBuildError: Its schema cannot become a gate.
        LakehouseError: The table's metadata cannot be read.
    """
    columns = gate_of(table, default_engine=installation.engine_name).spec.columns
    typed = pa.schema([(one.name, one.type) for one in columns if one.type is not None and not one.pattern])
    stores = dict.fromkeys((store_of(table), table.id))
    return tuple(dict.fromkeys(one for store in stores for one in installation.lakehouse.refused_types(store, typed)))


def _gate_changes(
    table: Table, after: GateDeclaration, used: Sequence[GateRecord], judged_by: set[str | None]
) -> Iterable[GateChanges]:
    """How a gate differs from each that judged batches, the newest first; also where only its words differ."""
    for known in reversed(used):
        if known.version not in judged_by:
            continue
        changes = differences(GateDeclaration.from_json(known.declaration), after)
        if changes or known.version != after.version:
            yield GateChanges(table=table.id, before=known.version, after=after.version, changes=changes)


def _transform_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[TransformChange, ...]:
    return tuple(
        TransformChange(what=name, before=_text(before.get(name)), after=_text(value))
        for name, value in after.items()
        if before.get(name) != value
    )


def _text(value: Any) -> str:
    return str(value) if value not in (None, [], {}) else "none"


def _table_plan(one: _Differing, given: "_Given") -> TablePlan:
    return TablePlan(
        table=one.table.id,
        gates=one.gates,
        transforms=one.transforms,
        batches=tuple(given.batch(one.table, record.ref) for record in one.records),
        stuck=one.stuck,
        unknown=one.unknown,
        refused=one.refused,
    )


def _decided(tables: Mapping[TableId, Table], installation: Installation) -> frozenset[BatchRef]:
    return frozenset(installation.ledger.decided_batches(list(tables)))


@dataclass(frozen=True, slots=True)
class _Given:
    """Tells what batches would be made of, but for those of a plan."""

    planned: frozenset[BatchRef]
    published: Published
    installation: Installation
    run: Run
    decided: frozenset[BatchRef]

    def batch(self, table: Table, ref: BatchRef) -> PlannedBatch:
        record = self.published.records(table.id).get(ref.batch)
        return PlannedBatch(
            ref=ref,
            state=record.state if record else None,
            counts=record.counts if record else Counts(),
            attempt=record.attempt if record else None,
            given=fingerprint([self._inputs(table, ref.batch), self._decisions(table, ref)]),
        )

    def _inputs(self, table: Table, batch: str) -> list[tuple[str, str, int | None]]:
        found: list[tuple[str, str, int | None]] = []
        if isinstance(table, GatedTable):
            raw = self.published.records(table.id.raw).get(batch)
            found.append((str(table.id.raw), batch, raw.snapshots.raw if raw else None))
        references = [one for one in table.references.values() if not isinstance(one.mapping, AllBatches)]
        for read in (*table.reads.values(), *references):
            found += [
                (str(read.table.id), key, self.published.snapshot(read.table, key))
                for key in self.published.read(read, table, batch)
                if BatchRef(read.table.id, key) not in self.planned
            ]
        return sorted(found)

    def _decisions(self, table: Table, ref: BatchRef) -> list[int]:
        if ref not in self.decided:
            return []
        held = decisions_in_force(table, batch=ref.batch, installation=self.installation, run=self.run)
        return [decision.id for decision in held]
