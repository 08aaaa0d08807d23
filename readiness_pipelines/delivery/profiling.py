"""What a batch looks like, and whether that is like the batches before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.columns import PUBLISHED_COLUMNS
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.delivery.baseline import Baseline
from readiness_pipelines.delivery.commit import commit_rows
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Lakehouse, Staged
from readiness_pipelines.ledger import BatchFinding, FindingKind
from readiness_pipelines.observability import (
    BatchProfile,
    Comparison,
    Exact,
    Measured,
    compare,
    profile_of,
)
from readiness_pipelines.sql import identifier

SAMPLED_ROWS = 100_000
"""A larger batch is profiled by so many of its rows: a quantile of them is off by less than half a percent."""

PROFILE_SCHEMA = pa.schema(
    [
        ("column", pa.string()),
        ("kind", pa.string()),
        ("rows", pa.int64()),
        ("nulls", pa.int64()),
        ("distinct", pa.int64()),
        ("minimum", pa.float64()),
        ("maximum", pa.float64()),
        ("mean", pa.float64()),
        ("deviation", pa.float64()),
        ("quantiles", pa.list_(pa.float64())),
        ("top", pa.list_(pa.struct([("value", pa.string()), ("rows", pa.int64())]))),
        ("_batch", pa.string()),
        ("_row", pa.int64()),
        ("_file", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """A batch's profile, and how it compares with those before it."""

    profile: BatchProfile
    comparison: Comparison

    @property
    def findings(self) -> Mapping[FindingKind, Sequence[BatchFinding]]:
        """What is unlike the batches before, for the ledger."""
        found: dict[FindingKind, list[BatchFinding]] = {FindingKind.VOLUME: [], FindingKind.DISTRIBUTION: []}
        for moved in self.comparison.moved:
            kind = FindingKind.VOLUME if moved.measured is Measured.ROWS else FindingKind.DISTRIBUTION
            details = {
                "p": moved.p,
                "distances": dict(moved.distances),
                "histogram": [asdict(bar) for bar in moved.histogram],
            }
            found[kind].append(
                BatchFinding(
                    kind=kind,
                    measured=moved.measured.value,
                    column=moved.column,
                    promised=moved.promised,
                    seen=moved.seen,
                    details=details,
                )
            )
        return found


def profiled(
    table: Table,
    staged: Staged,
    baseline: Baseline,
    *,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> Profiled:
    """Profile the staged rows of a batch, and hold them against the batches before it. Nothing is written.

    The files' footers say what they count; the rest is read from at most `SAMPLED_ROWS` rows, of the same rows the
    same ones.
    """
    profile = profile_of_staged(staged, installation.lakehouse, engine)
    day = table.batches.season(staged.batch)
    comparison = compare(profile, baseline.batches, weekday=day, restarts=baseline.restarts)
    return Profiled(profile=profile, comparison=comparison)


def keep_profile(
    ref: BatchRef,
    profile: BatchProfile,
    *,
    attempt: OpenAttempt,
    installation: Installation,
    run: Run,
    engine: duckdb.DuckDBPyConnection,
) -> None:
    """Put a batch's profile in place of the one it had.

    Raises:
        CommitConflictError: Another delivery of the batch has begun.
        LakehouseError: The table cannot be written.
    """
    rows = pa.Table.from_pylist([*_rows(profile)], schema=PROFILE_SCHEMA)
    store = ref.table.profiles
    installation.lakehouse.ensure(store, PROFILE_SCHEMA)
    staged = installation.lakehouse.stage(store, engine.from_arrow(rows), batch=profile.batch, schema=PROFILE_SCHEMA)
    commit_rows(store, staged, ref, attempt=attempt, installation=installation, run=run)


def profile_of_staged(staged: Staged, lakehouse: Lakehouse, engine: duckdb.DuckDBPyConnection) -> BatchProfile:
    """The profile of a batch's staged rows."""
    if not staged.files:
        return BatchProfile(batch=staged.batch, rows=0, columns={})
    names = ", ".join(identifier(name) for name in staged.schema.names if name not in PUBLISHED_COLUMNS)
    rows = engine.read_parquet(list(staged.files))
    turn = -(-staged.rows // SAMPLED_ROWS)
    sample = (rows if turn == 1 else rows.filter(f"hash(_row) % {turn} = 0")).project(names).to_arrow_table()
    exact = {} if turn == 1 else lakehouse.footers(staged)
    counted = {name: Exact(nulls=one.nulls, minimum=one.minimum, maximum=one.maximum) for name, one in exact.items()}
    return profile_of(staged.batch, sample, rows=staged.rows, exact=counted)


def _rows(profile: BatchProfile) -> Iterator[dict[str, Any]]:
    """One row per column; one without a column where there is none, so that the batch is known."""
    framework = {"rows": profile.rows, "_batch": profile.batch, "_file": None}
    if not profile.columns:
        yield {**framework, "_row": 0}
    for number, (name, column) in enumerate(profile.columns.items()):
        top = [{"value": value, "rows": rows} for value, rows in column.top.items()]
        yield {**asdict(column), **framework, "column": name, "top": top, "_row": number}
