"""A slice from raw to quarantine and published: judged from what raw has, committed once, found again after a crash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import NamedTuple

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.columns import OFFSET_BITS
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import CLOSED, gate_of, store_of
from readiness_pipelines.delivery.compared import compared_rows
from readiness_pipelines.delivery.erasure.searching import without_rows
from readiness_pipelines.delivery.rolling import EarlyHold, early_hold, over_in_slice
from readiness_pipelines.delivery.slice_rows import slice_rows
from readiness_pipelines.delivery.waiting_rows import waiting_rows
from readiness_pipelines.delivery.windows import with_declared
from readiness_pipelines.gates import DuckDbEngine, Gate, Verdict
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged
from readiness_pipelines.names import TableId
from readiness_pipelines.sql import identifier
from readiness_pipelines.streaming.marks import is_settled, settling
from readiness_pipelines.streaming.points import Point, Step
from readiness_pipelines.streaming.slices import SettledSlice, Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of a slice's rows.

    Attributes:
        published: Rows that are published.
        quarantined: Rows that wait.
        newest: The newest event time among the published, by partition, for freshness.
        marking: The same, by the column that the rule of late rows names, for the watermark that rows arrive at.
    """

    published: int = 0
    quarantined: int = 0
    newest: Mapping[int, datetime] = field(default_factory=dict)
    marking: Mapping[int, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Task:
    table: GatedTable
    slice: Slice
    epoch: int
    installation: Installation
    run: Run
    engine: duckdb.DuckDBPyConnection
    step: Step

    @property
    def properties(self) -> dict[str, str]:
        """What the snapshots of the slice say."""
        offsets = ", ".join(f"{p}: {start}-{end}" for p, (start, end) in self.slice.ranges.items())
        # A slice that is finished after a crash is committed partition by partition: each is an attempt of its own, or
        # the second would be taken for the first, which is there already.
        attempt = "-".join([self.slice.id, *map(str, sorted(self.slice.ranges))])
        return {
            "readiness.table": str(self.table.id),
            "readiness.run": self.run.run_id,
            "readiness.attempt": attempt,
            "readiness.stream.offsets": offsets,
        }


def finish_slice(
    table: GatedTable,
    slice_: Slice,
    *,
    epoch: int,
    installation: Installation,
    run: Run,
    staged: Staged | None = None,
    step: Step = lambda _: None,
) -> Finished:
    """Judge a slice that raw has, commit what waits, then what is published. Doing it twice equals doing it once.

    Where all rows of a batch together decide about persons, nothing is done: the slice waits for the seal.

    Args:
        table: The table.
        slice_: The slice.
        epoch: The epoch of the process that reads its partitions.
        installation: Where the tables are.
        run: Who, and when.
        staged: Its rows, where this process has just committed them; else they are looked for in raw.
        step: Called at each point of the protocol.

    Raises:
        StreamFencedError: Another process reads its partitions now.
        UpstreamNotPublishedError: Nothing is published of a table that a rule refers to.
        GateBuildError: A check raises, or cannot be evaluated on these rows.
        LakehouseError: A table cannot be read or written.
    """
    gate, lakehouse = gate_of(table), installation.lakehouse
    closed = lakehouse.properties(table.id.raw).get(CLOSED, "") >= slice_.window_end
    published = _properties(store_of(table), installation)
    if gate.discloses or closed or is_settled(published, slice_):
        # Whoever goes on after it has to know how new its events were.
        if gate.discloses:
            return Finished()
        newest, marking = _published_newest(table, slice_, installation)
        return Finished(newest=newest, marking=marking)
    before = is_settled(_properties(table.id.quarantine, installation), slice_)
    with installation.engine(f"a slice of {table.id}") as engine:
        task = _Task(table, slice_, epoch, installation, run, engine, step)
        arrived, watermarks = _arrived(task, staged)
        rows = with_declared(arrived, gate)
        if before:
            rows = _without_waiting(rows, task)
        try:
            return _judge(rows, watermarks, gate.of_slices(), before, task)
        except SettledSlice:
            return Finished()


def _properties(store: TableId, installation: Installation) -> Mapping[str, str]:
    lakehouse = installation.lakehouse
    return lakehouse.properties(store) if lakehouse.exists(store) else {}


def _arrived(task: _Task, staged: Staged | None) -> tuple[duckdb.DuckDBPyRelation, duckdb.DuckDBPyRelation | None]:
    """The slice's rows as they arrived, but for those of erased persons; and the watermarks that they arrived at."""
    lakehouse, raw = task.installation.lakehouse, task.table.id.raw
    if staged is not None:
        rows = lakehouse.staged_rows(task.engine, staged)
    else:
        rows = lakehouse.relation(task.engine, raw, batch=task.slice.window, as_arrived=True)
        rows = rows.filter(task.slice.condition)
    return slice_rows(task.table, rows, batch=task.slice.window, installation=task.installation)


def _without_waiting(rows: duckdb.DuckDBPyRelation, task: _Task) -> duckdb.DuckDBPyRelation:
    """The rows but for those that a process which was cut off has put into quarantine: they wait there."""
    waiting = task.installation.lakehouse.relation(task.engine, task.table.id.quarantine, batch=task.slice.window)
    found = waiting.filter(task.slice.condition).project("_row").fetchall()
    return without_rows(rows, [row for (row,) in found])


def _judge(
    rows: duckdb.DuckDBPyRelation,
    watermarks: duckdb.DuckDBPyRelation | None,
    gate: Gate,
    before: bool,
    task: _Task,
) -> Finished:
    lakehouse, slice_ = task.installation.lakehouse, task.slice
    store, quarantine = store_of(task.table), task.table.id.quarantine
    judge = DuckDbEngine(task.engine)
    compared = compared_rows(task.table, gate, batch=slice_.window, installation=task.installation, engine=task.engine)
    others = replace(compared.rows, watermarks=watermarks)
    verdict = gate.judge(rows, judge, others=others, keys=task.installation.keys)
    early = None if before else _early_hold(verdict, rows, task)
    if early is not None:
        verdict = verdict.held_for(early.why)
    good: Staged | None = None
    if verdict.published_rows:
        good = _staged(store, verdict.published, verdict.schema, task)
        if verdict.masking is not None:
            verified = verdict.verified(lakehouse.staged_rows(task.engine, good))
            if verified is not verdict:
                lakehouse.forget(good)
                verdict, good = verified, None
    task.step(Point.JUDGED)
    waiting = verdict.quarantined_rows + verdict.discarded_rows
    if waiting:
        known = lakehouse.schema(quarantine) if lakehouse.exists(quarantine) else None
        held, schema = waiting_rows(verdict, judge, known, name=slice_.id, at=task.run.clock())
        bad = _staged(quarantine, held, schema, task)
        marks = settling(slice_, epoch=task.epoch, before=before, also=early.marks if early is not None else {})
        lakehouse.append(quarantine, bad, properties=_facts(task, verdict), marks=marks)
    task.step(Point.QUARANTINED)
    newest, marking = _Newest({}, {})
    if good is not None:
        newest, marking = _newest(good, task)
        marks = settling(slice_, epoch=task.epoch, before=False)
        lakehouse.append(store, good, properties=_facts(task, verdict), marks=marks)
    task.step(Point.PUBLISHED)
    return Finished(published=good.rows if good is not None else 0, quarantined=waiting, newest=newest, marking=marking)


def _early_hold(verdict: Verdict, rows: duckdb.DuckDBPyRelation, task: _Task) -> EarlyHold | None:
    """Whether the window is over its tolerance by now, so that all of the slice waits; the trail says so at first."""
    table, window = task.table, task.slice.window
    before = early_hold(table, task.installation)
    if before is not None and before.window == window:
        return before
    why = over_in_slice(table, verdict, rows, window=window, installation=task.installation, engine=task.engine)
    if not why:
        return None
    task.installation.ledger.streams.announce(
        BatchRef(table.id, window),
        what="over its tolerance",
        who=task.run.who,
        why=why,
        at=task.run.clock(),
        details={"slice": task.slice.id},
    )
    return EarlyHold(window, why)


def _facts(task: _Task, verdict: Verdict) -> dict[str, str]:
    return {**task.properties, "readiness.gate_version": verdict.version}


def _staged(store: TableId, rows: object, schema: pa.Schema, task: _Task) -> Staged:
    assert isinstance(rows, duckdb.DuckDBPyRelation)  # noqa: S101  # slices are judged by DuckDB
    task.installation.lakehouse.ensure(store, schema)
    return task.installation.lakehouse.stage(store, rows, batch=task.slice.window, schema=schema)


class _Newest(NamedTuple):
    """The newest event times by partition: for freshness, and for the watermark that late rows are told by."""

    newest: Mapping[int, datetime]
    marking: Mapping[int, datetime]


def _newest(good: Staged, task: _Task) -> _Newest:
    """The newest event times of staged rows."""
    return _newest_of(task.installation.lakehouse.staged_rows(task.engine, good), task.table)


def _published_newest(table: GatedTable, slice_: Slice, installation: Installation) -> _Newest:
    """The newest event times of what is published of a slice."""
    store = store_of(table)
    if not installation.lakehouse.exists(store):
        return _Newest({}, {})
    with installation.engine(f"a slice of {table.id}") as engine:
        rows = installation.lakehouse.relation(engine, store, batch=slice_.window)
        return _newest_of(rows.filter(slice_.condition), table)


def _newest_of(rows: duckdb.DuckDBPyRelation, table: GatedTable) -> _Newest:
    """By the columns that the freshness promise and the rule of late rows name; by the other's where one names none."""
    promised, late = table.freshness.event_time if table.freshness else None, gate_of(table).lateness
    told = late.event_time if late else None
    newest = _newest_by(rows, promised or told)
    return _Newest(newest, newest if told in (None, promised) else _newest_by(rows, told))


def _newest_by(rows: duckdb.DuckDBPyRelation, column: str | None) -> Mapping[int, datetime]:
    if column is None or column not in rows.columns:
        return {}
    name = identifier(column)
    known = rows.filter(f"{name} >= TIMESTAMP '0001-01-02' AND {name} < TIMESTAMP '9999-12-31'")
    found: Sequence[tuple[int, date]] = known.aggregate(
        f"_row >> {OFFSET_BITS} AS partition, max({name}) AS newest", f"_row >> {OFFSET_BITS}"
    ).fetchall()
    return {partition: _utc(newest) for partition, newest in found}


def _utc(at: date) -> datetime:
    moment = at if isinstance(at, datetime) else datetime.combine(at, time())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
