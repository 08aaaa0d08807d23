"""A batch judged as a delivery judges it, and nothing committed: what a delivery begins with, and what a dry run is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.baseline import Baseline
from readiness_pipelines.delivery.decided import corrected, decided
from readiness_pipelines.delivery.gates import Compared, compared_rows, engine_of, gate_of
from readiness_pipelines.delivery.names import Gated, batch_ref, published_table
from readiness_pipelines.delivery.on_spark import compared_on_spark, decided_on_spark, rows_on_spark, spark_engine
from readiness_pipelines.delivery.reading import Input, published_rows, raw_rows, with_row_identity
from readiness_pipelines.gates import DuckDbEngine, Engine, Gate, Verdict
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import CellCorrection, Correction, Decision, in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A batch with its verdict.

    Attributes:
        gate: The gate that judged it.
        given: The rows it was made of, before corrections, with their snapshots.
        decisions: The decisions that were in force.
        verdict: The verdict; its rows live as long as the engine.
        judge: Where they live.
        engine: DuckDB, for all else.
        baseline: The batches before it; ``None`` where the gate did not ask for them.
    """

    gate: Gate
    given: Input
    decisions: tuple[Decision, ...]
    verdict: Verdict
    judge: Engine
    engine: duckdb.DuckDBPyConnection
    baseline: Baseline | None


@contextmanager
def judged(path: DataPath, table: Gated, *, batch: str, installation: Installation, run: Run) -> Iterator[Judged]:
    """Judge a batch of a table, by the gate in the code and the decisions in force.

    Raises:
        UpstreamNotPublishedError: Nothing was ingested, or an input or referenced table has nothing published.
        GateBuildError: The schema cannot become a gate, or a check raised.
        DeclarationError: A correction cannot be applied.
        EngineError: The engine that should judge cannot be had, or broke.
        LakehouseError: A table cannot be read.
    """
    gate = gate_of(path, table, default_engine=installation.engine_name)
    ref = batch_ref(path, published_table(path, table), batch)
    decisions = in_force(installation.ledger.decisions(ref), at=run.clock())
    with installation.engine() as engine:
        given = judged_rows(path, table, batch=batch, installation=installation, engine=engine)
        compared = compared_rows(path, table, gate, batch=batch, installation=installation, engine=engine)
        rows = corrected(given.rows, decisions, engine)
        found = _Found(path, table, batch, gate, given, rows, compared, decisions, engine)
        on_spark = engine_of(path, table, installation.engine_name) == "spark"
        with _by_spark(found, installation) if on_spark else _by_duckdb(found) as (judge, verdict):
            yield Judged(
                gate=gate,
                given=Input(rows=given.rows, snapshots={**given.snapshots, **compared.snapshots}),
                decisions=decisions,
                verdict=verdict,
                judge=judge,
                engine=engine,
                baseline=compared.baseline,
            )


@dataclass(frozen=True, slots=True)
class _Found:
    """What a verdict is made of, as DuckDB has it."""

    path: DataPath
    table: Gated
    batch: str
    gate: Gate
    given: Input
    rows: duckdb.DuckDBPyRelation
    compared: Compared
    decisions: tuple[Decision, ...]
    connection: duckdb.DuckDBPyConnection


@contextmanager
def _by_duckdb(found: _Found) -> Iterator[tuple[Engine, Verdict]]:
    engine = DuckDbEngine(found.connection)
    yield engine, found.gate.judge(found.rows, engine, others=found.compared.rows, decided=decided(found.decisions))


@contextmanager
def _by_spark(found: _Found, installation: Installation) -> Iterator[tuple[Engine, Verdict]]:
    table = found.table
    assert isinstance(table, GatedTable)  # noqa: S101  # engine_of says so
    changed = any(isinstance(decision.what, Correction | CellCorrection) for decision in found.decisions)
    with (
        spark_engine(installation) as engine,
        rows_on_spark(
            table,
            batch=found.batch,
            snapshot_id=next(iter(found.given.snapshots.values())),
            corrected=found.rows if changed else None,
            engine=engine,
            installation=installation,
        ) as rows,
    ):
        others = compared_on_spark(
            found.path,
            table,
            found.gate,
            found.compared.rows,
            batch=found.batch,
            snapshots=found.compared.snapshots,
            engine=engine,
            installation=installation,
        )
        asked = decided_on_spark(decided(found.decisions), found.rows, engine)
        yield engine, found.gate.judge(rows, engine, others=others, decided=asked)


def judged_rows(
    path: DataPath,
    table: Gated,
    *,
    batch: str,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> Input:
    """The rows that a table's gate judges, before corrections: raw ones, or what a transform makes of published ones.

    Raises:
        UpstreamNotPublishedError: Nothing was ingested, or an input has nothing published for the batch.
    """
    if isinstance(table, GatedTable):
        return raw_rows(path, table, batch=batch, installation=installation, engine=engine)
    made = published_rows(path, table, batch=batch, installation=installation, engine=engine)
    return Input(rows=with_row_identity(made.rows, batch=batch, engine=engine), snapshots=made.snapshots)
