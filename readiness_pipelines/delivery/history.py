"""Since when each row of a table was published, and until when: what a model may learn from, and what it was then.

Beside a table that models learn from lies a history: each row that was ever published, with the time of the commit
that published it, and of the one that took it away or put another in its place. A row that a replay publishes again
as it was is known since it was first; what tells rows apart is all that they hold. A batch's history is replaced with
each of its deliveries, in one commit after the published rows: a delivery that is done again finds what is known
already, and changes nothing.
"""

from datetime import datetime
from uuid import uuid4

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.columns import KNOWN_COLUMNS, PUBLISHED_COLUMNS
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.delivery.commit import commit_rows
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published, is_there
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged
from readiness_pipelines.sql import identifier

_KNOWN_AT, _KNOWN_UNTIL = KNOWN_COLUMNS.names
_BESIDE = frozenset({*PUBLISHED_COLUMNS, *KNOWN_COLUMNS.names})


def known_before(
    table: Table, batch: str, *, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation | None:
    """What is known of a batch before it is delivered, read before the published rows are replaced.

    Where nothing was kept, for the table was not learned from then, its published rows are known since the batch was
    first published.

    Returns:
        The rows of its history; ``None`` where nothing of it was ever published.
    """
    lakehouse, history = installation.lakehouse, table.id.history
    if lakehouse.exists(history):
        kept = lakehouse.relation(engine, history, batch=batch)
        if lakehouse.files(history, batch=batch):
            return kept
    record = installation.ledger.get(BatchRef(table.id, batch))
    if record is None or not is_there(record) or not lakehouse.exists(store_of(table)):
        return None
    return _since_first(table, (batch,), installation=installation, engine=engine)


def keep_history(
    table: Table,
    published: Staged,
    before: duckdb.DuckDBPyRelation | None,
    *,
    attempt: OpenAttempt,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
    run: Run,
    forgets: bool = False,
) -> None:
    """Keep in a batch's history what is published of it from now on.

    Args:
        table: The table.
        published: What was committed to the published table.
        before: What was known of the batch before; see `known_before`.
        attempt: The delivery.
        installation: Where the tables and the ledger are.
        engine: Where the rows of `before` are.
        run: Who, and when.
        forgets: Leave nothing of rows that are not published any more.

    Raises:
        CommitConflictError: Another delivery of the batch has begun.
        LakehouseError: The history cannot be read or written.
    """
    lakehouse, history, batch = installation.lakehouse, table.id.history, published.batch
    schema = history_schema(published.schema)
    lakehouse.ensure(history, schema)
    now = lakehouse.staged_rows(engine, published) if published.files else engine.from_arrow(_no_rows(published))
    rows = merged(engine, before, now, at=run.clock(), forgets=forgets)
    columns = _as_stored(schema, lakehouse.schema(history), rows)
    in_order = rows.project(", ".join(map(identifier, columns.names)))
    staged = lakehouse.stage(history, in_order, batch=batch, schema=columns)
    commit_rows(
        history,
        staged,
        BatchRef(table.id, batch),
        attempt=attempt,
        installation=installation,
        engine=engine,
        run=run,
    )


def history_schema(published: pa.Schema) -> pa.Schema:
    """The columns of a history, by those of the published rows."""
    own = [field for field in published if field.name != "_file"]
    return pa.schema([*own, *KNOWN_COLUMNS])


def merged(
    engine: duckdb.DuckDBPyConnection,
    before: duckdb.DuckDBPyRelation | None,
    published: duckdb.DuckDBPyRelation,
    *,
    at: datetime,
    forgets: bool = False,
) -> duckdb.DuckDBPyRelation:
    """What is known of a batch once some rows are published of it.

    Args:
        engine: Where the relations are.
        before: What was known of it; ``None`` for nothing.
        published: The rows that are published from now on: all that are.
        at: The time of now.
        forgets: Leave nothing of rows that are not published any more.
    """
    moment = f"TIMESTAMPTZ '{at.isoformat()}'"
    shown_now = published.project(_without(published, {"_file"}))
    if before is None:
        return shown_now.project(f"*, {moment} AS {_KNOWN_AT}, NULL::TIMESTAMPTZ AS {_KNOWN_UNTIL}")
    names = [name for name in dict.fromkeys((*shown_now.columns, *before.columns)) if name not in _BESIDE]
    # Both with the columns of both, in one type: a column may have joined the table, or become wider.
    first, second = view_of(before), view_of(shown_now)
    old = view_of(engine.sql(f"FROM {first} UNION ALL BY NAME FROM {second} WHERE false"))
    new = view_of(engine.sql(f"FROM {second} UNION ALL BY NAME FROM {first} WHERE false"))
    values = ", ".join(map(identifier, names))
    same = " AND ".join(f"o.{identifier(name)} IS NOT DISTINCT FROM n.{identifier(name)}" for name in (*names, "_copy"))
    shown = ", ".join(f"coalesce(n.{identifier(name)}, o.{identifier(name)}) AS {identifier(name)}" for name in names)
    closed = "" if forgets else f"UNION ALL BY NAME FROM {old} WHERE {_KNOWN_UNTIL} IS NOT NULL"
    return engine.sql(
        f"""
        WITH o AS (
            SELECT *, row_number() OVER (PARTITION BY {values} ORDER BY {_KNOWN_AT}, _row) AS _copy
            FROM {old} WHERE {_KNOWN_UNTIL} IS NULL
        ), n AS (
            SELECT *, row_number() OVER (PARTITION BY {values} ORDER BY _row) AS _copy FROM {new}
        ), both_of AS (
            SELECT {shown},
                coalesce(n._batch, o._batch) AS _batch,
                coalesce(n._row, o._row) AS _row,
                coalesce(o.{_KNOWN_AT}, {moment}) AS {_KNOWN_AT},
                CASE WHEN n._copy IS NULL THEN greatest({moment}, o.{_KNOWN_AT}) END AS {_KNOWN_UNTIL},
                n._copy IS NULL AS _gone
            FROM o FULL OUTER JOIN n ON {same}
        )
        SELECT * EXCLUDE (_gone) FROM both_of {"WHERE NOT _gone" if forgets else ""}
        {closed}
        """
    )


def history_of(
    table: Table, batches: tuple[str, ...], *, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """All that was ever published of some batches of a table, with since when and until when.

    Of batches that were published before a history was kept, the rows that are published now, since the batch first
    was.

    Args:
        table: The table.
        batches: The batches.
        installation: Where the tables and the ledger are.
        engine: Where the relation lives.

    Raises:
        LakehouseError: A table cannot be read, or there is nothing published of the table.
    """
    lakehouse, history = installation.lakehouse, table.id.history
    has = {file.batch for file in lakehouse.files(history)} if lakehouse.exists(history) else frozenset[str]()
    published = Published(installation.ledger)
    # A history without a row has no file: what is published of the batch has none, either.
    without = tuple(batch for batch in published.batches(table) if batch in batches and batch not in has)
    parts = []
    if kept := tuple(batch for batch in batches if batch in has):
        parts.append(lakehouse.relation(engine, history, batch=kept))
    if without or not parts:
        parts.append(_since_first(table, without, installation=installation, engine=engine))
    if len(parts) == 1:
        return parts[0]
    first, second = map(view_of, parts)
    return engine.sql(f"FROM {first} UNION ALL BY NAME FROM {second}")


def view_of(relation: duckdb.DuckDBPyRelation) -> str:
    """A name in DuckDB for a relation, which no other has."""
    name = f"rows_{uuid4().hex[:12]}"
    relation.create_view(name)
    return name


def _since_first(
    table: Table, batches: tuple[str, ...], *, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """The rows of batches of which no history was kept, as the ledger has them: known since they first were."""
    ledger, lakehouse = installation.ledger, installation.lakehouse
    found = ledger.publications(tables=[table.id]).get(table.id, ())
    times = {one.batch: one.first_at for one in found if one.batch in batches}
    rows = lakehouse.relation(engine, store_of(table), batch=("",))
    for batch in times:
        record = ledger.get(BatchRef(table.id, batch))
        if record is not None and record.snapshots.published is not None:
            # As the ledger has it: what a delivery that was killed put there was not known then.
            then = lakehouse.relation(
                engine, store_of(table), batch=batch, snapshot_id=record.snapshots.published, or_current=True
            )
            rows = engine.sql(f"FROM {view_of(rows)} UNION ALL BY NAME FROM {view_of(then)}")
    since = " ".join(f"WHEN '{batch}' THEN TIMESTAMPTZ '{at.isoformat()}'" for batch, at in times.items())
    case = f"CASE _batch {since} END" if times else "NULL::TIMESTAMPTZ"
    return rows.project(f"{_without(rows, {'_file'})}, {case} AS {_KNOWN_AT}, NULL::TIMESTAMPTZ AS {_KNOWN_UNTIL}")


def _without(rows: duckdb.DuckDBPyRelation, names: set[str]) -> str:
    return ", ".join(identifier(name) for name in rows.columns if name not in names)


def _no_rows(staged: Staged) -> pa.Table:
    return staged.schema.empty_table()


def _as_stored(new: pa.Schema, there: pa.Schema, rows: duckdb.DuckDBPyRelation) -> pa.Schema:
    """The columns of rows as they are to be stored: those of now, and those that older rows have."""
    return pa.schema([new.field(name) if name in new.names else there.field(name) for name in rows.columns])
