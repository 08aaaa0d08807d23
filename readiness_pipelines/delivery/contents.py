"""What the tables hold, held against what was committed to them: file by file, and by the digest of each batch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from readiness_pipelines.batches import BatchRef, Scope
from readiness_pipelines.contracts import GatedTable, Table, keeps_history
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.problems import Level, Problem, Step, problem_of, unwatched
from readiness_pipelines.delivery.share import Share
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
        files: Its data files of the chosen batches that can be read.
        unreadable: The batches of which a data file cannot be read, or holds another batch.
        unproved: How many of its batches were committed before contents were kept, or digested in another way.
        problems: What is not as it was committed.
    """

    files: tuple[DataFileInfo, ...]
    unreadable: frozenset[str]
    unproved: int
    problems: tuple[Problem, ...]


def stores_of(table: Table) -> tuple[TableId, ...]:
    """The Iceberg tables that hold the batches of a table, once there is something to hold."""
    names = [store_of(table), table.id.quarantine]
    if isinstance(table, GatedTable):
        names.insert(0, table.id.raw)
    if table.batches.scope is Scope.TABLE:
        names.append(table.id)
    if keeps_history(table):
        names.append(table.id.history)
    return tuple(names)


def prove_store(
    table: Table,
    store: TableId,
    *,
    level: Level,
    share: Share,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
    step: Step = unwatched,
) -> StoreProof:
    """Hold an Iceberg table of a table against what was committed to it; what cannot be read does not stop the look.

    Args:
        table: The table.
        store: One of its `stores_of`.
        level: How thoroughly to look.
        share: The batches of which files and rows are looked at; the catalog is asked about all.
        installation: Where the tables and the ledger are.
        engine: Reads the rows.
        step: Called after each batch whose files were read.

    Raises:
        LakehouseError: The catalog does not answer.
        LedgerError: The ledger cannot be reached.
    """
    return _Look(table, store, level, share, installation, engine, step).proof()


@dataclass(slots=True)
class _Look:
    table: Table
    store: TableId
    level: Level
    share: Share
    installation: Installation
    engine: duckdb.DuckDBPyConnection
    step: Step
    problems: list[Problem] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    """The batches of files that cannot be read or hold another batch, by path."""

    def proof(self) -> StoreProof:
        files = self.installation.lakehouse.files(self.store)
        by_batch: dict[str, list[DataFileInfo]] = defaultdict(list)
        for file in files:
            by_batch[file.batch].append(file)
        known = _committed(self.table, self.store, self.installation)
        recorded = self._recorded()
        batches = sorted({*by_batch, *known})
        for batch in batches:
            self._check_catalog(batch, by_batch[batch], known.get(batch), recorded=batch in recorded)
        chosen = [batch for batch in batches if BatchRef(self.table.id, batch) in self.share]
        files = tuple(file for batch in chosen for file in by_batch[batch])
        if self.level.includes(Level.FILES):
            for number, batch in enumerate(chosen, 1):
                self._check_files(batch, by_batch[batch], known.get(batch))
                self.step(f"{self.store}: files", number, len(chosen))
        if self.level.includes(Level.ROWS):
            self.step(f"{self.store}: rows", 0, 1)
            self._check_rows(chosen, files, known)
        return StoreProof(
            files=tuple(file for file in files if file.path not in self.unreadable),
            unreadable=frozenset(self.unreadable.values()),
            unproved=sum(batch not in known or not _is_comparable(known[batch]) for batch in chosen),
            problems=tuple(self.problems),
        )

    def _name(self, batch: str, what: str, level: Level) -> None:
        ref = BatchRef(self.store, batch)
        self.problems.append(problem_of(self.table.id.domain, ref, what, level, damaged=True))

    def _recorded(self) -> frozenset[str]:
        """The batches that the ledger knows: of raw tables, those that were ingested."""
        of = self.store if self.store == self.table.id.raw else self.table.id
        return frozenset(record.ref.batch for record in self.installation.ledger.batches(tables=[of]))

    def _check_catalog(
        self, batch: str, files: Sequence[DataFileInfo], committed: BatchContents | None, *, recorded: bool
    ) -> None:
        if committed is None:
            if files and not recorded:
                self._name(batch, "the catalog has data files of it, and the ledger does not know it", Level.LEDGER)
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


def _is_comparable(committed: BatchContents) -> bool:
    """Whether its digest was made as digests are made now."""
    return committed.digest.startswith(f"{METHOD}:")


def _base(path: str) -> str:
    return path.rpartition("/")[2]
