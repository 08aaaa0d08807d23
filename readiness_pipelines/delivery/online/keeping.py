"""The latest values of a feature view by key, kept in the ledger's database after each of its deliveries.

What a batch publishes is held against what is kept: the newer row of each key stays. Only where a batch takes away
what was the newest of a key, the history of that key is read. From which rows the values of a batch were kept is noted
last, by their digest: a process that dies before leaves a batch that is known to be stale, and whoever delivers,
repairs or refreshes next keeps it again, which changes nothing where it was kept already.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts import FeatureView, Table
from readiness_pipelines.delivery.event_times import refuse_other_types
from readiness_pipelines.delivery.history import history_of, view_of
from readiness_pipelines.delivery.online.columns import kept_features
from readiness_pipelines.delivery.online.encoding import as_text, column_texts, from_text, hash_of, kind_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import KEYS_AT_ONCE, OnlineMark, OnlineRow, OnlineView
from readiness_pipelines.products import FeatureHistory, latest_query, next_query
from readiness_pipelines.sql import identifier

TURN = "online"
"""What is taken turns for, as if it were a batch: two processes must not keep one view's values at once."""

_LATEST, _SEEN, _STORED, _WANTED = "_latest", "_seen", "_stored", "_wanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptValues:
    """What was done to the latest values of a view.

    Attributes:
        batches: The batches that they were kept from.
        changed: The keys whose values were changed.
        whole: Whether all were computed anew.
    """

    batches: tuple[str, ...] = ()
    changed: int = 0
    whole: bool = False


def keep_online(table: Table, *, installation: Installation, run: Run) -> KeptValues:
    """Bring the latest values of a feature view to what is published. Does nothing for other tables.

    Raises:
        DeclarationError: A key that must not leave the lakehouse.
        LakehouseError: The history cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    if not isinstance(table, FeatureView) or not installation.keeps_online:
        return KeptValues()
    online = installation.ledger.online_values
    state = online.view(table.id)
    if not table.online:
        if state is not None:
            online.drop(table.id)
        return KeptValues()
    with installation.lakehouse.turn(str(table.id), TURN, run_id=run.run_id):
        keeper = Keeper(table, installation, run)
        state = online.view(table.id)
        if not keeper.is_there:
            return KeptValues()
        if state is None or state.definition != keeper.definition or is_overtaken(state, run.clock()):
            return keeper.refresh()
        return keeper.follow(stale_batches_of(table, installation))


def refresh_online(view: FeatureView, *, installation: Installation, run: Run) -> KeptValues:
    """Compute all latest values of a view anew; what is kept as it should be is not written.

    Raises:
        DeclarationError: A key that must not leave the lakehouse.
        LakehouseError: The history cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    with installation.lakehouse.turn(str(view.id), TURN, run_id=run.run_id):
        keeper = Keeper(view, installation, run)
        return keeper.refresh() if keeper.is_there else KeptValues(whole=True)


def is_overtaken(state: OnlineView, now: datetime) -> bool:
    """Whether a row that told of a time ahead counts by now, and is not looked up yet."""
    return state.ahead_us is not None and state.ahead_us <= now.timestamp() * 1e6


def stale_batches_of(view: FeatureView, installation: Installation) -> Mapping[str, OnlineMark | None]:
    """The batches whose values are not kept as they are published, with what they should be kept from.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    wanted = _marks(view, installation)
    kept = installation.ledger.online_values.marks(view.id)
    there: dict[str, OnlineMark | None] = {
        batch: mark for batch, mark in wanted.items() if batch not in kept or kept[batch].digest != mark.digest
    }
    return there | dict.fromkeys(kept.keys() - wanted.keys())


def _marks(view: FeatureView, installation: Installation) -> dict[str, OnlineMark]:
    history, store = view.id.history, store_of(view)
    digests = installation.ledger.online_values.digests((history, store))
    found = {}
    for batch, shown in installation.ledger.shown_batches(view.id).items():
        digest = digests[history].get(batch) or digests[store].get(batch) or f"attempt {shown.attempt}"
        found[batch] = OnlineMark(digest=digest, snapshot=shown.snapshot)
    return found


def history_facts(
    view: FeatureView, features: Sequence[str], batches: Sequence[str], rows: str, *, order: Sequence[str]
) -> FeatureHistory:
    """A view's history, and how it is read.

    Args:
        view: The view.
        features: The features that are read.
        batches: The batches that are read.
        rows: The name of the history in DuckDB.
        order: All batches, from old to new.
    """
    return FeatureHistory(
        rows=rows,
        entity=view.entity,
        columns={name: name for name in features},
        event_time=view.event_time,
        known_at=view.known_at,
        batches=[one for one in order if one in set(batches)],
    )


class Keeper:
    """Keeps the values of one view; nobody else does meanwhile."""

    def __init__(self, view: FeatureView, installation: Installation, run: Run) -> None:
        self._view = view
        self._installation = installation
        self._online = installation.ledger.online_values
        self._run = run
        self._now = run.clock()

    @property
    def is_there(self) -> bool:
        """Whether anything of the view was ever published."""
        lakehouse = self._installation.lakehouse
        return lakehouse.exists(self._view.id.history) or lakehouse.exists(store_of(self._view))

    @cached_property
    def _schema(self) -> pa.Schema:
        lakehouse, history = self._installation.lakehouse, self._view.id.history
        return lakehouse.schema(history if lakehouse.exists(history) else store_of(self._view))

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features that are kept."""
        return kept_features(self._view, self._schema.names)[0]

    @cached_property
    def entity(self) -> tuple[tuple[str, str], ...]:
        """The entity's columns, with the kinds of their values."""
        return tuple((name, kind_of(name, self._schema.field(name).type)) for name in self._view.entity)

    @cached_property
    def definition(self) -> str:
        """Tells what is kept from what another declaration would keep."""
        facts = [self.entity, sorted(self.features), self._view.event_time, self._view.known_at]
        return sha256(json.dumps(facts).encode()).hexdigest()

    def refresh(self) -> KeptValues:
        """Keep all values anew."""
        wanted = _marks(self._view, self._installation)
        with self._engine() as engine:
            ahead = self._find_latest(engine, tuple(wanted))
            changed = 0
            for rows in self._pages(engine):
                changed += self._put(rows)
            changed += self._delete(engine, batch=None)
        marks: dict[str, OnlineMark | None] = dict.fromkeys(self._online.marks(self._view.id))
        self._note(ahead)
        self._online.mark(self._view.id, marks | wanted, at=self._now)
        return KeptValues(batches=tuple(wanted), changed=changed, whole=True)

    def follow(self, stale: Mapping[str, OnlineMark | None]) -> KeptValues:
        """Keep the values of some batches."""
        changed = 0
        for batch, mark in stale.items():
            with self._engine() as engine:
                changed += self._follow_batch(engine, batch, there=mark is not None)
            self._online.mark(self._view.id, {batch: mark}, at=self._now)
        return KeptValues(batches=tuple(stale), changed=changed)

    def _follow_batch(self, engine: duckdb.DuckDBPyConnection, batch: str, *, there: bool) -> int:
        ahead = self._find_latest(engine, (batch,) if there else ())
        changed = 0
        lost: list[str] = []
        for rows in self._pages(engine):
            changed += self._put_newer(rows, lost)
        self._store_missing(engine, batch)
        missing = [key for (key,) in engine.sql(f"SELECT key FROM {_STORED}").fetchall()]
        if lost or missing:
            changed += self._look_back(engine, [*lost, *missing])
        state = self._online.view(self._view.id)
        if ahead is not None and (state is None or state.ahead_us is None or ahead < state.ahead_us):
            self._note(ahead)
        return changed

    def _put_newer(self, rows: Sequence[OnlineRow], lost: list[str]) -> int:
        """Keep rows where they are newer than what is kept; keys whose newest row is gone are lost."""

        def decide(there: Mapping[str, OnlineRow]) -> tuple[list[OnlineRow], tuple[str, ...]]:
            wanted = []
            for row in rows:
                kept = there.get(row.key_hash)
                if kept is None or self._place(row) >= self._place(kept):
                    wanted.append(row)
                elif kept.batch == row.batch:
                    lost.append(row.key)
            return wanted, ()

        return self._online.change(self._view.id, [row.key_hash for row in rows], decide)

    def _put(self, rows: Sequence[OnlineRow]) -> int:
        return self._online.change(self._view.id, [row.key_hash for row in rows], lambda _there: (rows, ()))

    def _place(self, row: OnlineRow) -> tuple[object, ...]:
        """What sorts rows of a key from old to new."""
        order = self._view.batches.order(row.batch)
        if row.event_us is None:
            return (order, row.published_us, row.row_number)
        return (row.event_us, row.published_us, order, row.row_number)

    def published(self, engine: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> dict[str, OnlineRow]:
        """The newest rows of some keys in the whole history, by hash: what should be kept of them."""
        self._find_latest_of(engine, keys)
        return {row.key_hash: row for rows in self._pages(engine) for row in rows}

    def sample_keys(self, engine: duckdb.DuckDBPyConnection, count: int) -> list[str]:
        """Some keys of the history, drawn."""
        batches = Published(self._installation.ledger).batches(self._view)
        history = history_of(self._view, tuple(batches), installation=self._installation, engine=engine)
        columns = ", ".join(map(identifier, self._view.entity))
        named = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in self._view.entity)
        every = f"SELECT DISTINCT {columns} FROM {view_of(history)} WHERE {named}"
        drawn = engine.sql(f"FROM ({every}) USING SAMPLE reservoir({count} ROWS)")
        return key_texts(drawn.to_arrow_table(), self._view.entity)

    def _find_latest_of(self, engine: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> None:
        values = [from_text(key) for key in keys]
        columns = {
            name: pa.array([one[place] for one in values], self._schema.field(name).type)
            for place, (name, _) in enumerate(self.entity)
        }
        engine.execute(f"DROP TABLE IF EXISTS {_WANTED}")
        engine.from_arrow(pa.table(columns)).create(_WANTED)
        batches = Published(self._installation.ledger).batches(self._view)
        self._find_latest(engine, tuple(batches), of_keys=_WANTED)

    def _look_back(self, engine: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> int:
        """Find the newest rows of some keys in the whole history; those that have none are not kept any more."""
        self._find_latest_of(engine, keys)
        hashes = {hash_of(key) for key in keys}
        changed = 0
        for rows in self._pages(engine):
            changed += self._put(rows)
            hashes -= {row.key_hash for row in rows}
        return changed + self._remove(sorted(hashes))

    def _find_latest(
        self, engine: duckdb.DuckDBPyConnection, batches: tuple[str, ...], *, of_keys: str | None = None
    ) -> int | None:
        """Make the table of the newest rows in some batches; when the next one begins to count, as microseconds."""
        order = Published(self._installation.ledger).batches(self._view)
        history = history_of(self._view, batches, installation=self._installation, engine=engine)
        for column in (self._view.event_time, self._view.known_at):
            if column in history.columns:
                refuse_other_types(history, column, reader=self._view.id, source=self._view.id)
        rows = view_of(history)
        if of_keys is not None:
            same = " AND ".join(f"h.{identifier(name)} = w.{identifier(name)}" for name in self._view.entity)
            rows = view_of(engine.sql(f"FROM {rows} h SEMI JOIN {of_keys} w ON {same}"))
        lacking = [name for name in self.features if name not in history.columns]
        if lacking:
            nothing = ", ".join(f"NULL AS {identifier(name)}" for name in lacking)
            rows = view_of(engine.sql(f"SELECT *, {nothing} FROM {rows}"))
        facts = history_facts(self._view, self.features, batches, rows, order=order)
        engine.execute(f"DROP TABLE IF EXISTS {_LATEST}; DROP TABLE IF EXISTS {_SEEN}")
        engine.execute(f"CREATE TEMP TABLE {_LATEST} AS {latest_query(facts, as_of=self._now)}")
        engine.execute(f"CREATE TEMP TABLE {_SEEN} (key_hash VARCHAR)")
        ((ahead,),) = engine.sql(next_query(facts, as_of=self._now)).fetchall()
        return None if ahead is None else int(ahead)

    def _pages(self, engine: duckdb.DuckDBPyConnection) -> Iterator[list[OnlineRow]]:
        """The newest rows, some thousand at once; their keys are noted as seen."""
        ((count,),) = engine.sql(f"SELECT count(*) FROM {_LATEST}").fetchall()
        for start in range(0, count, KEYS_AT_ONCE):
            page = engine.sql(f"FROM {_LATEST} WHERE rowid >= {start} AND rowid < {start + KEYS_AT_ONCE}")
            rows = online_rows(page.to_arrow_table(), self._view.entity, self.features)
            engine.from_arrow(pa.table({"key_hash": [row.key_hash for row in rows]})).insert_into(_SEEN)
            yield rows

    def _store_missing(self, engine: duckdb.DuckDBPyConnection, batch: str | None) -> None:
        """Make the table of the keys that are kept and were not seen."""
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {_STORED} (key_hash VARCHAR, key VARCHAR)")
        for part in self._online.keys(self._view.id, batch=batch):
            hashes, keys = zip(*part, strict=True)
            engine.from_arrow(pa.table({"key_hash": list(hashes), "key": list(keys)})).insert_into(_STORED)
        engine.execute(f"DELETE FROM {_STORED} WHERE key_hash IN (SELECT key_hash FROM {_SEEN})")

    def _delete(self, engine: duckdb.DuckDBPyConnection, batch: str | None) -> int:
        self._store_missing(engine, batch)
        return self._remove([one for (one,) in engine.sql(f"SELECT key_hash FROM {_STORED}").fetchall()])

    def _remove(self, hashes: Sequence[str]) -> int:
        changed = 0
        for start in range(0, len(hashes), KEYS_AT_ONCE):
            part = hashes[start : start + KEYS_AT_ONCE]
            changed += self._online.change(self._view.id, part, lambda there: ((), tuple(there)))
        return changed

    def _note(self, ahead: int | None) -> None:
        before = self._online.view(self._view.id)
        state = OnlineView(
            definition=self.definition, entity=self.entity, kept_at=self._now, ahead_us=ahead, per_record=None
        )
        if before is not None:
            state = replace(state, per_record=before.per_record)
        self._online.note_view(self._view.id, state)

    def _engine(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return self._installation.engine(f"the latest values of {self._view.id}")


def online_rows(rows: pa.Table, entity: Iterable[str], features: Iterable[str]) -> list[OnlineRow]:
    """The newest rows of keys, as `latest_query` gives them, as they are kept."""
    names = tuple(features)
    keys, columns = key_texts(rows, entity), [_texts(rows, name) for name in names]
    heads = [f"{as_text(name)}:" for name in names]
    cells = zip(*columns, strict=True) if names else iter([()] * len(rows))
    texts = ['{"struct":{' + ",".join(map(str.__add__, heads, one)) + "}}" for one in cells]
    beside = zip(*(rows[name].to_pylist() for name in _BESIDE), strict=True)
    return [
        OnlineRow(
            key_hash=hash_of(key),
            key=key,
            features=text,
            batch=batch,
            event_us=event,
            published_us=published,
            known_us=known,
            row_number=row,
        )
        for key, text, (batch, row, event, published, known) in zip(keys, texts, beside, strict=True)
    ]


_BESIDE = ("_batch", "_row", "__event_us", "__published_us", "__known_us")


def key_texts(rows: pa.Table, entity: Iterable[str]) -> list[str]:
    """The keys of rows, as they are kept: what is equal is written equally."""
    return [f"[{','.join(key)}]" for key in zip(*(_texts(rows, name) for name in entity), strict=True)]


def _texts(rows: pa.Table, name: str) -> list[str]:
    return [text for chunk in rows[name].chunks for text in column_texts(chunk)]
