"""A batch judged as a delivery judges it, and nothing committed: what a delivery begins with, and what a dry run is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.baseline import Baseline
from readiness_pipelines.delivery.decided import corrected, decided
from readiness_pipelines.delivery.gates import compared_rows, gate_of
from readiness_pipelines.delivery.installation import Installation
from readiness_pipelines.delivery.names import Gated, batch_ref, published_table
from readiness_pipelines.delivery.reading import Input, published_rows, raw_rows, with_row_identity
from readiness_pipelines.delivery.runs import Run
from readiness_pipelines.gates import DuckDbEngine, Gate, Verdict
from readiness_pipelines.quarantine import Decision, in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A batch with its verdict.

    Attributes:
        gate: The gate that judged it.
        given: The rows it was made of, before corrections, with their snapshots.
        decisions: The decisions that were in force.
        verdict: The verdict; its rows live as long as the engine.
        engine: Where they live.
        baseline: The batches before it; ``None`` where the gate did not ask for them.
    """

    gate: Gate
    given: Input
    decisions: tuple[Decision, ...]
    verdict: Verdict
    engine: duckdb.DuckDBPyConnection
    baseline: Baseline | None


@contextmanager
def judged(path: DataPath, table: Gated, *, batch: str, installation: Installation, run: Run) -> Iterator[Judged]:
    """Judge a batch of a table, by the gate in the code and the decisions in force.

    Raises:
        UpstreamNotPublishedError: Nothing was ingested, or an input or referenced table has nothing published.
        GateBuildError: The schema cannot become a gate, or a check raised.
        DeclarationError: A correction cannot be applied.
        LakehouseError: A table cannot be read.
    """
    gate = gate_of(path, table)
    ref = batch_ref(path, published_table(path, table), batch)
    decisions = in_force(installation.ledger.decisions(ref), at=run.clock())
    with installation.engine() as engine:
        given = judged_rows(path, table, batch=batch, installation=installation, engine=engine)
        compared = compared_rows(path, table, gate, batch=batch, installation=installation, engine=engine)
        rows = corrected(given.rows, decisions, engine)
        verdict = gate.judge(rows, DuckDbEngine(engine), others=compared.rows, decided=decided(decisions))
        given = Input(rows=given.rows, snapshots={**given.snapshots, **compared.snapshots})
        yield Judged(
            gate=gate,
            given=given,
            decisions=decisions,
            verdict=verdict,
            engine=engine,
            baseline=compared.baseline,
        )


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
