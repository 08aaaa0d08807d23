"""Which batches a run is about: what is due, or what was named."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from readiness_pipelines.batches import in_order
from readiness_pipelines.cli.words import Chosen, batches_of, landed_batches
from readiness_pipelines.contracts import GatedTable, Lane, Table, downstream
from readiness_pipelines.delivery import Work, due_work
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId

AGAIN = "asked for"


def wanted_tables(chosen: Chosen) -> tuple[Table, ...]:
    """The tables that a run is about: those chosen; one table that was named goes with all that is computed from it."""
    return chosen.tables if chosen.table is None else (chosen.table, *downstream(chosen.table))


def named_work(chosen: Chosen, batches: Sequence[str], *, installation: Installation) -> list[Work]:
    """The work on batches that were named, whether or not anything changed.

    Raises:
        UnknownNameError: No table has such a batch; names the nearest that landed or ran.
    """
    there = _batches(chosen.tables, installation)
    works = []
    for batch in dict.fromkeys(batches):
        found = [work for lane in _lanes(chosen) if (work := _work(lane, batch, chosen, there))]
        if not found:
            kind = f"batch of {chosen.table.id if chosen.table else ', '.join(d.name for d in chosen.domains)}"
            raise UnknownNameError(kind, batch, {key for keys in there.values() for key in keys})
        works += found
    return works


def all_work(chosen: Chosen, *, installation: Installation) -> list[Work]:
    """The work on every batch that landed, and on what was computed, from old to new."""
    there = _batches(chosen.tables, installation)
    works = []
    for lane in _lanes(chosen):
        fed = [table for table in _of(lane, chosen) if isinstance(table, GatedTable)]
        landed = {key for table in fed for key in landed_batches(table, installation=installation)}
        keys = landed if fed else {key for table in lane.tables for key in there.get(table.id, ())}
        works += [work for key in in_order(lane.batches, keys) if (work := _work(lane, key, chosen, there))]
    return sorted(works, key=lambda work: not isinstance(work.tables[0], GatedTable))


def follows(work: Work, ran: Collection[tuple[TableId, str]], *, installation: Installation) -> bool:
    """Whether work computes something from batches that ran, so that it belongs to what was asked for."""
    for table in work.tables:
        for read in table.reads.values():
            keys = [key for ident, key in ran if ident == read.table.id]
            there = in_order(read.table.batches, {*keys, *batches_of(read.table, installation=installation)})
            if keys and not set(keys).isdisjoint(read.keys(work.batch, table.batches, there)):
                return True
    return False


def work_after(
    tables: Sequence[Table], ran: Collection[tuple[TableId, str]], *, installation: Installation
) -> list[Work]:
    """What is due now because batches of some tables ran: a month after its days.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    readers = {reader.id: reader for table in tables for reader in downstream(table)}
    domains = tuple(dict.fromkeys(reader.domain for reader in readers.values()))
    due = due_work(domains, installation=installation, now=datetime.now(UTC), unreachable=lambda *_: None)
    return [work for work in due if follows(work, ran, installation=installation)]


def _work(lane: Lane, batch: str, chosen: Chosen, there: dict[TableId, list[str]]) -> Work | None:
    """A lane's tables that have a batch, and what is computed from it in the same run, in the order rows flow."""
    tables: dict[TableId, Table] = {}
    for table in _of(lane, chosen):
        if batch in there[table.id] or _is_made(table, batch, tables, there):
            tables[table.id] = table
    if not tables:
        return None
    return Work(lane=lane, batch=batch, tables=tuple(tables.values()), why=AGAIN, fingerprint=AGAIN)


def _is_made(table: Table, batch: str, before: Collection[TableId], there: Mapping[TableId, Sequence[str]]) -> bool:
    """Whether a table that never had a batch will have it once some tables ran: all that it reads is there then."""
    feeds = 0
    for read in table.reads.values():
        keys = set(there.get(read.table.id, ()))
        keys |= {batch} if read.table.id in before else set()
        wanted = read.keys(batch, table.batches, in_order(read.table.batches, keys))
        if not wanted and not read.mapping.optional:
            return False
        feeds += read.table.id in before and batch in wanted
    return bool(feeds)


def _lanes(chosen: Chosen) -> Iterator[Lane]:
    for domain in chosen.domains:
        yield from domain.lanes


def _of(lane: Lane, chosen: Chosen) -> list[Table]:
    ids = {table.id for table in chosen.tables}
    return [table for table in lane.tables if table.id in ids]


def _batches(tables: Sequence[Table], installation: Installation) -> dict[TableId, list[str]]:
    return {table.id: batches_of(table, installation=installation) for table in tables}
