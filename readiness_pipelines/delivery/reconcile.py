"""Proof that every row is accounted for: from the tables themselves, held against what the ledger says."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from readiness_pipelines.batches import BatchRef, BatchState, Scope
from readiness_pipelines.commands import erase_command
from readiness_pipelines.contracts import Computed, Domain, FeatureView, GatedTable, Table
from readiness_pipelines.delivery.contents import StoreProof, prove_store, stores_of
from readiness_pipelines.delivery.deliver import deliver
from readiness_pipelines.delivery.erasure.searching import rows_in_stores
from readiness_pipelines.delivery.facts import check_facts
from readiness_pipelines.delivery.ingest import ingest
from readiness_pipelines.delivery.online.keeping import keep_online, stale_batches_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.problems import Level, Problem, Step, problem_of, unwatched
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.delivery.recompute import Recomputed, recompute
from readiness_pipelines.delivery.replay import replay_batch
from readiness_pipelines.delivery.share import ALL, Share
from readiness_pipelines.delivery.versions import newest_version, show_newest_version, shown_version
from readiness_pipelines.delivery.withdraw import WITHDRAWN, outliving, withdraw
from readiness_pipelines.errors import BatchNotLandedError, DamagedTableError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ALL_BATCHES, BatchRecord
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What was looked at, and what does not add up.

    Attributes:
        level: How thoroughly.
        batches: Batches of tables that were looked at.
        rows: Rows that were looked at; 0 where the level does not look at rows.
        unproved: Batches in Iceberg tables that were committed before contents were kept: counted, not proved.
        recomputed: Batches that were judged again; 0 where the level does not ask for it.
        skipped: Batches that could not be held against a new judgement, by the reason.
        problems: What does not add up; empty where everything does.
    """

    level: Level
    batches: int
    rows: int
    unproved: int
    recomputed: int
    skipped: Mapping[str, int]
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


def reconcile(
    domains: Iterable[Domain],
    *,
    installation: Installation,
    level: Level = Level.ROWS,
    share: Share = ALL,
    step: Step = unwatched,
) -> Reconciliation:
    """Hold the tables of some domains against the ledger, batch by batch.

    A data file that cannot be read is a problem like others; what does not need it is looked at nevertheless.

    Args:
        domains: The domains.
        installation: Where the tables and the ledger are.
        level: How thoroughly to look.
        share: The batches that are looked at so; the ledger is held against the catalog for all.
        step: Called as it goes on.

    Raises:
        LakehouseError: The catalog does not answer.
        LedgerError: The ledger cannot be reached.
        RegisterKeyError: There is a register of erased persons, and its key is not there.
    """
    tables = [table for domain in domains for table in domain.tables]
    problems: list[Problem] = []
    batches = rows = unproved = 0
    again = Recomputed()
    for table in tables:
        records = {r.ref.batch: r for r in installation.ledger.batches(tables=[table.id])}
        proofs, lost = _prove_stores(table, level=level, share=share, installation=installation, step=step)
        problems += lost
        problems += check_facts(table, proofs, installation)
        problems += [problem for proof in proofs.values() for problem in proof.problems]
        unproved += sum(proof.unproved for proof in proofs.values())
        places = _places(table, installation, proofs) if level.includes(Level.ROWS) else {}
        unreadable = {batch for proof in proofs.values() for batch in proof.unreadable}
        still_open = {batch for batch, record in records.items() if record.state is BatchState.OPEN}
        problems += _unended(table, {*records, *places} - still_open, proofs, installation)
        chosen = sorted(batch for batch in {*records, *places} if BatchRef(table.id, batch) in share)
        for batch in chosen:
            found = places.get(batch, _Places())
            batches += 1
            rows += found.published + found.quarantined + found.discarded
            if level.includes(Level.ROWS) and batch not in unreadable and not lost:
                problems += _problems(table, BatchRef(table.id, batch), records.get(batch), found)
        if level.includes(Level.ROWS) and not lost:
            problems += _erased_persons(table, installation)
        problems += _version_problems(table, installation)
        if isinstance(table, FeatureView) and table.online:
            for batch in stale_batches_of(table, installation):
                what = "its latest values are not kept as it is published"
                problems.append(_problem(BatchRef(table.id, batch), what, Level.LEDGER))
        if isinstance(table, Computed):
            for batch in outliving(table, Published(installation.ledger)):
                what = f"it is still published, and {WITHDRAWN}"
                problems.append(_problem(BatchRef(table.id, batch), what, Level.LEDGER))
        if level.includes(Level.RECOMPUTE):
            judged = [records[batch] for batch in chosen if batch in records]
            again += recompute(table, judged, damaged=_damaged(problems, tables), installation=installation, step=step)
    problems += again.problems
    ids = {one for table in tables for one in (table.id, table.id.raw)}
    for attempt in installation.ledger.open_attempts():
        if attempt.ref.table in ids:
            began = f"{attempt.begun_at:%Y-%m-%d %H:%M} by {attempt.who}"
            what = f"a delivery began {began} and did not end: under way, or cut off"
            problems.append(_problem(attempt.ref, what, Level.LEDGER))
    return Reconciliation(
        level=level,
        batches=batches,
        rows=rows,
        unproved=unproved,
        recomputed=again.batches,
        skipped=again.skipped,
        problems=tuple(problems),
    )


def _prove_stores(
    table: Table, *, level: Level, share: Share, installation: Installation, step: Step
) -> tuple[Mapping[TableId, StoreProof], Sequence[Problem]]:
    """What was found in each Iceberg table of a table; and those that are not there, or cannot be read at all."""
    proofs: dict[TableId, StoreProof] = {}
    lost: list[Problem] = []
    lakehouse, kept = installation.lakehouse, installation.ledger.contents(stores_of(table))
    with installation.engine() as engine:
        for store in stores_of(table):
            try:
                if lakehouse.exists(store):
                    proofs[store] = prove_store(
                        table, store, level=level, share=share, installation=installation, engine=engine, step=step
                    )
                elif any(one.rows for ref, one in kept.items() if ref.table == store):
                    what = f"the catalog has no table {store}, to which rows were committed"
                    lost.append(_lost(store, what, "restore the catalog from a backup"))
            except DamagedTableError as error:
                lost.append(_lost(store, error.what, error.way_out))
    return proofs, lost


def _lost(store: TableId, what: str, way_out: str) -> Problem:
    ref = BatchRef(store, ALL_BATCHES)
    return Problem(ref=ref, what=what, way_out=way_out, level=Level.LEDGER, damaged=True)


def _unended(
    table: Table, batches: Collection[str], stores: Collection[TableId], installation: Installation
) -> Iterator[Problem]:
    """Batches that a delivery changed which never came to its end."""
    ended = installation.ledger.recorded_attempts(table.id)
    for place, there in _tables(table).items():
        if place == "raw" or there not in stores:
            continue
        for batch, attempt in installation.lakehouse.last_attempts(there).items():
            if batch in batches and attempt not in {"", *ended.get(batch, ())}:
                what = f"a delivery that never ended changed what the tables have as {place}"
                yield _problem(BatchRef(table.id, batch), what, Level.LEDGER)


def _damaged(problems: Iterable[Problem], tables: Sequence[Table]) -> frozenset[BatchRef]:
    """The batches that problems are about, as those of tables and of what lies beside them."""
    return frozenset(ref for one in problems for ref in (one.ref, table_ref(one.ref, tables)))


def _version_problems(table: Table, installation: Installation) -> Iterator[Problem]:
    """A table with versions shows its newest one."""
    if table.batches.scope is not Scope.TABLE:
        return
    newest, shown = newest_version(table, installation), shown_version(table, installation)
    wanted = ("", "") if newest is None else (newest[0], str(newest[1]))
    if shown != wanted and not (newest is None and shown is None):
        ref = BatchRef(table.id, wanted[0] or (shown or ("", ""))[0])
        yield _problem(
            ref,
            f"the table shows the version {(shown or ('none', ''))[0] or 'none'!r} and not the newest",
            Level.LEDGER,
        )


def repair(
    domains: Iterable[Domain], found: Reconciliation, *, installation: Installation, run: Run
) -> tuple[BatchRef, ...]:
    """Deliver every batch that does not add up again, which finishes or undoes what a crash left.

    Returns:
        The batches that were brought to their end.

    Raises:
        ReadinessError: A batch cannot be delivered.
    """
    tables = [table for domain in domains for table in domain.tables]
    damaged = {problem.ref for problem in found.problems if problem.damaged}
    wrong = {table_ref(problem.ref, tables) for problem in found.problems}
    repaired: list[BatchRef] = []
    for table in tables:
        for ref in sorted(ref for ref in wrong if ref.table == table.id and ref.batch != ALL_BATCHES):
            again = BatchRef(table.id.raw, ref.batch) in damaged
            if _repair(table, ref, again=again, installation=installation, run=run):
                repaired.append(ref)
    return tuple(repaired)


def table_ref(ref: BatchRef, tables: Sequence[Table]) -> BatchRef:
    """The batch of a table that a batch of what lies beside it belongs to: raw, quarantine, versions."""
    return next((BatchRef(table.id, ref.batch) for table in tables if ref.table in _names(table)), ref)


def _names(table: Table) -> frozenset[TableId]:
    """The names of a table and of all that lies beside it."""
    return frozenset({table.id, table.id.raw, table.id.quarantine, table.id.versions, table.id.history})


def _repair(table: Table, ref: BatchRef, *, again: bool, installation: Installation, run: Run) -> bool:
    """Deliver a batch again; whether that could be done. What was made of damaged raw rows must not be published."""
    published = Published(installation.ledger)
    if isinstance(table, GatedTable):
        try:
            ingest(table, batch=ref.batch, installation=installation, run=run, again=again)
        except BatchNotLandedError:
            # What is gone from the source leaves what was ingested of it.
            if again:
                return False
            installation.ledger.supersede(BatchRef(table.id.raw, ref.batch), at=run.clock())
        published = Published(installation.ledger)
        if published.inputs(table, ref.batch) is not None:
            replay_batch(table, batch=ref.batch, installation=installation, run=run)
    elif published.inputs(table, ref.batch) is not None:
        deliver(table, batch=ref.batch, installation=installation, run=run)
    elif not withdraw(table, batch=ref.batch, installation=installation, run=run):
        # A crash cut it off before it committed anything, and what it was to be computed from is gone.
        installation.ledger.supersede(ref, at=run.clock())
    show_newest_version(table, installation=installation, run=run)
    keep_online(table, installation=installation, run=run)
    return True


def _tables(table: Table) -> Mapping[str, TableId]:
    tables = {"published": store_of(table), "quarantined": table.id.quarantine}
    return {**tables, "raw": table.id.raw} if isinstance(table, GatedTable) else tables


def _places(table: Table, installation: Installation, proofs: Mapping[TableId, StoreProof]) -> Mapping[str, _Places]:
    """Where the rows of each batch are, in one pass over the tables' ``_row``."""
    there = {place: name for place, name in _tables(table).items() if name in proofs}
    if not there:
        return {}
    with installation.engine() as engine:
        rows = " UNION ALL ".join(
            _tagged(engine, installation, place, name, proofs[name]) for place, name in there.items()
        )
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


def _tagged(
    engine: duckdb.DuckDBPyConnection, installation: Installation, place: str, name: TableId, proof: StoreProof
) -> str:
    view = f"place_{place}"
    relation = installation.lakehouse.read(engine, name, proof.files)
    relation.create_view(view)
    discarded = "coalesce(_discarded, false)" if "_discarded" in relation.columns else "false"
    tags = {
        "raw": "1, 0, 0, 0",
        "published": "0, 1, 0, 0",
        "quarantined": f"0, 0, (NOT {discarded})::INT, {discarded}::INT",
    }
    columns = "raw, published, quarantined, discarded"
    return f"SELECT * FROM (SELECT _batch, _row, {tags[place]} FROM {view}) t(_batch, _row, {columns})"


def _problems(table: Table, ref: BatchRef, record: BatchRecord | None, found: _Places) -> Iterator[Problem]:
    if record is None:
        if found.published or found.quarantined or found.discarded:
            yield _problem(ref, "the tables have rows of it that the ledger does not know")
        return
    counts = record.counts
    yield from _twofold(ref, record, found)
    if record.state is BatchState.OPEN:
        return  # slices are under way: the rest is held to account when it is sealed
    if isinstance(table, GatedTable):
        if found.nowhere:
            yield _problem(ref, f"{found.nowhere:,} ingested rows are neither published nor in quarantine")
        if found.strange and not record.state.keeps_older:
            yield _problem(ref, f"{found.strange:,} rows are there that were never ingested")
        if found.raw != counts.ingested - counts.erased:
            erased = f", {counts.erased:,} of them erased" if counts.erased else ""
            yield _problem(ref, f"raw has {found.raw:,} rows, the verdict speaks of {counts.ingested:,}{erased}")
    recorded = {"quarantined": counts.quarantined, "discarded": counts.discarded}
    if not record.state.keeps_older:
        recorded["published"] = counts.published
    for place, rows in recorded.items():
        seen = getattr(found, place)
        if seen != rows:
            yield _problem(ref, f"the tables have {seen:,} {place} rows, the ledger {rows:,}")
    if not counts.accounted:
        yield _problem(ref, f"{counts.ingested:,} ingested rows are not all accounted for in the ledger")


def _twofold(ref: BatchRef, record: BatchRecord, found: _Places) -> Iterator[Problem]:
    if found.twice:
        yield _problem(ref, f"{found.twice:,} rows are there twice")
    if found.both and not record.state.keeps_older:
        yield _problem(ref, f"{found.both:,} rows are published and in quarantine")


def _erased_persons(table: Table, installation: Installation) -> Iterator[Problem]:
    """Batches that have rows of persons in the register: of a backup from before they were erased."""
    for store, batches in rows_in_stores([table], None, installation=installation).items():
        for batch, rows in batches.items():
            what = f"{len(rows):,} rows are of persons who were erased"
            ref = BatchRef(store, batch)
            yield Problem(ref=ref, what=what, way_out=erase_command(apply_register=True), level=Level.ROWS)


def _problem(ref: BatchRef, what: str, level: Level = Level.ROWS) -> Problem:
    return problem_of(ref.table.domain.removesuffix("_raw"), ref, what, level)
