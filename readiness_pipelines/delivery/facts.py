"""The ledger's records, held against what else tells of the same deliveries: the trail, and the tables' snapshots."""

from collections.abc import Collection, Iterator, Mapping

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.problems import Level, Problem, problem_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, record_digest
from readiness_pipelines.names import TableId


def check_facts(table: Table, stores: Collection[TableId], installation: Installation) -> Iterator[Problem]:
    """The ledger's records against its own trail, and against the snapshots that are kept.

    Args:
        table: The table.
        stores: Its Iceberg tables that can be read.
        installation: Where the tables and the ledger are.

    Raises:
        LakehouseError: The catalog does not answer.
        LedgerError: The ledger cannot be reached.
    """
    said: dict[tuple[BatchRef, str], None] = {}
    for ref, what in (*_by_trail(table, installation), *_by_snapshots(table, stores, installation)):
        said[ref, what] = None
    for ref, what in said:
        yield problem_of(table.id.domain, ref, what, Level.LEDGER)


def _by_trail(table: Table, installation: Installation) -> Iterator[tuple[BatchRef, str]]:
    """Where a batch stands, and what its last verdict noted of it in the trail, whose rows are linked."""
    ids = (table.id, table.id.raw)
    records = {record.ref: record for record in installation.ledger.batches(tables=ids)}
    noted = {entry.ref: entry for entry in installation.ledger.last_verdicts(tables=ids)}
    profiles = installation.ledger.digested_profiles(table.id)
    for ref in sorted({*records, *noted}):
        record, entry = records.get(ref), noted.get(ref)
        if record is not None and record.state is BatchState.OPEN:
            continue  # it changes with each slice, and the trail tells of its verdict
        if record is None:
            yield ref, "the trail tells of its last verdict, and the ledger does not have the batch"
        elif entry is None:
            yield ref, "the trail does not tell how it came to where it is"
        elif entry.details.get("record") not in {None, record_digest(record)}:
            yield ref, "the ledger's record of it is another one than the trail noted at its last verdict"
        elif "profile" in entry.details and entry.details["profile"] != profiles.get(ref.batch):
            yield ref, "the ledger's profile of it is another one than the trail noted at its last verdict"


def _by_snapshots(
    table: Table, stores: Collection[TableId], installation: Installation
) -> Iterator[tuple[BatchRef, str]]:
    ledger = installation.ledger
    records = {record.attempt: record for record in ledger.batches(tables=[table.id, table.id.raw])}
    contents = ledger.contents(stores)
    ended = {one for of in (table.id, table.id.raw) for ids in ledger.recorded_attempts(of).values() for one in ids}
    for store in stores:
        kept = {one.snapshot: one for ref, one in contents.items() if ref.table == store}
        for commit in installation.lakehouse.snapshots(store):
            facts = commit.properties
            ref = BatchRef(store, facts.get("readiness.batch", ""))
            if "readiness.digest" in facts and ref not in contents and facts.get("readiness.attempt") in ended:
                yield ref, "its snapshot says what was committed, and the ledger has not kept it"
            one = kept.get(commit.snapshot_id)
            if one is not None and facts.get("readiness.digest") != one.digest:
                yield one.ref, "the ledger has another digest of it than its snapshot says"
            record = records.get(facts.get("readiness.attempt"))
            if record is not None and "readiness.state" in facts:
                yield from _other_facts(record, facts)


def _other_facts(record: BatchRecord, facts: Mapping[str, str]) -> Iterator[tuple[BatchRef, str]]:
    counts = record.counts
    recorded = {
        "state": record.state.value,
        "gate_version": record.gate_version,
        "ingested_rows": counts.ingested,
        "published_rows": counts.published,
        "quarantined_rows": counts.quarantined,
        "discarded_rows": counts.discarded,
        **({"erased_rows": counts.erased} if counts.erased else {}),
    }
    for name, value in recorded.items():
        if (fact := facts.get(f"readiness.{name}")) != str(value):
            yield record.ref, f"the ledger says {name.replace('_', ' ')} {value}, its snapshot {fact}"
