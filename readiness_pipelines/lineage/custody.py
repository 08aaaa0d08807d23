"""The chain of custody of one row: from the record in a file to the numbers that it is part of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import duckdb

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable, Kpi, Origin, Table
from readiness_pipelines.decisions import CellCorrection, Correction, Decision, Waiver, decisions_about
from readiness_pipelines.decisions.discard import Discarding
from readiness_pipelines.delivery import store_of, transform_facts
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.delivery.reading import judged_rows
from readiness_pipelines.errors import ReadinessError, UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.lineage.batches import made_from, made_of
from readiness_pipelines.names import TableId


class RowPlace(StrEnum):
    """Where a row is now."""

    PUBLISHED = "published"
    WAITING = "waiting"
    DISCARDED = "discarded"
    INGESTED = "ingested, not judged"
    GONE = "neither published nor waiting"


Records = Mapping[BatchRef, BatchRecord]
"""Where batches stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """Where in a file a row arrived.

    Attributes:
        origin: The file, query or call, with its checksum; its name alone where the ledger has no more of it.
        record: Which record of it, from 1, without header; ``None`` where that is not known.
    """

    origin: Origin
    record: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedDecision:
    """A decision that the last verdict applied.

    Attributes:
        decision: The decision; its text has no value of a classified column.
        touches: Whether it is about the row; ``None`` where that cannot be said any more.
    """

    decision: Decision
    touches: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A batch on the way, with the snapshot that was read or written of it.

    Attributes:
        ref: The batch.
        snapshot: The snapshot; ``None`` where nothing is there.
        state: What became of the batch; "" where the ledger does not know it.
        at: When, in UTC.
        run: The run.
        origins: What it was read from, for raw tables.
        kpi: Whether it is of a KPI.
    """

    ref: BatchRef
    snapshot: int | None
    state: str
    at: datetime | None
    run: str | None
    origins: tuple[Origin, ...] = ()
    kpi: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCustody:
    """What happened to one row.

    Attributes:
        ref: The batch.
        row: Its ``_row``.
        place: Where it is now.
        broken: The rules that it broke, where it waits or was discarded.
        file: Where it arrived; ``None`` where it was computed from several rows.
        made_of: The batches that it was made of, back to the raw ones, each after what it was made of.
        judged: The batch's own stage.
        gate: The version of the gate that judged it; ``None`` where none did.
        computed_by: Fingerprint of the transform; "" for tables that a source feeds.
        decisions: The decisions that were applied.
        used_by: The batches that were made of the published one, down to the KPIs.
    """

    ref: BatchRef
    row: int
    place: RowPlace
    broken: tuple[str, ...]
    file: FileRecord | None
    made_of: tuple[Stage, ...]
    judged: Stage
    gate: str | None
    computed_by: str
    decisions: tuple[AppliedDecision, ...]
    used_by: tuple[Stage, ...]


def row_custody(
    table: Table, *, batch: str, row: int, tables: Sequence[Table], installation: Installation
) -> RowCustody:
    """Follow one row of a batch. No value of it is shown.

    Args:
        table: The table.
        batch: The batch.
        row: The row's ``_row``.
        tables: All declared tables, to know KPIs by.
        installation: Where the tables and the ledger are.

    Raises:
        UnknownNameError: The batch has no such row, or the table no such batch; names what it has.
        LakehouseError: A table cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    ref = BatchRef(table.id, batch)
    records = {record.ref: record for record in installation.ledger.batches()}
    inputs = {made: record.inputs for made, record in records.items()}
    kpis = {one.id for one in tables if isinstance(one, Kpi)}
    raw = BatchRef(table.id.raw, batch) if isinstance(table, GatedTable) else None
    if ref not in records and (raw is None or raw not in records):
        known = {one.batch for one in records if one.table in (table.id, table.id.raw)}
        raise UnknownNameError(f"batch of {table.id}", batch, known)
    with handling_rows(table), installation.engine(f"row {row} of {ref}") as engine:
        found = _Row(table, ref, row, installation, engine)
        place, broken, file = found.place()
        origin = found.file_record(file, made_of([ref, *([raw] if raw else [])], inputs), records)
        decisions = tuple(found.decisions(_applied(ref, installation)))
    before = made_of([ref, *([raw] if raw else [])], inputs) - {ref}
    record = records.get(ref)
    return RowCustody(
        ref=ref,
        row=row,
        place=place,
        broken=broken,
        file=origin,
        made_of=tuple(_stages(before, records, kpis, read_by=[ref, *before])),
        judged=_stage(ref, records, kpis),
        gate=record.gate_version if record else None,
        computed_by=str(transform_facts(table).get("code", "")),
        decisions=decisions,
        used_by=tuple(_stages(made_from(ref, inputs), records, kpis)) if place is RowPlace.PUBLISHED else (),
    )


def _applied(ref: BatchRef, installation: Installation) -> tuple[Decision, ...]:
    """The decisions that the last verdict about a batch applied."""
    entries = [one for one in installation.ledger.trail(ref=ref) if "decisions" in one.details]
    numbers = set(entries[-1].details["decisions"]) if entries else set()
    return tuple(one for one in decisions_about(installation.ledger, ref) if one.id in numbers)


def _stages(
    refs: set[BatchRef], records: Records, kpis: set[TableId], *, read_by: Sequence[BatchRef] = ()
) -> Iterator[Stage]:
    """Stages of some batches, at the snapshots that others read of them."""
    read: dict[BatchRef, int] = {}
    for reader in read_by:
        for ident, batches in records[reader].inputs.items() if reader in records else ():
            read |= {BatchRef(ident, batch): snapshot for batch, snapshot in batches.items()}
    for ref in sorted(refs):
        yield _stage(ref, records, kpis, snapshot=read.get(ref))


def _stage(ref: BatchRef, records: Records, kpis: set[TableId], *, snapshot: int | None = None) -> Stage:
    record: BatchRecord | None = records.get(ref)
    if record is None:
        return Stage(ref=ref, snapshot=snapshot, state="", at=None, run=None)
    own = record.snapshots.raw if ref.table.is_raw else record.snapshots.published
    return Stage(
        ref=ref,
        snapshot=snapshot if snapshot is not None else own,
        state=record.state.value,
        at=record.updated_at,
        run=record.run_id,
        origins=record.origins,
        kpi=ref.table in kpis,
    )


class _Row:
    """One row, looked for in the tables of its batch."""

    def __init__(
        self, table: Table, ref: BatchRef, row: int, installation: Installation, engine: duckdb.DuckDBPyConnection
    ) -> None:
        self._table = table
        self._ref = ref
        self._row = row
        self._installation = installation
        self._engine = engine

    def _in(self, store: TableId) -> duckdb.DuckDBPyRelation | None:
        if not self._installation.lakehouse.exists(store):
            return None
        rows = self._installation.lakehouse.relation(self._engine, store, batch=self._ref.batch)
        return rows.filter(f"_row = {self._row}")

    def place(self) -> tuple[RowPlace, tuple[str, ...], str | None]:
        """Where the row is, the rules that it broke, and the file that it names."""
        table = self._table
        waiting = self._in(table.id.quarantine)
        if waiting is not None:
            gone = "_discarded" if "_discarded" in waiting.columns else "false"
            rules = "list_transform(_errors, lambda e: e.rule)" if "_errors" in waiting.columns else "[]"
            found = _first(waiting.project(f"_file, {gone}, {rules}"))
            if found:
                place = RowPlace.DISCARDED if found[1] else RowPlace.WAITING
                return place, tuple(dict.fromkeys(found[2] or ())), found[0]
        if (published := self._in(store_of(table))) is not None and (there := _first(published.project("_file"))):
            return RowPlace.PUBLISHED, (), there[0]
        if isinstance(table, GatedTable) and (raw := self._in(table.id.raw)) is not None:
            found = _first(raw.project("_file"))
            if found:
                judged = self._installation.ledger.get(self._ref) is not None
                return RowPlace.GONE if judged else RowPlace.INGESTED, (), found[0]
        raise UnknownNameError(f"row of {self._ref}", str(self._row), self._some_rows())

    def _some_rows(self) -> list[str]:
        stores = [store_of(self._table), self._table.id.quarantine]
        found: list[str] = []
        for store in stores:
            if self._installation.lakehouse.exists(store):
                rows = self._installation.lakehouse.relation(self._engine, store, batch=self._ref.batch)
                found += [str(row) for (row,) in rows.project("_row").order("_row").limit(3).fetchall()]
        return found

    def file_record(self, file: str | None, chain: set[BatchRef], records: Records) -> FileRecord | None:
        """The file with its checksum, and the row's place in it, where it arrived as one row."""
        raws = [ref for ref in sorted(chain) if ref.table.is_raw and records[ref].origins]
        origins = [origin for ref in raws for origin in records[ref].origins]
        if file is None and not (isinstance(self._table, GatedTable) and len(origins) == 1):
            return None
        known = origins[0] if file is None else next((one for one in origins if one.name == file), None)
        origin = known or Origin(name=file or "", fingerprint="")
        return FileRecord(origin=origin, record=self._number(file) if isinstance(self._table, GatedTable) else None)

    def _number(self, file: str | None) -> int | None:
        raw = self._table.id.raw
        if not self._installation.lakehouse.exists(raw):
            return None
        rows = self._installation.lakehouse.relation(self._engine, raw, batch=self._ref.batch, as_arrived=True)
        same = (
            rows if file is None else rows.filter(duckdb.ColumnExpression("_file") == duckdb.ConstantExpression(file))
        )
        first = _first(same.aggregate("min(_row)"))
        return None if first is None or first[0] is None else self._row - int(first[0]) + 1

    def decisions(self, applied: Sequence[Decision]) -> Iterator[AppliedDecision]:
        """The decisions that were applied, and whether each is about the row."""
        if not applied:
            return
        try:
            given = judged_rows(
                self._table, batch=self._ref.batch, installation=self._installation, engine=self._engine
            ).rows
            one: Any = given.filter(f"_row = {self._row}")
        except ReadinessError:  # raw is gone, say: the decisions are told all the same, without whether they touch it
            one = None
        for decision in applied:
            touches = None
            if one is not None:
                try:
                    touches, one = self._touched(decision, one)
                except (duckdb.Error, ReadinessError, KeyError):  # its values are erased, or its columns are gone
                    touches = None
            yield AppliedDecision(decision=decision, touches=touches)

    def _touched(
        self, decision: Decision, rows: duckdb.DuckDBPyRelation
    ) -> tuple[bool | None, duckdb.DuckDBPyRelation]:
        """Whether a decision is about the row, and the row after it."""
        match decision.what:
            case Correction() | CellCorrection():
                before, corrected = rows.fetchall(), decision.what.apply(rows, self._engine)
                return corrected.fetchall() != before, corrected
            case Waiver() | Discarding():
                where = decision.what.where
                return bool(rows.filter(where).fetchall()) if where else True, rows
            case _:
                return None, rows


def _first(rows: duckdb.DuckDBPyRelation) -> tuple[Any, ...] | None:
    """The first row; ``None`` where there is none."""
    found = rows.limit(1).fetchall()
    return found[0] if found else None
