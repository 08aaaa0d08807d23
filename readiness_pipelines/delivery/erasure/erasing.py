"""A person erased, from a request to its certificate. Whatever is cut off is finished by the same steps, done again."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.commands import reconcile_command
from readiness_pipelines.contracts import Computed, Domain, GatedTable, Table, downstream
from readiness_pipelines.delivery.clones import drop_environment, remove_abandoned_clones
from readiness_pipelines.delivery.contents import stores_of
from readiness_pipelines.delivery.deliver import deliver
from readiness_pipelines.delivery.erasure.decided_values import erase_decision_values
from readiness_pipelines.delivery.erasure.landing import LandedFiles, landed_rows, rewrite_landed
from readiness_pipelines.delivery.erasure.learned import forget_learned
from readiness_pipelines.delivery.erasure.matching import matcher_of, names_subjects, subject_specs
from readiness_pipelines.delivery.erasure.rewriting import Leaving, note_raw_snapshot, rewrite_judged, rewrite_raw
from readiness_pipelines.delivery.erasure.searching import Found, rows_in_stores
from readiness_pipelines.delivery.follow import in_flow, is_stale, readers_of_all
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.online.keeping import keep_online
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.delivery.settling import CLOCKS_DIFFER_AT_MOST
from readiness_pipelines.delivery.versions import show_newest_version
from readiness_pipelines.delivery.windows import end_of_window
from readiness_pipelines.delivery.withdraw import outlives, withdraw
from readiness_pipelines.errors import ReadinessError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord, RegisteredPerson, TrailEntry
from readiness_pipelines.names import ENVIRONMENT, TableId

Step = Callable[[str], None]
"""Called with what is done next, for people."""

LANDED = "landing"
"""What landed files are called where rows are counted by place."""

_BUCKET_TICK = timedelta(seconds=2)
"""Buckets keep times to the second."""

_PASSES = 3
"""A delivery that was under way may bring a person back once; not for ever."""


def unwatched(_what: str) -> None:
    """Nobody wants to know how far it is."""


@dataclass(slots=True, kw_only=True)
class Rewritten:
    """What was done to tables.

    Attributes:
        files: What was done to landed files.
        batches: The batches of which rows were taken out, or that were computed again.
        judged_again: The batches of sources that were judged again.
        withdrawn: Computed batches that are held now: what they had published before is withdrawn.
        decision_values: How many values that decisions name were erased.
        problems: What could not be done, a line each.
        expired_snapshots: How many older snapshots were expired.
        removed_files: How many files were removed that nothing names any more.
        environments: The environments that were dropped: they share files with what was rewritten.
        undeclared: What is left in tables that are not declared any more, by Iceberg table.
    """

    files: LandedFiles = field(default_factory=LandedFiles)
    batches: dict[BatchRef, None] = field(default_factory=dict)
    judged_again: list[BatchRef] = field(default_factory=list)
    withdrawn: list[BatchRef] = field(default_factory=list)
    decision_values: int = 0
    problems: list[str] = field(default_factory=list)
    expired_snapshots: int = 0
    removed_files: int = 0
    environments: tuple[str, ...] = ()
    undeclared: dict[str, str] = field(default_factory=dict)


def subject_tables(domains: Iterable[Domain]) -> tuple[GatedTable, ...]:
    """The tables of sources that name persons, in the order rows flow."""
    tables = [table for domain in domains for table in domain.tables if isinstance(table, GatedTable)]
    return tuple(table for table in tables if names_subjects(table))


def affected_tables(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Some tables and all that is computed from them, in the order rows flow."""
    return in_flow([*tables, *(reader for table in tables for reader in downstream(table))])


def rewrite_tables(
    tables: Sequence[GatedTable],
    persons: Sequence[RegisteredPerson] | None,
    *,
    noted: Mapping[str, Iterable[str]],
    note: Callable[[Mapping[str, Mapping[str, int]]], None],
    why: str,
    installation: Installation,
    run: Run,
    step: Step = unwatched,
) -> Rewritten:
    """Take the rows of persons out of tables and of all that is computed from them, and forget their past.

    Args:
        tables: The tables of sources.
        persons: The persons; all of the register where they are not given.
        noted: The batches that an earlier call found and may not have come to an end with, by Iceberg table.
        note: Called with the count of rows that are found, by Iceberg table and batch, or `LANDED` and file, before
            anything is changed.
        why: For the trail.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        step: Called before each step.

    Raises:
        CommitConflictError: Another run delivers one of the batches.
        LakehouseError: A table cannot be read or written.
        RegisterKeyError: The register's key is not there, or is another one.
    """
    done = Rewritten()
    concerned = {BatchRef(table.id, batch) for table in tables for batch in _noted(table, noted)}
    for turn in range(_PASSES):
        found = rows_in_stores(tables, persons, installation=installation)
        if turn and not found:
            break
        landed: dict[TableId, dict[str, dict[str, tuple[int, ...]]]] = {}
        for table in tables if not turn else ():
            if (matcher := matcher_of(table, installation, persons)) is not None:
                step(f"{table.id}: landed files")
                landed[table.id] = landed_rows(table, matcher, done.files, installation=installation)
        note(_counted(found, landed.values()))
        for table in tables:
            in_files = landed.get(table.id, {})
            batches = {batch for store in stores_of(table) for batch in found.get(store, {})}
            batches |= {*_noted(table, noted), *in_files} if not turn else set()
            concerned |= {BatchRef(table.id, batch) for batch in batches}
            leaving_of = {batch: _leaving(table, batch, found, installation) for batch in sorted(batches)}
            _erase_decided(table, leaving_of, persons, done, installation=installation, run=run)
            for batch, leaving in leaving_of.items():
                step(f"{table.id}: batch {batch}")
                context = _Context(table, batch, done, why, installation, run)
                _rewrite_batch(context, leaving, in_files.get(batch, {}))
            show_newest_version(table, installation=installation, run=run)
    _compute_again(tables, concerned, done, installation=installation, run=run, step=step)
    return done


def _erase_decided(
    table: GatedTable,
    leaving: Mapping[str, Leaving],
    persons: Sequence[RegisteredPerson] | None,
    done: Rewritten,
    *,
    installation: Installation,
    run: Run,
) -> None:
    """Erase what decisions say of persons: about a table, and about what is computed from it."""
    matcher = matcher_of(table, installation, persons)
    if matcher is None:
        return
    of_table = {batch: one.raw | one.rows for batch, one in leaving.items()}
    done.decision_values += erase_decision_values(table.id, matcher, of_table, installation=installation, run=run)
    for reader in downstream(table):
        found = rows_in_stores([reader], persons, installation=installation)
        rows: dict[str, set[int]] = {}
        for batches in found.values():
            for batch, numbers in batches.items():
                rows.setdefault(batch, set()).update(numbers)
        done.decision_values += erase_decision_values(reader.id, matcher, rows, installation=installation, run=run)


def _noted(table: GatedTable, noted: Mapping[str, Iterable[str]]) -> set[str]:
    return {batch for store in stores_of(table) for batch in noted.get(str(store), ())}


def _counted(found: Found, landed: Iterable[Mapping[str, Mapping[str, Sequence[int]]]]) -> dict[str, dict[str, int]]:
    """How many rows were found, by place."""
    counts = {str(store): {batch: len(rows) for batch, rows in batches.items()} for store, batches in found.items()}
    files = {name: len(rows) for batches in landed for of_batch in batches.values() for name, rows in of_batch.items()}
    return {**counts, LANDED: files} if files else counts


@dataclass(frozen=True, slots=True)
class _Context:
    table: GatedTable
    batch: str
    done: Rewritten
    why: str
    installation: Installation
    run: Run


def _rewrite_batch(of: _Context, leaving: Leaving, in_files: dict[str, tuple[int, ...]]) -> None:
    """Take rows out of a batch: of its landed files, then of what is judged, then of raw, by which they are found."""
    table, installation, run, ledger = of.table, of.installation, of.run, of.installation.ledger
    ref = BatchRef(table.id, of.batch)
    raw, record = ledger.get(BatchRef(table.id.raw, of.batch)), ledger.get(ref)
    if raw is not None and raw.state is BatchState.OPEN:
        # Slices are under way: the seal leaves the rows out, and until then the request stays open.
        of.done.problems.append(
            f"{ref} is an open window until {end_of_window(table, of.batch)}: the person is left out when it is sealed"
        )
        return
    if record is not None and record.state is BatchState.OPEN:
        # It was sealed and nobody has judged it yet: that takes out of it what slices had published.
        if raw is not None:
            rewrite_raw(table, raw, leaving.raw, relanded=None, why=of.why, installation=installation, run=run)
        _judge_again(of, ref)
        of.done.batches[ref] = None
        return
    relanded = None
    if in_files:
        relanded = rewrite_landed(
            table,
            of.batch,
            in_files,
            of.done.files,
            ingested=raw.arrival if raw is not None else None,
            installation=installation,
            run=run,
        )
    if record is not None:
        rewrite_judged(table, record, leaving, why=of.why, installation=installation, run=run)
    if raw is not None:
        rewrite_raw(table, raw, leaving.raw, relanded=relanded, why=of.why, installation=installation, run=run)
    of.done.batches[ref] = None
    if record is None:
        return
    if record.gate_version == gate_of(table, default_engine=installation.engine_name).version:
        _judge_again(of, ref)
    elif raw is not None and record.inputs.get(table.id.raw, {}).get(of.batch) == raw.snapshots.raw:
        # To judge it by another gate is somebody's decision.
        now = ledger.get(ref)
        assert now is not None  # noqa: S101  # it was there before
        note_raw_snapshot(table, now, installation=installation, run=run)


def _leaving(table: GatedTable, batch: str, found: Found, installation: Installation) -> Leaving:
    """Which rows are to go from where: one found anywhere goes everywhere, where numbers mean the same rows."""
    raw, waiting, shown = (
        found.get(store, {}).get(batch, frozenset()) for store in (table.id.raw, table.id.quarantine, store_of(table))
    )
    trail = installation.ledger.trail(ref=BatchRef(table.id, batch))
    arrived = _last(installation.ledger.trail(ref=BatchRef(table.id.raw, batch)), ("ingested",))
    judged = _last(trail, None) > arrived
    published = _last(trail, ("published", "partly_published")) > arrived
    everywhere = raw | (waiting if judged else frozenset()) | (shown if published else frozenset())
    if published:
        shown = everywhere
    elif installation.lakehouse.exists(store_of(table)) and _is_protected(table):
        # It is of rows that came before those in raw, and does not tell whose they are.
        shown = _all_rows(store_of(table), batch, installation)
    return Leaving(raw=everywhere, rows=everywhere if judged else waiting, shown=shown)


def _last(trail: Sequence[TrailEntry], what: Sequence[str] | None) -> int:
    """The number of the newest entry of a delivery that ended, or of one of some kinds."""
    ended = [one for one in trail if one.attempt is not None and one.what not in ("failed", "erased")]
    return max((one.id for one in ended if what is None or one.what in what), default=0)


def _is_protected(table: GatedTable) -> bool:
    """Whether what is published does not show whom a row is about."""
    classes = [one.classified for one in subject_specs(table)]
    return any(one is not None and one.protection is not None for one in classes)


def _all_rows(store: TableId, batch: str, installation: Installation) -> frozenset[int]:
    with installation.engine(f"batch {batch!r} of {store}") as engine:
        rows = installation.lakehouse.relation(engine, store, batch=batch).project("_row").fetchall()
    return frozenset(row for (row,) in rows)


def _judge_again(of: _Context, ref: BatchRef) -> None:
    """Judge a batch again by the gate that judged it: what is published is then what any replay would publish."""
    try:
        deliver(of.table, batch=of.batch, installation=of.installation, run=of.run)
        of.done.judged_again.append(ref)
    except ReadinessError as error:
        if error.retryable:
            raise
        of.done.problems.append(f"{ref} could not be judged again: {error.what}")


def _compute_again(
    tables: Sequence[GatedTable],
    concerned: set[BatchRef],
    done: Rewritten,
    *,
    installation: Installation,
    run: Run,
    step: Step,
) -> None:
    """Compute again what was computed from batches that lost rows; what would be held is withdrawn."""
    published = Published(installation.ledger)
    readers: dict[TableId, list[BatchRef]] = {}
    for ref in readers_of_all(concerned, tables, published):
        readers.setdefault(ref.table, []).append(ref)
    for table in in_flow(reader for one in tables for reader in downstream(one)):
        for ref in readers.get(table.id, ()):
            step(f"{table.id}: batch {ref.batch}")
            try:
                _compute(table, ref, done, installation=installation, run=run)
            except ReadinessError as error:
                if error.retryable:
                    raise
                done.problems.append(f"{ref} could not be computed again: {error.what}")


def _compute(table: Computed, ref: BatchRef, done: Rewritten, *, installation: Installation, run: Run) -> None:
    published = Published(installation.ledger)
    record, inputs = published.record(table.id, ref.batch), published.inputs(table, ref.batch)
    if inputs is None:
        if record is not None and outlives(table, record, published):
            withdraw(table, batch=ref.batch, installation=installation, run=run)
            done.withdrawn.append(ref)
        return
    # One that is held shows what was computed before.
    if not is_stale(record, inputs) and record is not None and not _shows_older(record):
        return
    try:
        deliver(table, batch=ref.batch, installation=installation, run=run)
    except UpstreamNotPublishedError:
        return
    done.batches[ref] = None
    now = installation.ledger.get(ref)
    if now is not None and _shows_older(now) and withdraw(table, batch=ref.batch, installation=installation, run=run):
        done.withdrawn.append(ref)
        deliver(table, batch=ref.batch, installation=installation, run=run)


def _shows_older(record: BatchRecord) -> bool:
    return record.state.keeps_older and record.snapshots.published is not None


def forget_past(
    tables: Sequence[Table],
    done: Rewritten,
    *,
    since: datetime,
    why: str = "a person was erased",
    installation: Installation,
    run: Run,
    step: Step = unwatched,
) -> None:
    """Leave tables, and all that is computed from them, what they show now and nothing of before.

    So it is with what models learned from: histories, and the rows of training sets about what a history forgot.

    Environments are dropped: they share files with the tables. Files that a delivery of one of the tables may have
    staged which is under way are left: a problem where they are of before.

    Args:
        tables: The tables.
        done: Gets what was done, and what could not be.
        since: Since when the register knows the persons.
        why: For the trail.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        step: Called before each step.

    Raises:
        LakehouseError: A table cannot be read or written.
    """
    lakehouse, ledger = installation.lakehouse, installation.ledger
    affected = affected_tables(tables)
    learned = forget_learned(affected, why=why, installation=installation, run=run)
    for table in affected:
        keep_online(table, installation=installation, run=run)
    stored = lakehouse.tables()
    environments = {table.environment for table in stored if table.environment is not None}
    for environment in sorted(environments):
        step(f"the environment {environment}")
        drop_environment(environment, installation=installation)
    done.environments = tuple(sorted({*done.environments, *environments}))
    done.problems += _perhaps_environments(affected, stored)
    for place in lakehouse.homes.places:
        remove_abandoned_clones(place, now=run.clock(), age=timedelta(0))
    if not lakehouse.warehouse.is_local:
        time.sleep(_BUCKET_TICK.total_seconds())  # what was written until now is older, then, by the bucket's clock
    stores = {store for table in affected for store in (*stores_of(table), table.id)}
    untouched, under_way = _may_be_staged(affected, installation, run)
    for store in sorted({*stores, *learned}):
        if lakehouse.exists(store):
            step(f"{store}: its past")
            forgotten = lakehouse.forget_past(store, untouched_since=untouched)
            done.expired_snapshots += forgotten.expired_snapshots
            done.removed_files += forgotten.removed_files
            # Whatever was begun since then, by any clock, leaves the person out.
            left = sum(at < since + CLOCKS_DIFFER_AT_MOST for at in forgotten.left_files)
            if left and under_way:
                done.problems.append(f"{store}: {left:,} files of before that nothing names are left, for {under_way}")
    ledger.erasures.forget_deleted()


def _perhaps_environments(affected: Sequence[Table], stored: Sequence[TableId]) -> list[str]:
    """Namespaces of an earlier version's domain ``shop_``, or of its environment ``raw``: by name they are the same."""
    domains = {table.id.domain for table in affected}
    unclear = {table.domain for table in stored if ENVIRONMENT in table.domain and not table.in_environment}
    return [
        f"{namespace} was not searched: an earlier version made it, for a domain {domain}_ or an environment of "
        f"{domain}; drop its tables from the catalog, and remove their files, when nobody needs them"
        for namespace in sorted(unclear)
        if (domain := namespace.partition(ENVIRONMENT)[0]) in domains
    ]


def _may_be_staged(tables: Sequence[Table], installation: Installation, run: Run) -> tuple[datetime, str]:
    """From when on a file of some tables may be one that a delivery has staged: nobody may remove it.

    The storage's time is taken before the ledger is asked: a delivery that it does not know yet stages later. Where one
    is under way, its machine may have another clock.

    Returns:
        The time, and what is under way since then, with the way out; "" where nothing is.
    """
    now = min(place.clock() or run.clock() for place in installation.lakehouse.homes.places)
    ledger = installation.ledger
    held = [(now, "")]
    for table in tables:
        for one in ledger.open_attempts(tables=[table.id, table.id.raw]):
            what = f"{one.ref} has been under way since {one.begun_at:%Y-%m-%d %H:%M} UTC"
            killed = reconcile_command(table.id.domain)
            way_out = f"when it has ended (if it was killed: {killed}), run this again"
            held.append((one.begun_at - CLOCKS_DIFFER_AT_MOST, f"{what}: {way_out}"))
    for shard in ledger.streams.running(now, tables=[table.id for table in tables]):
        what = f"shard {shard.shard} of {shard.table} was heard of at {shard.heartbeat_at:%Y-%m-%d %H:%M} UTC"
        way_out = "run this again in two hours; if its process is gone, a day after that"
        held.append((shard.heartbeat_at - CLOCKS_DIFFER_AT_MOST, f"{what}: {way_out}"))
    return min(held)
