"""Outcomes: what became of batches, in few columns, for views over thousands of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, select

from readiness_pipelines.batches import BatchState, Counts, Publication
from readiness_pipelines.ledger.batches import VISIBLE
from readiness_pipelines.ledger.keys import in_tables, table_of
from readiness_pipelines.ledger.tables import BATCHES, PROFILES, SHAPES, TRAIL
from readiness_pipelines.ledger.trail import WITHDRAWN
from readiness_pipelines.names import TableId

_ROWS = ("ingested", "published", "quarantined", "discarded", "erased")
_STATES = {state.value: state for state in BatchState}
_TURNS = tuple(dict.fromkeys((*(state.value for state in BatchState), *WITHDRAWN)))


class OutcomeRecord(NamedTuple):
    """What became of a batch, without what it was made of.

    Attributes:
        batch: The batch.
        state: Where it stands.
        rows: Its rows: ingested, published, quarantined, discarded, erased.
    """

    batch: str
    state: BatchState
    rows: tuple[int, int, int, int, int]

    @property
    def counts(self) -> Counts:
        """Its rows, accounted for."""
        return counts_of([self])


def counts_of(outcomes: Iterable[OutcomeRecord]) -> Counts:
    """The rows of some batches together."""
    sums = [sum(column) for column in zip(*(one.rows for one in outcomes), strict=True)] or [0] * len(_ROWS)
    return Counts(**dict(zip(_ROWS, sums, strict=True)))


class StateChange(NamedTuple):
    """A batch came to a state, at a time, in UTC; or was withdrawn."""

    batch: str
    what: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The batches of a table, added up.

    Attributes:
        batches: How many are in each state.
        counts: Their rows, accounted for.
        gated: How many of those that publish rows were judged by each version of its gate; under "" by none.
        snapshots: How many of those that publish rows name the Iceberg snapshot that holds them.
        last_at: When the last of them came to where it is, in UTC.
    """

    batches: Mapping[BatchState, int]
    counts: Counts
    gated: Mapping[str, int]
    snapshots: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the ledger keeps beside the batches of a table: how many profiles; who accepted its source's columns last.

    Attributes:
        profiles: Batches with a profile.
        accepted_by: Who accepted the columns that hold now; "" where nobody has yet.
        shapes: How often other columns were accepted.
    """

    profiles: int
    accepted_by: str
    shapes: int


def outcomes(connection: Connection, tables: Collection[TableId]) -> Mapping[TableId, Sequence[OutcomeRecord]]:
    """What became of the batches of some tables, by table."""
    columns = ("table_name", "batch", "state", *_ROWS)
    query = select(*(BATCHES.c[name] for name in columns)).where(in_tables(BATCHES, tables))
    found: dict[str, list[OutcomeRecord]] = {}
    for table, batch, state, one, two, three, four, five in connection.execute(query).tuples():
        found.setdefault(table, []).append(OutcomeRecord(batch, _STATES[state], (one, two, three, four, five)))
    return {TableId.parse(table): some for table, some in found.items()}


def turns(connection: Connection, tables: Collection[TableId]) -> Mapping[TableId, Sequence[StateChange]]:
    """When the batches of some tables came to each of their states, by table, in the order in which it happened."""
    columns = (TRAIL.c.table_name, TRAIL.c.batch, TRAIL.c.what, TRAIL.c.at)
    query: Select[Any] = select(*columns).where(in_tables(TRAIL, tables), TRAIL.c.what.in_(_TURNS))
    found: dict[str, list[StateChange]] = {}
    for table, batch, what, at in connection.execute(query.order_by(TRAIL.c.id)).tuples():
        found.setdefault(table, []).append(StateChange(batch, what, at))
    return {TableId.parse(table): some for table, some in found.items()}


def shown_by(turns: Iterable[StateChange]) -> tuple[Publication, ...]:
    """The batches that consumers see after some turns of a table's: as `Ledger.publications`, without event times."""
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}
    shown: dict[str, bool] = {}
    for batch, what, at in turns:
        if what in VISIBLE:
            first.setdefault(batch, at)
            last[batch], shown[batch] = at, True
        elif what in WITHDRAWN:
            shown[batch] = False
    return tuple(
        Publication(batch=batch, first_at=first[batch], last_at=last[batch]) for batch, still in shown.items() if still
    )


def tallies(connection: Connection, tables: Collection[TableId]) -> Mapping[TableId, Tally]:
    """The batches of some tables, added up by the database, for those that have any."""
    shown = case((BATCHES.c.published_snapshot.is_not(None), 1), else_=0)
    query = (
        select(
            BATCHES.c.table_name,
            BATCHES.c.state,
            BATCHES.c.gate_version,
            func.count().label("batches"),
            func.sum(shown).label("snapshots"),
            func.max(BATCHES.c.updated_at).label("last_at"),
            *(func.sum(BATCHES.c[name]).label(name) for name in _ROWS),
        )
        .where(in_tables(BATCHES, tables))
        .group_by(BATCHES.c.table_name, BATCHES.c.state, BATCHES.c.gate_version)
    )
    grouped: dict[TableId, list[Any]] = {}
    for row in connection.execute(query):
        grouped.setdefault(table_of(row), []).append(row)
    return {table: _tally(found) for table, found in grouped.items()}


def _tally(found: Sequence[Any]) -> Tally:
    batches: dict[BatchState, int] = {}
    gated: dict[str, int] = {}
    for row in found:
        state = BatchState(row.state)
        batches[state] = batches.get(state, 0) + row.batches
        if row.state in VISIBLE:
            version = row.gate_version or ""
            gated[version] = gated.get(version, 0) + row.batches
    return Tally(
        batches=batches,
        counts=Counts(**{name: sum(int(getattr(row, name)) for row in found) for name in _ROWS}),
        gated=gated,
        snapshots=sum(int(row.snapshots) for row in found if row.state in VISIBLE),
        last_at=max(row.last_at for row in found),
    )


def kept_beside(connection: Connection, tables: Collection[TableId]) -> Mapping[TableId, Kept]:
    """What is kept beside the batches of some tables, for those of which something is."""
    count = select(PROFILES.c.table_name, func.count().label("kept")).where(in_tables(PROFILES, tables))
    profiles = {table_of(row): row.kept for row in connection.execute(count.group_by(PROFILES.c.table_name))}
    accepted: dict[TableId, list[str]] = {}
    for row in connection.execute(
        select(SHAPES.c.table_name, SHAPES.c.who).where(in_tables(SHAPES, tables)).order_by(SHAPES.c.id)
    ):
        accepted.setdefault(table_of(row), []).append(row.who)
    return {
        table: Kept(
            profiles=profiles.get(table, 0),
            accepted_by=accepted[table][-1] if table in accepted else "",
            shapes=len(accepted.get(table, ())),
        )
        for table in {**profiles, **accepted}
    }
