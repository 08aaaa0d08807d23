"""What new columns of a source look like: proposed when they are first ingested, and never a reason to stop."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.columns import RAW_NAMES
from readiness_pipelines.detection import MOST_ROWS, VERSION, Proposal, detect
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import PlacedColumn, Staged
from readiness_pipelines.ledger import BatchFinding, FindingKind
from readiness_pipelines.sql import identifier

SCAN, FAILED = "scan", "failed"
"""What a finding has measured that is about the scan itself; others have measured a path within a column."""

CLASSIFIED = "somebody says what its values are to persons"

_RANGES = 8
_MOST_CHARACTERS = 4_000


def scan_staged(
    ref: BatchRef,
    staged: Staged,
    columns: Sequence[PlacedColumn],
    *,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> Mapping[FindingKind, Sequence[BatchFinding]]:
    """Look at the columns of staged raw rows that no batch before had, or had values in. Nothing is written.

    Whatever goes wrong is in the result: what only watches stops no delivery. No value is in it, nor the text of an
    error, which may have one.

    Args:
        ref: The batch of the raw table.
        staged: Its rows.
        columns: The columns that arrived, and where they are stored.
        installation: Where the ledger is.
        engine: Reads the staged files.

    Returns:
        What the columns look like, and which were looked at, for the ledger; nothing where none is new.
    """
    try:
        known = _known(ref, installation)
        new = [column for column in columns if known.get(column.name) != str(column.type)]
        if not (new and staged.rows and staged.files):
            return {}
        sample = _sample(staged, new, engine)
        return {FindingKind.UNCLASSIFIED: _findings(sample, new)}
    except Exception as error:  # law 7: nothing that only watches can stop a delivery
        seen = f"the columns could not be looked at: {type(error).__name__}"
        failed = BatchFinding(
            kind=FindingKind.UNCLASSIFIED, measured=FAILED, column=None, promised="columns are looked at", seen=seen
        )
        return {FindingKind.UNCLASSIFIED: [failed]}


def sample_rows(rows: duckdb.DuckDBPyRelation, *, of: int) -> pa.Table:
    """A sample of a relation of raw or published rows, for the detector: from everywhere in it, long texts cut.

    Args:
        rows: The rows, with ``_row``.
        of: How many there are.
    """
    every = max(1, -(-of // MOST_ROWS))
    names = [name for name in rows.columns if name not in RAW_NAMES]
    kinds = dict(zip(rows.columns, map(str, rows.types), strict=True))
    cut = ", ".join(_cut(name, name, kinds[name]) for name in names)
    return rows.filter(f"_row % {every} = 0").project(cut).to_arrow_table() if names else pa.table({})


def as_finding(proposal: Proposal) -> BatchFinding:
    """A proposal, for the ledger."""
    return BatchFinding(
        kind=FindingKind.UNCLASSIFIED,
        measured=proposal.path,
        column=proposal.column,
        promised=CLASSIFIED,
        seen=str(proposal),
        details=proposal.to_json(),
    )


def _known(ref: BatchRef, installation: Installation) -> Mapping[str, Any]:
    """The columns that scans of other batches looked at, with their types; without those that had no value then."""
    found: dict[str, Any] = {}
    for one in installation.ledger.findings.of(tables=[ref.table]):
        scan = one.finding
        if scan.kind is FindingKind.UNCLASSIFIED and scan.measured == SCAN and one.ref != ref:
            found |= scan.details["columns"] if scan.details["detector"] == VERSION else {}
    return found


def _sample(staged: Staged, columns: Sequence[PlacedColumn], engine: duckdb.DuckDBPyConnection) -> pa.Table:
    """Some rows from everywhere in staged files: a few ranges, so that the rest is not read."""
    rows = engine.read_parquet(list(staged.files))
    kinds = dict(zip(rows.columns, map(str, rows.types), strict=True))
    selected = ", ".join(_cut(column.stored, column.name, kinds[column.stored]) for column in columns)
    if staged.rows <= MOST_ROWS:
        return rows.project(selected).to_arrow_table()
    width, every = MOST_ROWS // _RANGES, staged.rows // _RANGES
    parts = [
        rows.filter(f"_row BETWEEN {first} AND {first + width - 1}").project(selected).to_arrow_table()
        for first in range(0, every * _RANGES, every)
    ]
    return pa.concat_tables(parts)


def _cut(stored: str, name: str, kind: str) -> str:
    """SQL of a column, of long texts their beginning."""
    column = identifier(stored)
    if kind == "VARCHAR":
        column = f"left({column}, {_MOST_CHARACTERS})"
    return f"{column} AS {identifier(name)}"


def _findings(sample: pa.Table, columns: Sequence[PlacedColumn]) -> list[BatchFinding]:
    filled = {name for name in sample.column_names if sample.column(name).null_count < sample.num_rows}
    looked_at = {column.name: str(column.type) for column in columns if column.name in filled}
    scan = BatchFinding(
        kind=FindingKind.UNCLASSIFIED,
        measured=SCAN,
        column=None,
        promised="new columns are looked at",
        seen=f"{len(looked_at)} new columns looked at, in {sample.num_rows:,} rows",
        details={"columns": looked_at, "detector": VERSION},
    )
    return [scan, *map(as_finding, detect(sample))]
