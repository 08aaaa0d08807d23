"""Batches: one record for each, of where it stands."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts.readers import Origin
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.keys import batch_key, batch_of, in_tables, is_batch, is_table
from readiness_pipelines.ledger.moves import check_move
from readiness_pipelines.ledger.records import BatchRecord, Snapshots, StoredColumn
from readiness_pipelines.ledger.tables import BATCHES
from readiness_pipelines.names import TableId

VISIBLE = tuple(state.value for state in BatchState if state.visible)


def get_record(connection: Connection, ref: BatchRef) -> BatchRecord | None:
    """Where a batch stands; ``None`` if the ledger has not seen it."""
    row = connection.execute(select(BATCHES).where(is_batch(BATCHES, ref))).one_or_none()
    return None if row is None else _record(row)


def move_batch(connection: Connection, record: BatchRecord) -> None:
    """Put a record in place of the batch's last one.

    Raises:
        LedgerError: A move that is not allowed.
    """
    here = is_batch(BATCHES, record.ref)
    before = connection.execute(select(BATCHES.c.state).where(here).with_for_update()).scalar_one_or_none()
    check_move(record.ref, BatchState(before) if before else None, record.state)
    if before is None:
        connection.execute(insert(BATCHES).values(**batch_key(record.ref), **_values(record)))
    else:
        connection.execute(update(BATCHES).where(here).values(**_values(record)))


def note_arrival(connection: Connection, ref: BatchRef, arrival: str | None) -> None:
    """Note that what arrived holds what was ingested already."""
    connection.execute(update(BATCHES).where(is_batch(BATCHES, ref)).values(arrival=arrival))


def record_digest(record: BatchRecord) -> str:
    """SHA-256 of all that is kept of a batch, but for its arrival, which may be noted again without a new verdict."""
    values = {name: value for name, value in _values(record).items() if name != "arrival"}
    if not record.counts.erased:
        del values["erased"]  # records of before there were erasures keep their digest
    return sha256(json.dumps(values, sort_keys=True, default=_plain_time).encode()).hexdigest()


def _plain_time(value: Any) -> str:
    assert isinstance(value, datetime)  # noqa: S101  # all else is JSON
    return value.astimezone(UTC).isoformat()


def check_counts(record: BatchRecord) -> None:
    """Refuse a verdict that does not account for every row.

    Raises:
        LedgerError: Rows that are nowhere, or twice.
    """
    counts = record.counts
    arrived = record.state in (BatchState.INGESTED, BatchState.SEALED)
    if not (counts.accounted or arrived or (record.state is BatchState.OPEN and record.ref.table.is_raw)):
        raise LedgerError(
            f"{record.ref} does not add up: {counts.ingested} ingested, but {counts.published} published + "
            f"{counts.quarantined} quarantined + {counts.discarded} discarded + {counts.erased} erased",
            way_out=f"readiness status {record.ref.table}",
        )


def check_reason(connection: Connection, ref: BatchRef, why: str, what: str) -> None:
    """Refuse what people want of a batch without a reason, or of a batch that the ledger does not know.

    Args:
        connection: The ledger.
        ref: The batch.
        why: The reason.
        what: What they want, for the error: "decision about".

    Raises:
        LedgerError: No reason, or an unknown batch.
    """
    if not why.strip():
        raise LedgerError(f"the {what} {ref} has no reason", way_out='give one: --reason "…"')
    if connection.execute(select(BATCHES.c.state).where(is_batch(BATCHES, ref))).first() is None:
        raise LedgerError(f"the ledger knows no batch {ref}", way_out=f"readiness status {ref.table}")


def records(
    connection: Connection,
    tables: Collection[TableId] | None,
    state: BatchState | None,
    *,
    waiting: bool = False,
) -> tuple[BatchRecord, ...]:
    """The records of some tables and a state, by table and batch; with `waiting`, those of which rows wait."""
    query = select(BATCHES).order_by(BATCHES.c.table_name, BATCHES.c.batch)
    if tables is not None:
        query = query.where(in_tables(BATCHES, tables))
    if state is not None:
        query = query.where(BATCHES.c.state == state.value)
    if waiting:
        query = query.where(BATCHES.c.quarantined > 0)
    return tuple(map(_record, connection.execute(query)))


def visible_batches(connection: Connection, table: TableId) -> frozenset[str]:
    """The batches of a table of which the last verdict published rows."""
    query = select(BATCHES.c.batch).where(is_table(BATCHES, table), BATCHES.c.state.in_(VISIBLE))
    return frozenset(connection.execute(query).scalars())


def latest_records(connection: Connection, tables: Collection[TableId]) -> Mapping[TableId, BatchRecord]:
    """The batch of each of some tables that came last to where it is."""
    last = select(BATCHES.c.table_name, func.max(BATCHES.c.updated_at).label("at"))
    newest = last.where(in_tables(BATCHES, tables)).group_by(BATCHES.c.table_name).subquery()
    same = (BATCHES.c.table_name == newest.c.table_name) & (BATCHES.c.updated_at == newest.c.at)
    query = select(BATCHES).join(newest, same).order_by(BATCHES.c.table_name, BATCHES.c.batch)
    return {record.ref.table: record for record in map(_record, connection.execute(query))}


def _values(record: BatchRecord) -> dict[str, Any]:
    return {
        "state": record.state.value,
        **asdict(record.counts),
        "unreadable": record.unreadable_rows,
        **{f"{name}_snapshot": snapshot for name, snapshot in asdict(record.snapshots).items()},
        "gate_version": record.gate_version,
        "run_id": record.run_id,
        "attempt": record.attempt,
        "reason": record.reason,
        "inputs": {str(table): dict(snapshots) for table, snapshots in record.inputs.items()},
        "origins": [_origin_values(origin) for origin in record.origins],
        "arrival": record.arrival,
        "columns": [asdict(column) for column in record.columns],
        "updated_at": record.updated_at,
        "newest_event_at": record.newest_event_at,
    }


def _record(row: Any) -> BatchRecord:
    return BatchRecord(
        ref=batch_of(row),
        state=BatchState(row.state),
        counts=Counts(
            ingested=row.ingested,
            published=row.published,
            quarantined=row.quarantined,
            discarded=row.discarded,
            erased=row.erased,
        ),
        gate_version=row.gate_version,
        run_id=row.run_id,
        attempt=row.attempt,
        reason=row.reason,
        snapshots=Snapshots(raw=row.raw_snapshot, quarantine=row.quarantine_snapshot, published=row.published_snapshot),
        inputs={TableId.parse(table): snapshots for table, snapshots in row.inputs.items()},
        origins=tuple(map(_origin, row.origins)),
        arrival=row.arrival,
        columns=tuple(StoredColumn(**column) for column in row.columns),
        unreadable_rows=row.unreadable,
        updated_at=row.updated_at,
        newest_event_at=row.newest_event_at,
    )


def _origin_values(origin: Origin) -> dict[str, Any]:
    return {**asdict(origin), "arrived_at": origin.arrived_at.isoformat() if origin.arrived_at else None}


def _origin(stored: Mapping[str, Any]) -> Origin:
    arrived_at = stored["arrived_at"]
    return Origin(**{**stored, "arrived_at": datetime.fromisoformat(arrived_at) if arrived_at else None})
