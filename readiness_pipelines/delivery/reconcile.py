"""Proof that every row is accounted for: from the tables themselves, held against what the ledger says."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.ingest import ingest
from readiness_pipelines.delivery.names import Gated, batch_ref, published_table, quarantine_table, raw_table
from readiness_pipelines.delivery.replay import replay_batch
from readiness_pipelines.errors import BatchNotLandedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.ledger import BatchRecord, BatchRef, BatchState

KEEPS_OLDER = frozenset({BatchState.HELD, BatchState.EMPTY})
"""States in which a table may show what the batch published before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that does not add up: of which batch, what, and what to do about it."""

    ref: BatchRef
    what: str
    way_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What was looked at, and what does not add up.

    Attributes:
        batches: Batches of tables that were looked at.
        rows: Rows that were looked at.
        problems: What does not add up; empty where everything does.
    """

    batches: int
    rows: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the rows of a batch are, as the tables have them."""

    raw: int = 0
    published: int = 0
    quarantined: int = 0
    discarded: int = 0
    twice: int = 0
    both: int = 0
    nowhere: int = 0
    strange: int = 0


def reconcile(path: DataPath, *, installation: Installation) -> Reconciliation:
    """Hold the tables of a path against its ledger, batch by batch.

    Raises:
        LakehouseError: A table cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    problems: list[Problem] = []
    batches = rows = 0
    for table in path.tables:
        name = str(published_table(path, table))
        records = {r.ref.batch: r for r in installation.ledger.batches(path=path.name, table=name)}
        places = _places(path, table, installation)
        ended = installation.ledger.recorded_attempts(path=path.name, table=name)
        last = {
            place: installation.lakehouse.last_attempts(there)
            for place, there in _tables(path, table).items()
            if place != "raw" and installation.lakehouse.exists(there)
        }
        for batch in sorted({*records, *places}):
            found = places.get(batch, _Places())
            batches += 1
            rows += found.published + found.quarantined + found.discarded
            ref = batch_ref(path, published_table(path, table), batch)
            problems += _problems(table, ref, records.get(batch), found)
            problems += [
                _problem(ref, f"a delivery that never ended changed what the tables have as {place}")
                for place, attempts in last.items()
                if attempts.get(batch, "") not in {"", *ended.get(batch, ())}
            ]
    for attempt in installation.ledger.open_attempts():
        if attempt.ref.path == path.name:
            began = f"{attempt.begun_at:%Y-%m-%d %H:%M} by {attempt.who}"
            problems.append(_problem(attempt.ref, f"a delivery began {began} and did not end: under way, or cut off"))
    return Reconciliation(batches=batches, rows=rows, problems=tuple(problems))


def repair(path: DataPath, found: Reconciliation, *, installation: Installation, run: Run) -> tuple[str, ...]:
    """Deliver every batch that does not add up again, which finishes or undoes what a crash left.

    Returns:
        The batches that were brought to their end.

    Raises:
        ReadinessError: A batch cannot be delivered.
    """
    batches = tuple(dict.fromkeys(problem.ref.batch for problem in found.problems))
    for batch in batches:
        for table in path.tables:
            if isinstance(table, GatedTable):
                # Files that are gone from the landing folder leave what was ingested of them.
                with suppress(BatchNotLandedError):
                    ingest(path, table, batch=batch, installation=installation, run=run)
        replay_batch(path, batch=batch, installation=installation, run=run)
    return batches


def _tables(path: DataPath, table: Gated) -> Mapping[str, TableId]:
    tables = {"published": published_table(path, table), "quarantined": quarantine_table(table)}
    return {**tables, "raw": raw_table(table)} if isinstance(table, GatedTable) else tables


def _places(path: DataPath, table: Gated, installation: Installation) -> Mapping[str, _Places]:
    """Where the rows of each batch are, in one pass over the tables' ``_row``."""
    there = {place: name for place, name in _tables(path, table).items() if installation.lakehouse.exists(name)}
    if not there:
        return {}
    with installation.engine() as engine:
        rows = " UNION ALL ".join(_tagged(engine, installation, place, name) for place, name in there.items())
        per_row = (
            f"SELECT _batch, _row, sum(raw) AS raw, sum(published) AS published, sum(quarantined) AS quarantined, "
            f"sum(discarded) AS discarded FROM ({rows}) GROUP BY _batch, _row"
        )
        known = "raw = 0" if "raw" in there else "false"
        found = engine.sql(
            f"""
            SELECT _batch, sum(raw), sum(published), sum(quarantined), sum(discarded),
                count(*) FILTER (published > 1 OR quarantined + discarded > 1 OR raw > 1),
                count(*) FILTER (published > 0 AND quarantined + discarded > 0),
                count(*) FILTER (raw > 0 AND published + quarantined + discarded = 0),
                count(*) FILTER ({known})
            FROM ({per_row}) GROUP BY _batch
            """
        ).fetchall()
    return {batch: _Places(*map(int, counts)) for batch, *counts in found}


def _tagged(engine: duckdb.DuckDBPyConnection, installation: Installation, place: str, name: TableId) -> str:
    view = f"place_{place}"
    relation = installation.lakehouse.relation(engine, name)
    relation.create_view(view)
    discarded = "coalesce(_discarded, false)" if "_discarded" in relation.columns else "false"
    tags = {
        "raw": "1, 0, 0, 0",
        "published": "0, 1, 0, 0",
        "quarantined": f"0, 0, (NOT {discarded})::INT, {discarded}::INT",
    }
    columns = "raw, published, quarantined, discarded"
    return f"SELECT * FROM (SELECT _batch, _row, {tags[place]} FROM {view}) t(_batch, _row, {columns})"


def _problems(table: Gated, ref: BatchRef, record: BatchRecord | None, found: _Places) -> Iterator[Problem]:
    if record is None:
        if found.published or found.quarantined or found.discarded:
            yield _problem(ref, "the tables have rows of it that the ledger does not know")
        return
    counts = record.counts
    if found.twice:
        yield _problem(ref, f"{found.twice:,} rows are there twice")
    if found.both and record.state not in KEEPS_OLDER:
        yield _problem(ref, f"{found.both:,} rows are published and in quarantine")
    if isinstance(table, GatedTable):
        if found.nowhere:
            yield _problem(ref, f"{found.nowhere:,} ingested rows are neither published nor in quarantine")
        if found.strange and record.state not in KEEPS_OLDER:
            yield _problem(ref, f"{found.strange:,} rows are there that were never ingested")
        if found.raw != counts.ingested:
            yield _problem(ref, f"raw has {found.raw:,} rows, the verdict speaks of {counts.ingested:,}")
    told = {"quarantined": counts.quarantined, "discarded": counts.discarded}
    if record.state not in KEEPS_OLDER:
        told["published"] = counts.published
    for place, rows in told.items():
        seen = getattr(found, place)
        if seen != rows:
            yield _problem(ref, f"the tables have {seen:,} {place} rows, the ledger {rows:,}")
    if not counts.accounted:
        yield _problem(ref, f"{counts.ingested:,} ingested rows are not all accounted for in the ledger")


def _problem(ref: BatchRef, what: str) -> Problem:
    return Problem(ref=ref, what=what, way_out=f"readiness reconcile {ref.path} --repair")
