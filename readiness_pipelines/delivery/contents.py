"""What the tables hold, held against what was committed to them: file by file, and by the digest of each batch."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from readiness_pipelines.batches import BatchRef, Scope
from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.problems import Level, Problem, problem_of
from readiness_pipelines.delivery.versions import newest_version
from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import METHOD, NO_ROWS, DataFileInfo, RowsDigest
from readiness_pipelines.ledger import BatchContents
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreProof:
    """What was found in one Iceberg table.

    Attributes:
        files: Its data files that can be read.
        unreadable: The batches of which a data file cannot be read, or holds another batch.
        unproved: How many of its batches were committed before contents were kept, or digested in another way.
        problems: What is not as it was committed.
    """

    files: tuple[DataFileInfo, ...]
    unreadable: frozenset[str]
    unproved: int
    problems: tuple[Problem, ...]


def stores_of(table: Table, installation: Installation) -> tuple[TableId, ...]:
    """The Iceberg tables that hold the batches of a table, as far as they are there."""
    names = [store_of(table), table.id.quarantine, table.id.profiles]
    if isinstance(table, GatedTable):
        names.insert(0, table.id.raw)
    if table.batches.scope is Scope.TABLE:
        names.append(table.id)
    return tuple(name for name in names if installation.lakehouse.exists(name))


def prove_store(
    table: Table, store: TableId, *, level: Level, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> StoreProof:
    """Hold an Iceberg table of a table against what was committed to it; what cannot be read does not stop the look.

    Raises:
        LakehouseError: The catalog does not answer.
        LedgerError: The ledger cannot be reached.
    """
    return _Look(table, store, level, installation, engine).proof()


@dataclass(slots=True)
class _Look:
    table: Table
    store: TableId
    level: Level
    installation: Installation
    engine: duckdb.DuckDBPyConnection
    problems: list[Problem] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    """The batches of files that cannot be read or hold another batch, by path."""

    def proof(self) -> StoreProof:
        files = self.installation.lakehouse.files(self.store)
        by_batch: dict[str, list[DataFileInfo]] = defaultdict(list)
        for file in files:
            by_batch[file.batch].append(file)
        known = _committed(self.table, self.store, self.installation)
        batches = sorted({*by_batch, *known})
        for batch in batches:
            self._check_catalog(batch, by_batch[batch], known.get(batch))
        if self.level.includes(Level.FILES):
            for batch in batches:
                self._check_files(batch, by_batch[batch], known.get(batch))
        if self.level.includes(Level.ROWS):
            self._check_rows(batches, files, known)
        return StoreProof(
            files=tuple(file for file in files if file.path not in self.unreadable),
            unreadable=frozenset(self.unreadable.values()),
            unproved=sum(batch not in known or not _is_comparable(known[batch]) for batch in batches),
            problems=tuple(self.problems),
        )

    def _name(self, batch: str, what: str, level: Level) -> None:
        ref = BatchRef(self.store, batch)
        self.problems.append(problem_of(self.table.id.domain, ref, what, level, damaged=True))

    def _check_catalog(self, batch: str, files: Sequence[DataFileInfo], committed: BatchContents | None) -> None:
        if committed is None:
            return
        rows = sum(file.rows for file in files)
        if rows != committed.rows:
            self._name(batch, f"the catalog has {rows:,} rows, {committed.rows:,} were committed", Level.LEDGER)
        if self.store != committed.ref.table:
            return  # The shown version is a copy, in files of its own.
        names, wanted = {_base(file.path) for file in files}, {file.path for file in committed.files}
        for name in sorted(wanted - names):
            self._name(batch, f"the catalog does not name the data file {name}, which was committed", Level.LEDGER)
        for name in sorted(names - wanted):
            self._name(batch, f"the catalog names the data file {name}, which was not committed", Level.LEDGER)

    def _check_files(self, batch: str, files: Sequence[DataFileInfo], committed: BatchContents | None) -> None:
        own = committed is not None and committed.ref.table == self.store
        wanted = {file.path: file for file in committed.files} if committed is not None and own else {}
        for file in files:
            name = _base(file.path)
            try:
                found = self.installation.lakehouse.digest_data_file(self.store, file)
            except LakehouseError as error:
                self.unreadable[file.path] = batch
                self._name(batch, error.what, Level.FILES)
                continue
            if found.size_bytes != file.size_bytes:
                what = f"the data file {name} has {found.size_bytes:,} bytes, {file.size_bytes:,} were committed"
                self.unreadable[file.path] = batch  # Cut off or written anew: what it holds counts for nothing.
                self._name(batch, what, Level.FILES)
            elif name in wanted and found.sha256 != wanted[name].sha256:
                self._name(batch, f"the data file {name} has another checksum than was committed", Level.FILES)

    def _check_rows(
        self, batches: Sequence[str], files: Sequence[DataFileInfo], known: Mapping[str, BatchContents]
    ) -> None:
        digests: dict[str, RowsDigest] = defaultdict(lambda: NO_ROWS)
        owners = {file.path: file.batch for file in files}
        for (path, batch), digest in self._digests([f for f in files if f.path not in self.unreadable]).items():
            digests[owners[path]] += digest
            if batch != owners[path]:
                self.unreadable[path] = owners[path]
                self._name(owners[path], f"the data file {_base(path)} has rows of the batch {batch!r}", Level.ROWS)
        for batch in batches:
            committed = known.get(batch)
            if committed is None or batch in self.unreadable.values():
                continue
            found = digests[batch]
            if not _is_comparable(committed):
                continue
            if (found.rows, found.text) != (committed.rows, committed.digest):
                what = f"the rows are not those that were committed: {found.rows:,} rows, {committed.rows:,} committed"
                self._name(batch, what, Level.ROWS)

    def _digests(self, files: Sequence[DataFileInfo]) -> Mapping[tuple[str, str], RowsDigest]:
        """The digests of all that can be read: together, or file by file where one of them cannot."""
        lakehouse = self.installation.lakehouse
        try:
            return lakehouse.digests(self.engine, self.store, files)
        except LakehouseError:
            digests: dict[tuple[str, str], RowsDigest] = {}
            for file in files:
                try:
                    digests |= lakehouse.digests(self.engine, self.store, [file])
                except LakehouseError as error:
                    self.unreadable[file.path] = file.batch
                    self._name(file.batch, f"{error.what} ({_base(file.path)})", Level.ROWS)
            return digests


def _committed(table: Table, store: TableId, installation: Installation) -> Mapping[str, BatchContents]:
    """What was committed of each batch; of a table that shows its newest version, that version."""
    source = store_of(table) if store == table.id else store
    known = {ref.batch: contents for ref, contents in installation.ledger.contents([source]).items()}
    if source == store:
        return known
    newest = newest_version(table, installation)
    return {batch: one for batch, one in known.items() if newest is not None and batch == newest[0]}


def check_facts(table: Table, installation: Installation) -> Iterator[Problem]:
    """The ledger's records against what the snapshots of the same deliveries say.

    Raises:
        LakehouseError: The catalog does not answer.
        LedgerError: The ledger cannot be reached.
    """
    ledger, lakehouse = installation.ledger, installation.lakehouse
    records = {record.attempt: record for record in ledger.batches(tables=[table.id, table.id.raw])}
    contents = {one.snapshot: one for one in ledger.contents(stores_of(table, installation)).values()}
    said: dict[tuple[BatchRef, str], None] = {}
    for store in stores_of(table, installation):
        for commit in lakehouse.snapshots(store):
            facts = commit.properties
            kept = contents.get(commit.snapshot_id)
            if kept is not None and facts.get("readiness.digest") != kept.digest:
                said[kept.ref, "the ledger has another digest of it than its snapshot says"] = None
            record = records.get(facts.get("readiness.attempt"))
            if record is None or "readiness.state" not in facts:
                continue
            counts = record.counts
            recorded = {
                "state": record.state.value,
                "gate_version": record.gate_version,
                "ingested_rows": counts.ingested,
                "published_rows": counts.published,
                "quarantined_rows": counts.quarantined,
                "discarded_rows": counts.discarded,
            }
            for name, value in recorded.items():
                if (fact := facts.get(f"readiness.{name}")) != str(value):
                    text = f"the ledger says {name.replace('_', ' ')} {value}, its snapshot {fact}"
                    said[record.ref, text] = None
    for ref, what in said:
        yield problem_of(table.id.domain, ref, what, Level.LEDGER)


def _is_comparable(committed: BatchContents) -> bool:
    """Whether its digest was made as digests are made now."""
    return committed.digest.startswith(f"{METHOD}:")


def _base(path: str) -> str:
    return path.rpartition("/")[2]
