"""What a batch looks like, and whether that is like the batches before it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.columns import PUBLISHED_COLUMNS
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.delivery.baseline import Baseline
from readiness_pipelines.delivery.commit import commit_rows
from readiness_pipelines.errors import CommitConflictError, first_line
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

PROFILED = "the published rows profiled, and compared with the batches before"

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
    """A batch's profile, and how it compares with those before it.

    Attributes:
        profile: The profile; ``None`` where none could be made.
        comparison: How it compares; ``None`` where that could not be said.
        failures: What could not be done, a line each. Watching stops no delivery: this is a finding of its own.
    """

    profile: BatchProfile | None
    comparison: Comparison | None
    failures: tuple[str, ...] = ()

    @property
    def findings(self) -> Mapping[FindingKind, Sequence[BatchFinding]]:
        """What is unlike the batches before, for the ledger."""
        found: dict[FindingKind, list[BatchFinding]] = {FindingKind.VOLUME: [], FindingKind.DISTRIBUTION: []}
        found[FindingKind.PROFILE] = [
            BatchFinding(kind=FindingKind.PROFILE, measured="profile", column=None, promised=PROFILED, seen=failure)
            for failure in self.failures[:1]
        ]
        for moved in self.comparison.moved if self.comparison else ():
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
    baseline: Callable[[], Baseline],
    *,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> Profiled:
    """Profile the staged rows of a batch, and hold them against the batches before it. Nothing is written.

    The files' footers say what they count; the rest is read from at most `SAMPLED_ROWS` rows, of the same rows the
    same ones. Whatever goes wrong is in the result: what only watches stops no delivery.
    """
    profile, comparison = None, None
    try:
        profile = profile_of_staged(staged, installation.lakehouse, engine)
        before = baseline()
        day = table.batches.season(staged.batch)
        comparison = compare(profile, before.batches, weekday=day, restarts=before.restarts)
    except Exception as error:  # law 7: nothing that only watches can stop a delivery
        what = "not profiled" if profile is None else "not compared"
        return Profiled(profile=profile, comparison=None, failures=(f"{what}: {first_line(error)}",))
    return Profiled(profile=profile, comparison=comparison)


def keep_profile(
    ref: BatchRef,
    found: Profiled,
    *,
    attempt: OpenAttempt,
    installation: Installation,
    run: Run,
    engine: duckdb.DuckDBPyConnection,
) -> Profiled:
    """Put a batch's profile in place of the one it had, and say what came of it.

    Raises:
        CommitConflictError: Another delivery of the batch has begun.
    """
    if found.profile is None:
        return found
    store = ref.table.profiles
    try:
        rows = pa.Table.from_pylist([*_rows(found.profile)], schema=PROFILE_SCHEMA)
        installation.lakehouse.ensure(store, PROFILE_SCHEMA)
        staged = installation.lakehouse.stage(store, engine.from_arrow(rows), batch=ref.batch, schema=PROFILE_SCHEMA)
        commit_rows(store, staged, ref, attempt=attempt, installation=installation, engine=engine, run=run)
    except CommitConflictError:
        raise
    except Exception as error:  # as above; the rows are published
        return replace(found, failures=(*found.failures, f"its profile was not kept: {first_line(error)}"))
    return found


def forget_profile(
    ref: BatchRef, *, attempt: OpenAttempt, installation: Installation, run: Run, engine: duckdb.DuckDBPyConnection
) -> None:
    """Take away the profile that a delivery left which never ended, where this one publishes nothing.

    Raises:
        CommitConflictError: Another delivery of the batch has begun.
        LakehouseError: The table cannot be written.
    """
    none = engine.from_arrow(PROFILE_SCHEMA.empty_table())
    staged = installation.lakehouse.stage(ref.table.profiles, none, batch=ref.batch, schema=PROFILE_SCHEMA)
    commit_rows(ref.table.profiles, staged, ref, attempt=attempt, installation=installation, engine=engine, run=run)


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
