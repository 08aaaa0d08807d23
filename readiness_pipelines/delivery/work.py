"""What is to be done now, decided by completeness: what arrived and what was made of it, against what there is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from readiness_pipelines.batches import BatchState, Scope
from readiness_pipelines.contracts import CONTENT_UNKNOWN, Arrival, Computed, Domain, GatedTable, Lane, Table
from readiness_pipelines.contracts.reads import BatchesOfPeriod, LastBatches, RowsOfPeriod, SameBatch
from readiness_pipelines.delivery.event_times import keep_event_times
from readiness_pipelines.delivery.follow import stale_batches
from readiness_pipelines.delivery.published import Published, fingerprint_of, without_moving
from readiness_pipelines.delivery.settling import CLOCKS_DIFFER_AT_MOST, WAITS_AT_MOST, Settling, Unsettled
from readiness_pipelines.delivery.version_keys import key_of, newest_raw
from readiness_pipelines.delivery.windows import is_to_be_sealed
from readiness_pipelines.delivery.withdraw import WITHDRAWN, outlives, outliving
from readiness_pipelines.errors import LandingError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId

if TYPE_CHECKING:
    from readiness_pipelines.delivery.deliver import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one run can do for one batch of one lane.

    Attributes:
        lane: The lane.
        batch: The batch.
        tables: The tables to ingest and judge, or to compute, in the order rows flow.
        why: Why, for people.
        fingerprint: Tells what is to be done from any other work on the batch: the same arrivals and inputs give the
            same.
    """

    lane: Lane
    batch: str
    tables: tuple[Table, ...]
    why: str
    fingerprint: str

    @property
    def feeds_others(self) -> bool:
        """Whether it begins with a source: what is computed from it may then be due, too."""
        return isinstance(self.tables[0], GatedTable)


def due_work(
    domains: Iterable[Domain],
    *,
    installation: Installation,
    now: datetime,
    waits: timedelta = timedelta(0),
    unsettled: Callable[[GatedTable, Unsettled], None] | None = None,
    unreachable: Callable[[GatedTable, LandingError], None] | None = None,
) -> tuple[Work, ...]:
    """What is to be done now: sources' batches first, then what is computed, from old to new.

    A batch is due where it arrived and was not ingested as it is, was ingested and not judged as it is, would be
    computed from other inputs than it was, or outlives them. A batch whose last verdict is about just these inputs is
    not, whatever the verdict. After it was done, ask again: more may follow (a month after its days).

    Args:
        domains: The domains whose tables are looked at.
        installation: Where the sources and the ledger are.
        now: The time.
        waits: Batches that will be whole within that time are due already, for whoever ingests them waits for it. The
            others are left for the next look.
        unsettled: Called for each batch that is left because it may still be arriving.
        unreachable: Called for each source that cannot be reached, so that the others are looked at all the same;
            ``None`` raises.

    Raises:
        LandingError: A source cannot be reached, and `unreachable` is not given.
        LedgerError: The ledger cannot be reached.
    """
    chosen = tuple(domains)
    keep_event_times(_inputs(chosen), installation=installation)
    published = Published(installation.ledger)
    published.load(_ids(chosen))
    settling = Settling(installation, now)

    def whole(table: GatedTable, arrival: Arrival) -> bool:
        found = settling.unsettled(arrival)
        # By a time that is still to come nothing is ever quiet: whoever ingests it waits, and looks whether it changes.
        ahead = arrival.settled_since > now + CLOCKS_DIFFER_AT_MOST
        if found is None or (found.left is not None and found.left <= (WAITS_AT_MOST if ahead else waits)):
            return True
        if unsettled is not None:
            unsettled(table, found)
        return False

    works: list[Work] = []
    for domain in chosen:
        for lane in domain.lanes:
            works += _lane_work(
                lane,
                published,
                installation=installation,
                now=now,
                whole=whole,
                unreachable=unreachable,
            )
    computed_last = sorted(works, key=lambda work: not isinstance(work.tables[0], GatedTable))
    return tuple(computed_last)


def do_work(work: Work, *, installation: Installation, run: Run) -> "tuple[Delivery, ...]":
    """Do what is due, in this process and without an orchestrator.

    A table of which an input is held is left: it becomes due when the input is published.

    Raises:
        LandingError: A source cannot be read.
        DeclarationError: A transform breaks, or another declaration delivers a table of this name.
        LakehouseError: A table cannot be read or written.
    """
    from readiness_pipelines.delivery.deliver import deliver  # noqa: PLC0415  # who asks what is due judges nothing
    from readiness_pipelines.delivery.ingest import ingest  # noqa: PLC0415  # as above

    deliveries: list[Delivery] = []
    for table in work.tables:
        if isinstance(table, GatedTable):
            ingest(table, batch=work.batch, installation=installation, run=run)
        elif _waits(table, work.batch, installation):
            continue  # an attempt would be noted as one that broke, and nothing did
        try:
            deliveries.append(deliver(table, batch=work.batch, installation=installation, run=run))
        except UpstreamNotPublishedError:
            continue
    return tuple(deliveries)


def _waits(table: Computed, batch: str, installation: Installation) -> bool:
    """Whether something that a batch needs is not there, and it has no rows of before that must go."""
    published = Published(installation.ledger)
    record = published.record(table.id, batch)
    return published.inputs(table, batch) is None and not (record and outlives(table, record, published))


def _ids(domains: Sequence[Domain]) -> list[TableId]:
    ids: list[TableId] = []
    for domain in domains:
        for table in domain.tables:
            ids += [table.id.raw, table.id] if isinstance(table, GatedTable) else [table.id]
            ids += [read.table.id for read in (*table.reads.values(), *table.references.values())]
    return ids


def _inputs(domains: Sequence[Domain]) -> Iterable[Table]:
    """All tables that are read, each once."""
    tables = (read.table for domain in domains for table in domain.tables for read in table.reads.values())
    return {table.id: table for table in tables}.values()


def _lane_work(
    lane: Lane,
    published: Published,
    *,
    installation: Installation,
    now: datetime,
    whole: Callable[[GatedTable, Arrival], bool],
    unreachable: Callable[[GatedTable, LandingError], None] | None,
) -> list[Work]:
    due: dict[str, dict[TableId, tuple[Table, str, str]]] = {}
    for table in lane.tables:
        if isinstance(table, GatedTable):
            try:
                found = _due_of_source(table, published, installation, now=now, whole=whole)
            except LandingError as error:
                if unreachable is None:
                    raise
                unreachable(table, error)
                continue
        else:
            stale = (
                (batch, inputs) for batch, inputs in stale_batches(table, published) if _may_begin(table, batch, now)
            )
            found = {batch: ("its inputs changed", fingerprint_of(inputs)) for batch, inputs in stale}
            records = published.records(table.id)
            found |= {batch: (WITHDRAWN, records[batch].attempt or "") for batch in outliving(table, published)}
        for batch, (why, fingerprint) in found.items():
            due.setdefault(batch, {})[table.id] = (table, why, fingerprint)
    works = []
    for batch in sorted(due, key=lane.batches.order):
        tables = {table_id: table for table_id, (table, _, _) in due[batch].items()}
        _add_followers(lane, batch, tables, published)
        reasons = dict.fromkeys(f"{table_id}: {why}" for table_id, (_, why, _) in due[batch].items())
        prints = sorted((str(table_id), one) for table_id, (_, _, one) in due[batch].items())
        works.append(
            Work(
                lane=lane,
                batch=batch,
                tables=tuple(table for table in lane.tables if table.id in tables),
                why="; ".join(reasons),
                fingerprint=sha256(repr(prints).encode()).hexdigest()[:16],
            )
        )
    return works


def with_followers(lane: Lane, batch: str, tables: Iterable[Table], *, installation: Installation) -> tuple[Table, ...]:
    """Tables of a lane and those that can be computed from them in the same run of a batch, in the order rows flow.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    found = {table.id: table for table in tables}
    _add_followers(lane, batch, found, Published(installation.ledger))
    return tuple(table for table in lane.tables if table.id in found)


def _add_followers(lane: Lane, batch: str, tables: dict[TableId, Table], published: Published) -> None:
    for table in lane.tables:
        if table.id in tables or isinstance(table, GatedTable):
            continue
        if _follows(table, batch, tables, published):
            tables[table.id] = table


def _may_begin(table: Table, batch: str, now: datetime) -> bool:
    """Whether a batch has begun, and where it is made of the batches of a period, whether that is over."""
    window = table.batches.window(batch)
    if window is None:
        return True
    whole = any(isinstance(read.mapping, BatchesOfPeriod | RowsOfPeriod) for read in table.reads.values())
    return (window.end if whole else window.start) <= now


def _follows(table: Computed, batch: str, tables: Mapping[TableId, Table], published: Published) -> bool:
    """Whether a computed table can be computed in the run that delivers some tables of its lane."""
    feeds = [read for read in table.reads.values() if read.table.id in tables]
    if not any(isinstance(read.mapping, SameBatch | LastBatches) for read in feeds):
        return False
    return all(
        read.mapping.optional or read.table.id in tables or bool(published.read(read, table, batch))
        for read in table.reads.values()
    )


def _due_of_source(
    table: GatedTable,
    published: Published,
    installation: Installation,
    *,
    now: datetime,
    whole: Callable[[GatedTable, Arrival], bool],
) -> dict[str, tuple[str, str]]:
    """The batches of a source's table that are due: why, and what tells this from any other time."""
    raw, judged = published.records(table.id.raw), published.records(table.id)
    due: dict[str, tuple[str, str]] = {}
    newest = newest_raw(table, raw.values())
    with_rows = frozenset(batch for batch, record in raw.items() if record.counts.ingested)
    for arrival in table.source.reader.arrivals(replace(installation.places(table.batches), ingested=with_rows)):
        if not table.batches.has(arrival.batch) or not _may_begin(table, arrival.batch, now):
            continue
        batch = key_of(table, arrival, newest)
        record = raw.get(batch)
        if _is_new(table, arrival, record, newest) and whole(table, arrival):
            # With what it replaces: files that go back to what they were are another time.
            due[batch] = ("arrived", f"{arrival.fingerprint}-{record.attempt if record else ''}")
    for batch, record in raw.items():
        if record.state is BatchState.OPEN and is_to_be_sealed(table, record, now):
            due[batch] = ("its window is over", f"over-{record.attempt or ''}")
        inputs = published.inputs(table, batch)
        if batch in due or inputs is None or record.snapshots.raw is None:
            continue
        verdict = judged.get(batch)
        if verdict is None:
            due[batch] = ("ingested, not judged", fingerprint_of(inputs))
        elif without_moving(verdict.inputs) != inputs:
            due[batch] = ("what it is compared with changed", fingerprint_of(inputs))
    return due


def _is_new(table: GatedTable, arrival: Arrival, record: BatchRecord | None, newest: BatchRecord | None) -> bool:
    if record is not None:
        return record.arrival != arrival.fingerprint
    if table.batches.scope is not Scope.TABLE or arrival.fingerprint == CONTENT_UNKNOWN:
        return True
    # A source without a memory gives what it has under the key of now: only other content is another version.
    return newest is None or newest.arrival != arrival.fingerprint
