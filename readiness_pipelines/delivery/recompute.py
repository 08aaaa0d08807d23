"""Batches judged again from raw rows and decisions, and held against what their last verdict made of them.

Checksums and digests prove that the tables hold what was committed. This proves that what was committed is what the
gate, the transform and the decisions make of the rows: the same state, the same counts, and the same rows.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef, Counts
from readiness_pipelines.contracts import Table
from readiness_pipelines.decisions import decisions_about
from readiness_pipelines.delivery.deliver import counts_of, outcome_text
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.judging import JudgedBatch, judged_batch
from readiness_pipelines.delivery.on_spark import stage_from_spark
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.problems import Level, Problem, Step, problem_of, unwatched
from readiness_pipelines.delivery.published import Inputs, Published, refs_of, without_moving
from readiness_pipelines.delivery.row_differences import different_rows
from readiness_pipelines.delivery.transform_facts import transform_facts
from readiness_pipelines.delivery.waiting_rows import waiting_rows
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.gates import Rows
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.ledger import ALL_BATCHES, BatchRecord
from readiness_pipelines.names import TableId

OTHER_GATE = "judged by another version of the gate"
OTHER_TRANSFORM = "computed by another transform than the code's"
OTHER_INPUTS = "what it is made of has changed since, or is not there"
OTHER_NEIGHBOURS = "the batches or profiles it is compared with have changed since"
DAMAGED = "it, or what it is made of, is named above"
UNKNOWN_DECISIONS = "recorded by an earlier version, which kept no list of decisions"


@dataclass(slots=True, kw_only=True)
class Recomputed:
    """What judging again showed.

    Attributes:
        batches: Batches that were judged again.
        problems: Batches that came out otherwise.
        skipped: Batches that cannot be held against their last verdict, by the reason.
    """

    batches: int = 0
    problems: list[Problem] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: "Recomputed") -> "Recomputed":
        self.batches += other.batches
        self.problems += other.problems
        self.skipped += other.skipped
        return self


def recompute(
    table: Table,
    records: Collection[BatchRecord],
    *,
    damaged: Collection[BatchRef],
    installation: Installation,
    step: Step = unwatched,
) -> Recomputed:
    """Judge batches of a table again, with the decisions that their last verdicts applied. Nothing is published.

    Args:
        table: The table.
        records: The batches, as the ledger has them.
        damaged: Batches that are known to be wrong, `ALL_BATCHES` for all of a table; neither they nor what is made of
            them is judged again.
        installation: Where the tables and the ledger are.
        step: Called after each batch.

    Raises:
        GateBuildError: The table's gate cannot be built.
        LedgerError: The ledger cannot be reached.
    """
    seen = Recomputed()
    details = {entry.ref.batch: entry.details for entry in installation.ledger.last_verdicts(tables=[table.id])}
    look = _Look(table, damaged, Published(installation.ledger), installation)
    for number, record in enumerate(records, 1):
        if not record.state.judged:
            continue
        outcome = look.outcome(record, details.get(record.ref.batch, {}))
        if isinstance(outcome, _Skipped):
            seen.skipped[outcome.why] += 1
        else:
            seen.batches += 1
            seen.problems += [problem_of(table.id.domain, record.ref, what, Level.RECOMPUTE) for what in outcome]
        step(f"{table.id}: judging again", number, len(records))
    return seen


@dataclass(frozen=True, slots=True)
class _Skipped:
    why: str


@dataclass(frozen=True, slots=True)
class _Look:
    table: Table
    damaged: Collection[BatchRef]
    published: Published
    installation: Installation

    def outcome(self, record: BatchRecord, details: Mapping[str, Any]) -> tuple[str, ...] | _Skipped:
        """What differs, if anything; or why that cannot be said.

        Args:
            record: The batch.
            details: What the trail says of its last verdict.
        """
        table, batch, ledger = self.table, record.ref.batch, self.installation.ledger
        if record.gate_version != gate_of(table, default_engine=self.installation.engine_name).version:
            return _Skipped(OTHER_GATE)
        if details.get("transform", transform_facts(table)) != transform_facts(table):
            return _Skipped(OTHER_TRANSFORM)
        if self.published.inputs(table, batch) != without_moving(record.inputs):
            return _Skipped(OTHER_INPUTS)
        if any(self._is_damaged(ref) for ref in (record.ref, *refs_of(record.inputs))):
            return _Skipped(DAMAGED)
        if "decisions" not in details:
            return _Skipped(UNKNOWN_DECISIONS)
        numbers = tuple(details["decisions"])
        decisions = tuple(one for one in decisions_about(ledger, record.ref) if one.id in numbers)
        if len(decisions) != len(numbers):
            return ("its last verdict applied a decision that the ledger does not have",)
        try:
            with judged_batch(table, batch=batch, decisions=decisions, installation=self.installation) as judged:
                differences = tuple(_Again(table, record, judged, self.installation).differences())
                compared = _moving(judged.given.inputs) != _moving(record.inputs)
        except ReadinessError as error:
            return (f"it cannot be judged again: {error.what}",)
        accepted = any(shape.at > record.updated_at for shape in ledger.shapes(table.id))
        return _Skipped(OTHER_NEIGHBOURS) if differences and (compared or accepted) else differences

    def _is_damaged(self, ref: BatchRef) -> bool:
        return ref in self.damaged or BatchRef(ref.table, ALL_BATCHES) in self.damaged


def _moving(inputs: Inputs) -> Inputs:
    """Inputs that change with every delivery of another batch."""
    fixed = without_moving(inputs)
    return {table: batches for table, batches in inputs.items() if batches != fixed.get(table)}


@dataclass(frozen=True, slots=True)
class _Again:
    """A batch that was judged again."""

    table: Table
    record: BatchRecord
    judged: JudgedBatch
    installation: Installation

    def differences(self) -> Iterator[str]:
        verdict, record = self.judged.verdict, self.record
        (state, _), counts = outcome_text(verdict), counts_of(verdict, erased=self.judged.given.erased)
        if state is not record.state:
            yield f"judged again it is {state.replace('_', ' ')}, and the ledger says {record.state.replace('_', ' ')}"
        elif counts != record.counts:
            yield f"judged again it has {_text(counts)}, and the ledger says {_text(record.counts)}"
        else:
            if state.visible:
                yield from self._place("published", store_of(self.table), verdict.published, verdict.schema)
            if counts.quarantined or counts.discarded:
                store = self.table.id.quarantine
                known = self.installation.lakehouse.schema(store)
                rows, schema = waiting_rows(verdict, self.judged.judge, known, name="again", at=utc_now())
                yield from self._place("waiting", store, rows, schema)

    def _place(self, what: str, store: TableId, rows: Rows, schema: pa.Schema) -> Iterator[str]:
        there = self.installation.lakehouse.relation(self.judged.engine, store, batch=self.record.ref.batch)
        with self._as_relation(store, rows, schema) as made:
            if difference := different_rows(made, there):
                yield f"judged again its {what} rows are others: {difference}"

    @contextmanager
    def _as_relation(self, store: TableId, rows: Rows, schema: pa.Schema) -> Iterator[duckdb.DuckDBPyRelation]:
        """A verdict's rows in DuckDB; Spark's by way of files that no snapshot names."""
        if isinstance(rows, duckdb.DuckDBPyRelation):
            yield rows
            return
        engine, lakehouse = cast("Any", self.judged.judge), self.installation.lakehouse
        staged = stage_from_spark(
            store, rows, batch=self.record.ref.batch, schema=schema, engine=engine, installation=self.installation
        )
        try:
            yield self.judged.engine.read_parquet(list(staged.files))
        finally:
            lakehouse.forget(staged)


def _text(counts: Counts) -> str:
    return f"{counts.published:,} published, {counts.quarantined:,} waiting and {counts.discarded:,} discarded rows"
