"""The latest values of feature views by key, and the batches that they were kept from. Values are JSON as text."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.tables import CONTENTS, ONLINE_BATCHES, ONLINE_VALUES, ONLINE_VIEWS
from readiness_pipelines.names import TableId

KEYS_AT_ONCE = 5_000
"""Keys that one transaction changes at most: whoever else writes to the ledger waits no longer than for these."""
_NAMED_AT_ONCE = 500
"""Values that one statement names at most."""


class OnlineRow(NamedTuple):
    """What is kept of one key.

    Attributes:
        key_hash: Tells the key from all others.
        key: The entity's values, as JSON.
        features: The features by name, as JSON.
        batch: The batch that published them.
        event_us: When what they tell happened, in microseconds since 1970; ``None`` where the view has no such time.
        published_us: When they were first published, as microseconds.
        known_us: Since when they are known, as microseconds: as published, or as the source tells.
        row_number: The row of the batch.
    """

    key_hash: str
    key: str
    features: str
    batch: str
    event_us: int | None
    published_us: int
    known_us: int
    row_number: int


_ROW = select(*(ONLINE_VALUES.c[name] for name in OnlineRow._fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineView:
    """How far the values of a feature view are kept.

    Attributes:
        definition: Tells the view's definition from others; values of another one are kept anew.
        entity: The entity's columns, each with the kind of its values.
        kept_at: When anything was last kept, in UTC.
        ahead_us: When the first row that tells of a time ahead begins to count, as microseconds; ``None`` where none
            does.
        per_record: What the last comparison of values computed per record with those of batches found; ``None`` where
            there was none.
    """

    definition: str
    entity: Sequence[tuple[str, str]]
    kept_at: datetime
    ahead_us: int | None
    per_record: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineMark:
    """What the values of a batch were kept from.

    Attributes:
        digest: Of the rows, as it was committed.
        snapshot: The snapshot that published them; ``None`` where nothing is published of the batch any more.
    """

    digest: str
    snapshot: int | None


Decide = Callable[[Mapping[str, OnlineRow]], tuple[Sequence[OnlineRow], Collection[str]]]
"""By what is kept of some keys, what is to be kept of them, and the hashes of those of which nothing is."""


class OnlineValues:
    """The latest values of feature views."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def view(self, view: TableId) -> OnlineView | None:
        """How far the values of a view are kept; ``None`` where none ever were.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.reading() as connection:
            query = select(ONLINE_VIEWS).where(ONLINE_VIEWS.c.table_name == str(view))
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return OnlineView(
            definition=row.definition,
            entity=tuple((name, kind) for name, kind in row.entity),
            kept_at=row.kept_at,
            ahead_us=row.ahead_us,
            per_record=row.per_record,
        )

    def views(self) -> tuple[TableId, ...]:
        """The views of which values are kept.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.reading() as connection:
            return tuple(TableId.parse(name) for (name,) in connection.execute(select(ONLINE_VIEWS.c.table_name)))

    def note_view(self, view: TableId, state: OnlineView) -> None:
        """Note how far the values of a view are kept.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.writing() as connection:
            connection.execute(delete(ONLINE_VIEWS).where(ONLINE_VIEWS.c.table_name == str(view)))
            values = {**asdict(state), "entity": [list(one) for one in state.entity]}
            connection.execute(insert(ONLINE_VIEWS).values(table_name=str(view), **values))

    def note_per_record(self, view: TableId, found: Mapping[str, Any]) -> None:
        """Note what a comparison of values computed per record with those of batches found.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.writing() as connection:
            chosen = update(ONLINE_VIEWS).where(ONLINE_VIEWS.c.table_name == str(view))
            connection.execute(chosen.values(per_record=dict(found)))

    def marks(self, view: TableId, batches: Collection[str] | None = None) -> Mapping[str, OnlineMark]:
        """What the values of a view's batches were kept from.

        Args:
            view: The view.
            batches: The batches; ``None`` for all.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        query = select(ONLINE_BATCHES).where(ONLINE_BATCHES.c.table_name == str(view))
        found: dict[str, OnlineMark] = {}
        with self._database.reading() as connection:
            for part in [None] if batches is None else _parts(sorted(batches)):
                chosen = query if part is None else query.where(ONLINE_BATCHES.c.batch.in_(part))
                for row in connection.execute(chosen):
                    found[row.batch] = OnlineMark(digest=row.digest, snapshot=row.snapshot)
        return found

    def mark(self, view: TableId, marks: Mapping[str, OnlineMark | None], *, at: datetime) -> None:
        """Note what the values of some batches were kept from; ``None`` forgets a batch.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.writing() as connection:
            of_view = ONLINE_BATCHES.c.table_name == str(view)
            for part in _parts(sorted(marks)):
                connection.execute(delete(ONLINE_BATCHES).where(of_view, ONLINE_BATCHES.c.batch.in_(part)))
            kept = [
                {"table_name": str(view), "batch": batch, **asdict(one)}
                for batch, one in marks.items()
                if one is not None
            ]
            if kept:
                connection.execute(insert(ONLINE_BATCHES), kept)
            connection.execute(update(ONLINE_VIEWS).where(ONLINE_VIEWS.c.table_name == str(view)).values(kept_at=at))

    def digests(self, stores: Collection[TableId]) -> Mapping[TableId, Mapping[str, str]]:
        """The digests of what was committed last of the batches of some Iceberg tables.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        found: dict[TableId, dict[str, str]] = {store: {} for store in stores}
        query = select(CONTENTS.c.table_name, CONTENTS.c.batch, CONTENTS.c.digest)
        with self._database.reading() as connection:
            for name, batch, digest in connection.execute(query.where(CONTENTS.c.table_name.in_(map(str, stores)))):
                found[TableId.parse(name)][batch] = digest
        return found

    def get(self, view: TableId, hashes: Sequence[str]) -> Mapping[str, OnlineRow]:
        """What is kept of some keys, by their hashes; keys of which nothing is kept are not there.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.reading() as connection:
            return _rows(connection, view, hashes)

    def change(self, view: TableId, hashes: Sequence[str], decide: Decide) -> int:
        """Look at what is kept of some keys and change it, in one transaction.

        Args:
            view: The view.
            hashes: The keys, `KEYS_AT_ONCE` at most.
            decide: What is to be kept. What is kept as it is already is not written.

        Returns:
            How many keys were changed.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.writing() as connection:
            there = _rows(connection, view, hashes)
            wanted, gone = decide(there)
            changed = [one for one in wanted if there.get(one.key_hash) != one]
            replaced = [one.key_hash for one in changed if one.key_hash in there]
            removed = [*replaced, *(one for one in gone if one in there)]
            for part in _parts(removed):
                connection.execute(
                    delete(ONLINE_VALUES).where(
                        ONLINE_VALUES.c.table_name == str(view), ONLINE_VALUES.c.key_hash.in_(part)
                    )
                )
            if changed:
                connection.execute(
                    insert(ONLINE_VALUES), [{"table_name": str(view), **one._asdict()} for one in changed]
                )
        return len(changed) + len(removed) - len(replaced)

    def keys(self, view: TableId, *, batch: str | None = None) -> Iterator[Sequence[tuple[str, str]]]:
        """The hashes and keys of which values are kept, some thousand at once, in the order of the hashes.

        Args:
            view: The view.
            batch: Only of this batch; ``None`` for all.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        query = select(ONLINE_VALUES.c.key_hash, ONLINE_VALUES.c.key).where(ONLINE_VALUES.c.table_name == str(view))
        if batch is not None:
            query = query.where(ONLINE_VALUES.c.batch == batch)
        last = ""
        while True:
            page = query.where(ONLINE_VALUES.c.key_hash > last).order_by(ONLINE_VALUES.c.key_hash).limit(KEYS_AT_ONCE)
            with self._database.reading() as connection:
                found = [(row.key_hash, row.key) for row in connection.execute(page)]
            if not found:
                return
            yield found
            last = found[-1][0]

    def first_from(self, view: TableId, place: str, count: int) -> Mapping[str, OnlineRow]:
        """The rows of the first keys whose hashes begin at a place: with a random place, a sample.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        query = _ROW.where(ONLINE_VALUES.c.table_name == str(view))
        with self._database.reading() as connection:
            rows = connection.execute(
                query.where(ONLINE_VALUES.c.key_hash >= place).order_by(ONLINE_VALUES.c.key_hash).limit(count)
            ).all()
            if len(rows) < count:
                rows = [
                    *rows,
                    *connection.execute(
                        query.where(ONLINE_VALUES.c.key_hash < place)
                        .order_by(ONLINE_VALUES.c.key_hash)
                        .limit(count - len(rows))
                    ),
                ]
        return {row[0]: OnlineRow._make(row) for row in rows}

    def count(self, view: TableId) -> int:
        """Of how many keys values are kept.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.reading() as connection:
            query = select(func.count()).select_from(ONLINE_VALUES).where(ONLINE_VALUES.c.table_name == str(view))
            return int(connection.execute(query).scalar_one())

    def drop(self, view: TableId) -> None:
        """Forget all values of a view.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        for part in self.keys(view):
            hashes = [one for one, _ in part]
            self.change(view, hashes, lambda there: ((), tuple(there)))
        with self._database.writing() as connection:
            for table in (ONLINE_BATCHES, ONLINE_VIEWS):
                connection.execute(delete(table).where(table.c.table_name == str(view)))


def _parts(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    every = iter(names)
    while part := tuple(islice(every, _NAMED_AT_ONCE)):
        yield part


def _rows(connection: Connection, view: TableId, hashes: Sequence[str]) -> dict[str, OnlineRow]:
    found: dict[str, OnlineRow] = {}
    for part in _parts(hashes):
        query = _ROW.where(ONLINE_VALUES.c.table_name == str(view), ONLINE_VALUES.c.key_hash.in_(part))
        found |= {row[0]: OnlineRow._make(row) for row in connection.execute(query).all()}
    return found
