"""A batch judged as a delivery judges it, and nothing committed: what a delivery begins with, and what a dry run is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import duckdb

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.decisions import (
    CellCorrection,
    Correction,
    Decision,
    check_conditions,
    check_deliveries,
    corrected,
    decisions_about,
    gate_decisions,
    in_force,
    names_deliveries,
)
from readiness_pipelines.delivery.baseline import Baseline
from readiness_pipelines.delivery.classes import classes_of, handling_rows, refuse_unreviewed
from readiness_pipelines.delivery.compared import Compared, compared_rows, merged
from readiness_pipelines.delivery.gates import engine_of, gate_of
from readiness_pipelines.delivery.on_spark import compared_on_spark, decisions_on_spark, rows_on_spark, spark_engine
from readiness_pipelines.delivery.raw_delivery import numbered_delivery
from readiness_pipelines.delivery.reading import Given, judged_rows
from readiness_pipelines.delivery.rolling import held_where_over
from readiness_pipelines.delivery.shapes import shape_in_force
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.gates import DuckDbEngine, Engine, Gate, Verdict
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.keys import Keys
from readiness_pipelines.masking import Classes, redact_samples


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBatch:
    """A batch with its verdict.

    Attributes:
        gate: The gate that judged it.
        given: The rows it was made of, before corrections, with their snapshots.
        decisions: The decisions that were applied.
        verdict: The verdict; its rows live as long as the engine.
        judge: Where they live.
        engine: DuckDB, for all else.
        baseline: The batches before it; ``None`` where the gate did not need them.
    """

    gate: Gate
    given: Given
    decisions: tuple[Decision, ...]
    verdict: Verdict
    judge: Engine
    engine: duckdb.DuckDBPyConnection
    baseline: Baseline | None


def decisions_in_force(table: Table, *, batch: str, installation: Installation, run: Run) -> tuple[Decision, ...]:
    """The decisions about a batch that hold now, in the order they were made."""
    return in_force(decisions_about(installation.ledger, BatchRef(table.id, batch)), at=run.clock())


@contextmanager
def judged_batch(
    table: Table,
    *,
    batch: str,
    decisions: tuple[Decision, ...],
    installation: Installation,
    verified: bool = True,
    releasing: Run | None = None,
) -> Iterator[JudgedBatch]:
    """Judge a batch of a table, by the gate in the code and some decisions: those in force, or those of another time.

    Args:
        table: The table.
        batch: The batch.
        decisions: The decisions to apply.
        installation: Where the rows, keys and other tables are.
        verified: Whether the verdict says already what a look at protected rows says; a delivery looks at them where
            they are staged.
        releasing: The delivery that may draw a noisy number where none was released; by default none is drawn.

    Raises:
        UpstreamNotPublishedError: Nothing was ingested, or an input or referenced table has nothing published.
        GateBuildError: The schema cannot become a gate, a check raised, or a class is lowered that nobody reviewed.
        DeclarationError: A decision cannot be applied to the rows as they are now.
        EngineError: The engine that should judge cannot be had, or broke.
        LakehouseError: A table cannot be read.
    """
    gate = gate_of(table, default_engine=installation.engine_name)
    refuse_unreviewed(table)
    with handling_rows(table), installation.engine(f"batch {batch!r} of {table.id}") as engine:
        given = judged_rows(table, batch=batch, installation=installation, engine=engine, releasing=releasing)
        compared = compared_rows(table, gate, batch=batch, installation=installation, engine=engine)
        if names_deliveries(decisions):
            # After the rows were read: what is ingested meanwhile is then refused, and not taken for these.
            check_deliveries(decisions, numbered_delivery(table, batch, installation.ledger))
        rows = corrected(given.rows, decisions, engine)
        check_conditions(rows, decisions)
        accepted = shape_in_force(table, batch=batch, installation=installation)
        task = _Task(table, batch, gate, given, rows, compared, decisions, engine, accepted, installation.keys)
        on_spark = engine_of(table, installation.engine_name) == "spark"
        if on_spark and gate.lateness is not None:
            raise DeclarationError(
                f"{table.id} tells late rows by their watermark, which Spark is not given", way_out="engine='duckdb'"
            )
        with _by_spark(task, installation) if on_spark else _by_duckdb(task) as (judge, sole):
            verdict = held_where_over(
                table,
                sole,
                rows,
                compared.rows,
                gate_decisions(decisions),
                window=batch,
                installation=installation,
                engine=engine,
            )
            yield JudgedBatch(
                gate=gate,
                given=replace(given, inputs=merged(given.inputs, compared.inputs)),
                decisions=decisions,
                verdict=_redacted(verdict.verified() if verified else verdict, classes_of(table)),
                judge=judge,
                engine=engine,
                baseline=compared.baseline,
            )


def _redacted(verdict: Verdict, classes: Classes) -> Verdict:
    """The verdict as it may be shown and stored: its samples without values of classified columns."""
    rules = tuple(replace(count, samples=redact_samples(count.samples, classes)) for count in verdict.rules)
    return replace(verdict, rules=rules)


@dataclass(frozen=True, slots=True)
class _Task:
    """What a verdict is made of, as DuckDB has it."""

    table: Table
    batch: str
    gate: Gate
    given: Given
    rows: duckdb.DuckDBPyRelation
    compared: Compared
    decisions: tuple[Decision, ...]
    connection: duckdb.DuckDBPyConnection
    accepted: Mapping[str, str] | None
    keys: Keys


@contextmanager
def _by_duckdb(task: _Task) -> Iterator[tuple[Engine, Verdict]]:
    engine = DuckDbEngine(task.connection)
    yield (
        engine,
        task.gate.judge(
            task.rows,
            engine,
            others=task.compared.rows,
            decisions=gate_decisions(task.decisions),
            accepted=task.accepted,
            keys=task.keys,
        ),
    )


@contextmanager
def _by_spark(task: _Task, installation: Installation) -> Iterator[tuple[Engine, Verdict]]:
    table = task.table
    assert isinstance(table, GatedTable)  # noqa: S101  # engine_of says so
    changed = task.given.drifted or any(
        isinstance(decision.what, Correction | CellCorrection) for decision in task.decisions
    )
    snapshot_id = task.given.inputs[table.id.raw][task.batch]
    with (
        spark_engine(installation) as engine,
        rows_on_spark(
            table,
            batch=task.batch,
            snapshot_id=snapshot_id,
            corrected=task.rows if changed else None,
            engine=engine,
            installation=installation,
        ) as rows,
    ):
        others = compared_on_spark(
            task.compared.references,
            task.compared.rows,
            own=task.compared.own,
            batch=task.batch,
            engine=engine,
            installation=installation,
        )
        decisions = decisions_on_spark(gate_decisions(task.decisions), task.rows, engine)
        yield (
            engine,
            task.gate.judge(rows, engine, others=others, decisions=decisions, accepted=task.accepted, keys=task.keys),
        )
