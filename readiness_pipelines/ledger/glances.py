"""Light looks over many batches at once, for pages: where they stand, without what each was read from and made of."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, String, cast, func, select

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.ledger.keys import batch_of, in_tables, is_table
from readiness_pipelines.ledger.tables import BATCHES, DECISIONS, FINDINGS, INCIDENT_EVENTS, REQUESTS, TRAIL
from readiness_pipelines.names import TableId

ASSIGNED = "assigned"
"""What the trail calls it that somebody looks after a batch from now on."""

_COUNTS = ("ingested", "published", "quarantined", "discarded", "erased")
_COLUMNS = ("table_name", "batch", "state", *_COUNTS, "reason", "gate_version", "run_id", "updated_at")
_SHOWN = tuple(state.value for state in BatchState if state.visible or state.keeps_older)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchGlance:
    """Where a batch stands, in brief; attributes as of a `BatchRecord`."""

    ref: BatchRef
    state: BatchState
    counts: Counts
    reason: str | None
    gate_version: str | None
    run_id: str | None
    updated_at: datetime


class ShownBatch(NamedTuple):
    """A batch of which consumers see rows: from which snapshot, and which delivery was its last."""

    snapshot: int
    attempt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who looks after a batch: the person, who said so, when, and why."""

    ref: BatchRef
    person: str
    who: str
    at: datetime
    why: str | None


def batch_keys(connection: Connection, table: TableId) -> tuple[str, ...]:
    """The keys of a table's batches, in no order."""
    return tuple(connection.execute(select(BATCHES.c.batch).where(is_table(BATCHES, table))).scalars())


def glances(
    connection: Connection,
    tables: Collection[TableId] | None,
    *,
    waiting: bool = False,
    batches: Collection[str] | None = None,
) -> tuple[BatchGlance, ...]:
    """The batches of some tables, in brief; with `waiting`, those of which rows wait; with `batches`, only these."""
    query = select(*(BATCHES.c[name] for name in _COLUMNS))
    if tables is not None:
        query = query.where(in_tables(BATCHES, tables))
    if waiting:
        query = query.where(BATCHES.c.quarantined > 0)
    if batches is not None:
        query = query.where(BATCHES.c.batch.in_(sorted(batches)))
    return tuple(
        BatchGlance(
            ref=batch_of(row),
            state=BatchState(row.state),
            counts=Counts(**{name: getattr(row, name) for name in _COUNTS}),
            reason=row.reason,
            gate_version=row.gate_version,
            run_id=row.run_id,
            updated_at=row.updated_at,
        )
        for row in connection.execute(query)
    )


def shown_batches(connection: Connection, table: TableId) -> Mapping[str, ShownBatch]:
    """The batches of a table of which consumers see rows: of their last verdict, or of one before."""
    columns = BATCHES.c.batch, BATCHES.c.published_snapshot, BATCHES.c.attempt
    query = select(*columns).where(is_table(BATCHES, table), BATCHES.c.state.in_(_SHOWN))
    rows = connection.execute(query.where(BATCHES.c.published_snapshot.is_not(None))).tuples()
    return {batch: ShownBatch(snapshot, attempt) for batch, snapshot, attempt in rows}


def counted_batches(connection: Connection, tables: Collection[TableId]) -> Mapping[TableId, Mapping[BatchState, int]]:
    """How many batches of each of some tables are in each state."""
    query = select(BATCHES.c.table_name, BATCHES.c.state, func.count().label("batches"))
    query = query.where(in_tables(BATCHES, tables)).group_by(BATCHES.c.table_name, BATCHES.c.state)
    found: dict[TableId, dict[BatchState, int]] = {}
    for row in connection.execute(query):
        found.setdefault(TableId.parse(row.table_name), {})[BatchState(row.state)] = row.batches
    return found


def recorded_inputs(connection: Connection) -> Mapping[BatchRef, Mapping[TableId, Mapping[str, int]]]:
    """What each batch that was made of others was made of."""
    query = select(BATCHES.c.table_name, BATCHES.c.batch, BATCHES.c.inputs)
    query = query.where(cast(BATCHES.c.inputs, String) != "{}")
    return {
        batch_of(row): {TableId.parse(table): snapshots for table, snapshots in row.inputs.items()}
        for row in connection.execute(query)
    }


def assignments(connection: Connection, refs: Iterable[BatchRef]) -> Mapping[BatchRef, Assignment]:
    """Who looks after each of some batches, as far as somebody does."""
    wanted = set(refs)
    if not wanted:
        return {}
    query = select(TRAIL).where(in_tables(TRAIL, {ref.table for ref in wanted}), TRAIL.c.what == ASSIGNED)
    return {
        batch_of(row): Assignment(ref=batch_of(row), person=row.details["person"], who=row.who, at=row.at, why=row.why)
        for row in connection.execute(query.order_by(TRAIL.c.id))
        if batch_of(row) in wanted
    }


def pulse(connection: Connection) -> tuple[int, ...]:
    """Numbers of which one grows whenever something happens that pages show."""
    newest = (select(func.coalesce(func.max(one.c.id), 0)).scalar_subquery() for one in _GROWING)
    return tuple(connection.execute(select(*newest)).one())


_GROWING = (TRAIL, DECISIONS, INCIDENT_EVENTS, FINDINGS, REQUESTS)
