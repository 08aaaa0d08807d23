"""Batches judged again without publishing: replayed in a clone of the installation, and held against what there is.

What a replay would do is not computed in another way: it is done, by the code that does it, where nobody sees it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import GatedTable, Kpi, Table
from readiness_pipelines.delivery.clones import cloned
from readiness_pipelines.delivery.deliver import deliver
from readiness_pipelines.delivery.follow import in_flow, is_stale
from readiness_pipelines.delivery.kpis import kpi_values
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.delivery.row_places import row_places
from readiness_pipelines.errors import ReadinessError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId
from readiness_pipelines.products import KpiValue

BATCHES_AT_ONCE = 200
"""Rows of so many batches are compared in one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedRows:
    """Rows of a batch that a replay would put elsewhere, by their number; rows of a held batch are in quarantine."""

    to_quarantine: int = 0
    to_published: int = 0
    to_discarded: int = 0
    from_discarded: int = 0

    @property
    def any(self) -> bool:
        """Whether a row moves."""
        return bool(self.to_quarantine or self.to_published or self.to_discarded or self.from_discarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOutcome:
    """What became of a batch: where it stands, its rows, and what its tables hold.

    Attributes:
        state: Where it stands; ``None`` where it was never computed.
        counts: Its rows.
        reason: Why it stands there, for people.
        digests: Digest of what each place holds of it, by ``published`` and ``quarantine``; as far as it was committed.
    """

    state: BatchState | None
    counts: Counts
    reason: str
    digests: Mapping[str, str]

    @property
    def seen(self) -> str:
        """Digest of what consumers see of it; "" where they see nothing."""
        return self.digests.get("published", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedBatch:
    """A batch before, and as a replay would leave it.

    Attributes:
        ref: The batch.
        before: As it is.
        after: As it would be.
        moved: The rows that would move; ``None`` for a computed table, whose rows are made anew.
        error: Why it could not be judged again; "" where it was. It would stay as it is.
    """

    ref: BatchRef
    before: BatchOutcome
    after: BatchOutcome
    moved: MovedRows | None
    error: str

    @property
    def differs(self) -> bool:
        """Whether its state, its rows, or what consumers see of them would be another one."""
        before, after = self.before, self.after
        rows = self.moved is not None and self.moved.any
        return rows or (before.state, before.counts, before.seen) != (after.state, after.counts, after.seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiChange:
    """A KPI's totals before and after, by batch, as far as batches were evaluated; those of a batch differ or not."""

    kpi: TableId
    before: Mapping[str, KpiValue]
    after: Mapping[str, KpiValue]

    @property
    def batches(self) -> tuple[str, ...]:
        """The batches that have a value before or after."""
        return tuple(dict.fromkeys([*self.before, *self.after]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a replay would do.

    Attributes:
        judged: The batches that were judged again, in the order rows flow.
        followed: The batches that were computed again because of them.
        kpis: The KPIs among them.
    """

    judged: tuple[EvaluatedBatch, ...]
    followed: tuple[EvaluatedBatch, ...]
    kpis: tuple[KpiChange, ...]


def evaluate(
    tables: Sequence[Table],
    refs: Sequence[BatchRef],
    readers: Sequence[BatchRef],
    *,
    installation: Installation,
    run: Run,
    environment: str | None = None,
    step: Callable[[BatchRef], None] = lambda _: None,
) -> Evaluation:
    """Judge batches again, and compute again what reads them, where nobody sees it.

    Each batch once, in the order rows flow; what is foretold is what a replay of the same batches would leave. Nothing
    is written to the ledger, and nothing is committed to a table.

    Args:
        tables: The tables of all batches.
        refs: The batches to judge again, from old to new.
        readers: The batches that may be computed again: those of them whose inputs change.
        installation: Where the tables and the ledger are.
        run: Who, and when; the time decides about waivers that expire.
        environment: Where what would be published stays, to be looked at; see `cloned`. ``None`` keeps nothing.
        step: Called with each batch, before it is judged.

    Raises:
        LakehouseError: A table cannot be read, or the warehouse cannot be written to.
        LedgerError: The ledger cannot be read.
    """
    run = replace(run, run_id=uuid4().hex)  # tells what it delivers from all that was delivered before
    wanted = {ref.table for ref in (*refs, *readers)}
    known = {table.id: table for table in in_flow(one for one in tables if one.id in wanted)}
    with cloned(known.values(), installation=installation, environment=environment) as clone:
        errors, followed = replay_clone(list(known.values()), refs, readers, clone=clone, run=run, step=step)
        judged_of = {table: [ref for ref in refs if ref.table == table] for table in known}
        look = _Look(known, installation, clone, errors)
        return Evaluation(
            judged=tuple(one for table, some in judged_of.items() for one in look.batches(table, some)),
            followed=tuple(
                one for table in known for one in look.batches(table, [ref for ref in followed if ref.table == table])
            ),
            kpis=tuple(
                kpi_change(
                    table,
                    [ref.batch for ref in (*refs, *followed) if ref.table == table.id],
                    installation=installation,
                    clone=clone,
                )
                for table in known.values()
                if isinstance(table, Kpi)
            ),
        )


def replay_clone(
    tables: Sequence[Table],
    refs: Sequence[BatchRef],
    readers: Sequence[BatchRef],
    *,
    clone: Installation,
    run: Run,
    step: Callable[[BatchRef], None],
) -> tuple[Mapping[BatchRef, str], Sequence[BatchRef]]:
    """Deliver batches in a clone; the errors of those that broke, and the readers that changed.

    Args:
        tables: Their tables, in the order rows flow.
        refs: The batches to judge again.
        readers: The batches that are computed again where their inputs change, in the order rows flow.
        clone: See `cloned`.
        run: Who, and when.
        step: Called with each batch, before it is delivered.
    """
    errors: dict[BatchRef, str] = {}
    followed: list[BatchRef] = []
    for table in tables:
        published = Published(clone.ledger)
        published.load([table.id, *(read.table.id for read in (*table.reads.values(), *table.references.values()))])
        chosen = dict.fromkeys(ref for ref in refs if ref.table == table.id)
        stale = [
            ref for ref in readers if ref.table == table.id and ref not in chosen and _follows(table, ref, published)
        ]
        for ref in (*chosen, *stale):
            step(ref)
            try:
                deliver(table, batch=ref.batch, installation=clone, run=run)
            except UpstreamNotPublishedError:
                continue  # it stays as it is, because an input would not be there
            except ReadinessError as error:
                errors[ref] = error.what
        followed += stale
    # What was computed from rows that are discarded now was emptied with them.
    reached = {
        one.ref for one in clone.ledger.batches(tables={ref.table for ref in readers}) if one.run_id == run.run_id
    }
    delivered = {*refs, *followed}
    return errors, [*followed, *(ref for ref in readers if ref in reached and ref not in delivered)]


def _follows(table: Table, ref: BatchRef, published: Published) -> bool:
    inputs = published.inputs(table, ref.batch)
    return inputs is not None and is_stale(published.record(table.id, ref.batch), inputs)


@dataclass(frozen=True, slots=True)
class _Look:
    """Holds a clone against the installation."""

    tables: Mapping[TableId, Table]
    installation: Installation
    clone: Installation
    errors: Mapping[BatchRef, str]

    def batches(self, table_id: TableId, refs: Sequence[BatchRef]) -> Iterator[EvaluatedBatch]:
        """Some batches of a table, before and after."""
        if not refs:
            return
        table = self.tables[table_id]
        before, after = _outcomes(table, self.installation), _outcomes(table, self.clone)
        moved = self._moved(table, [ref.batch for ref in refs]) if isinstance(table, GatedTable) else None
        nothing = BatchOutcome(state=None, counts=Counts(), reason="", digests={})
        for ref in refs:
            yield EvaluatedBatch(
                ref=ref,
                before=before.get(ref.batch, nothing),
                after=after.get(ref.batch, nothing),
                moved=None if moved is None else moved.get(ref.batch, MovedRows()),
                error=self.errors.get(ref, ""),
            )

    def _moved(self, table: GatedTable, batches: Sequence[str]) -> Mapping[str, MovedRows]:
        """The rows of some batches that are elsewhere in the clone."""
        found: dict[str, dict[tuple[str, str], int]] = {}
        for start in range(0, len(batches), BATCHES_AT_ONCE):
            some = batches[start : start + BATCHES_AT_ONCE]
            with self.installation.engine(f"the rows of {table.id}") as engine:
                row_places(table, some, self.installation, engine).create_view("places_before")
                row_places(table, some, self.clone, engine).create_view("places_after")
                rows = engine.sql(
                    "SELECT b._batch, b.place, a.place, count(*) FROM places_before b JOIN places_after a "
                    "ON b._batch = a._batch AND b._row = a._row WHERE b.place <> a.place GROUP BY ALL"
                ).fetchall()
            for batch, before, after, count in rows:
                found.setdefault(batch, {})[before, after] = count
        return {batch: _moves(places) for batch, places in found.items()}


def kpi_change(kpi: Kpi, batches: Sequence[str], *, installation: Installation, clone: Installation) -> KpiChange:
    """A KPI's totals of some batches, in an installation and in a clone of it.

    Raises:
        LakehouseError: A table cannot be read.
    """
    before, after = (
        {value.batch: value for value in kpi_values(kpi, installation=there, batches=batches) if value.is_total}
        for there in (installation, clone)
    )
    return KpiChange(
        kpi=kpi.id,
        before={batch: value for batch, value in before.items() if batch},
        after={batch: value for batch, value in after.items() if batch},
    )


def _moves(places: Mapping[tuple[str, str], int]) -> MovedRows:
    return MovedRows(
        to_quarantine=places.get(("published", "quarantined"), 0),
        to_published=places.get(("quarantined", "published"), 0),
        to_discarded=sum(count for (_, after), count in places.items() if after == "discarded"),
        from_discarded=sum(count for (before, _), count in places.items() if before == "discarded"),
    )


def _outcomes(table: Table, installation: Installation) -> Mapping[str, BatchOutcome]:
    """All batches of a table, as an installation has them."""
    places = {"published": store_of(table), "quarantine": table.id.quarantine}
    contents = installation.ledger.contents(places.values())
    records: Sequence[BatchRecord] = installation.ledger.batches(tables=[table.id])
    return {
        record.ref.batch: BatchOutcome(
            state=record.state,
            counts=record.counts,
            reason=record.reason or "",
            digests={
                name: contents[ref].digest
                for name, store in places.items()
                if (ref := BatchRef(store, record.ref.batch)) in contents and contents[ref].rows
            },
        )
        for record in records
    }
