"""What a batch looks like, and whether that is like the batches before it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import duckdb

from readiness_pipelines.columns import PUBLISHED_COLUMNS
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.baseline import Baseline
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import Lakehouse, Staged
from readiness_pipelines.ledger import BatchFinding, FindingKind
from readiness_pipelines.masking import quoted
from readiness_pipelines.observability import (
    BatchProfile,
    Comparison,
    Exact,
    Measured,
    compare,
    profile_of,
    redact_profile,
)
from readiness_pipelines.sql import identifier

SAMPLED_ROWS = 100_000
"""A larger batch is profiled by so many of its rows: a quantile of them is off by less than half a percent."""

PROFILED = "the published rows profiled, and compared with the batches before"


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
    def kept(self) -> str | None:
        """The profile as the ledger keeps it."""
        return self.profile.to_json() if self.profile else None

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
        whole = profile_of_staged(staged, installation.lakehouse, engine)
        profile = redact_profile(whole, classes_of(table))
        before = baseline()
        day = table.batches.season(staged.batch)
        comparison = compare(profile, before.batches, weekday=day, restarts=before.restarts)
    except Exception as error:  # law 7: nothing that only watches can stop a delivery
        what = "not profiled" if profile is None else "not compared"
        return Profiled(profile=profile, comparison=None, failures=(f"{what}: {quoted(error)}",))
    return Profiled(profile=profile, comparison=comparison)


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
