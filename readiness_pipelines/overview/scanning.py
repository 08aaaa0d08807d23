"""What the columns of files and tables look like to the detector, beside what the code says they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.columns import RAW_COLUMNS
from readiness_pipelines.commands import run_command
from readiness_pipelines.contracts import Classified, GatedTable, Table
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.reading import raw_rows
from readiness_pipelines.delivery.scanning import sample_rows
from readiness_pipelines.detection import Certainty, Proposal, SecondOpinion, detect, in_sample, second_opinions
from readiness_pipelines.drafting.sample import read_sample
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenColumn:
    """A column that looks personal.

    Attributes:
        proposal: What it looks like.
        declared: The class that the code gives it; ``None`` where it gives none.
    """

    proposal: Proposal
    declared: Classified | None

    @property
    def is_open(self) -> bool:
        """Whether it surely is personal and nobody classified it."""
        return self.declared is None and self.proposal.certainty is Certainty.SURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was looked at, and which of its columns look personal.

    Attributes:
        what: A file's path, or a table.
        batch: The batch that was looked at; ``None`` for files.
        rows: Rows that it has, or that were read of it.
        columns: Columns that it has.
        seen: The columns that look personal.
        opinions: What Presidio finds, where it is asked.
    """

    what: str
    batch: str | None
    rows: int
    columns: int
    seen: tuple[SeenColumn, ...]
    opinions: tuple[SecondOpinion, ...] = ()


def scan_file(path: Path, *, presidio: str | None = None) -> Scan:
    """Look at a file, read as `readiness init --from` reads it: nothing in it is classified.

    Args:
        path: The file.
        presidio: The spaCy model of a second opinion by Presidio; ``None`` for none.

    Raises:
        DeclarationError: It is not there, is empty, or has no columns.
        FileUnreadableError: No reader can make anything of it.
    """
    sample = read_sample(path)
    rows = sample.rows.select(sample.columns.names)
    looked_at = in_sample(rows)
    return Scan(
        what=str(path),
        batch=None,
        rows=rows.num_rows,
        columns=rows.num_columns,
        seen=tuple(SeenColumn(proposal=one, declared=None) for one in detect(looked_at)),
        opinions=second_opinions(looked_at, model=presidio) if presidio else (),
    )


def scan_table(table: Table, *, batch: str | None, installation: Installation, presidio: str | None = None) -> Scan:
    """Look at a batch of a table: at the raw rows of one that is fed by a source, else at what is published.

    Args:
        table: The table.
        batch: The batch; the newest where it is not given.
        installation: Where the tables are.
        presidio: The spaCy model of a second opinion by Presidio; ``None`` for none.

    Raises:
        DeclarationError: There is no such batch, or none at all.
        UpstreamNotPublishedError: Nothing was ingested of the batch.
        GateBuildError: The table's schema cannot become a gate.
    """
    store = table.id.raw if isinstance(table, GatedTable) else table.id
    found = {record.ref.batch for record in installation.ledger.batches(tables=[store])}
    chosen = batch or next(reversed(in_order(table.batches, found)), None)
    if chosen is None or chosen not in found:
        what = f"batch {batch!r}" if batch else "any batch"
        raise DeclarationError(
            f"nothing of {what} of {table.id} is there to look at",
            way_out=run_command(BatchRef(table.id, batch)) if batch else f"readiness run {table.id}",
        )
    with installation.engine(f"batch {chosen!r} of {table.id}") as engine:
        if isinstance(table, GatedTable):
            rows = raw_rows(table, batch=chosen, installation=installation, engine=engine).rows
        else:
            rows = installation.lakehouse.relation(engine, store_of(table), batch=chosen)
        count = rows.count("*").fetchall()[0][0]
        looked_at = sample_rows(rows, of=count)
        columns = len([name for name in rows.columns if name not in RAW_COLUMNS.names])
    return Scan(
        what=str(table.id),
        batch=chosen,
        rows=count,
        columns=columns,
        seen=tuple(SeenColumn(proposal=one, declared=_declared(table, one.column)) for one in detect(looked_at)),
        opinions=second_opinions(looked_at, model=presidio) if presidio else (),
    )


def open_columns(scans: Sequence[Scan]) -> tuple[SeenColumn, ...]:
    """The columns of some scans that surely are personal and that nobody classified."""
    return tuple(column for scan in scans for column in scan.seen if column.is_open)


def _declared(table: Table, column: str) -> Classified | None:
    """The class that somebody gave a column, or one of those that a derived column is made of."""
    if isinstance(table, GatedTable):
        return gate_of(table).class_of(column)
    found = class_of(table, column)
    return found if found.level.personal or not found.inherited else None
