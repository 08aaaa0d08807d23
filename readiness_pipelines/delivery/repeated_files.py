"""Files of one batch that have the same content: most often one that was sent again under another name."""

from collections.abc import Collection, Mapping, Sequence

import duckdb

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Origin
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchFinding, FindingKind

_NAMED = 10
"""So many files are named; all are counted."""


def repeated_files(
    raw: BatchRef, *, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> list[BatchFinding]:
    """One finding for each content that several files of a batch have. Their rows stay: a sender may mean it.

    Files without a row, of which a header is all there is, are no such files. What is not a file, as a stream's
    partition, is not compared: its fingerprint tells it from what was read of the same before.

    Args:
        raw: The batch of the raw table.
        installation: Where the tables and the ledger are.
        engine: Reads the raw rows, where contents are the same.

    Returns:
        What was found, for the ledger.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    record = installation.ledger.get(raw)
    alike: dict[str, list[Origin]] = {}
    for origin in record.origins if record is not None else ():
        if origin.bytes is not None:
            alike.setdefault(origin.fingerprint, []).append(origin)
    several = {content: origins for content, origins in alike.items() if len(origins) > 1}
    if not several:
        return []
    rows = _rows_by_file(raw, [origins[0].name for origins in several.values()], installation, engine)
    return [
        _finding(content, origins, rows.get(origins[0].name, 0) if rows is not None else None)
        for content, origins in several.items()
        if rows is None or rows.get(origins[0].name)
    ]


def _rows_by_file(
    raw: BatchRef, names: Collection[str], installation: Installation, engine: duckdb.DuckDBPyConnection
) -> Mapping[str, int] | None:
    """How many rows some landed files have, those of a zip's members together; ``None`` where that cannot be read."""
    try:
        found = installation.lakehouse.relation(engine, raw.table, batch=raw.batch)
        counted: Sequence[tuple[str, int]] = found.aggregate("_file, count(*) AS rows", "_file").fetchall()
    except (ReadinessError, duckdb.Error):  # law 7: what only watches stops no delivery, and names them all the same
        return None
    return {name: sum(rows for file, rows in counted if file == name or file.startswith(f"{name}/")) for name in names}


def _finding(content: str, origins: Sequence[Origin], rows: int | None) -> BatchFinding:
    names = [origin.name for origin in origins]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    each = "" if rows is None else f", {rows:,} row{'' if rows == 1 else 's'} each"
    return BatchFinding(
        kind=FindingKind.REPEATED,
        measured=f"content {content[:16]}",  # called normal, it is so for this content and not for the next one
        column=None,
        promised="each file of a batch has its own content",
        seen=f"{len(names):,} files have the same content{each}: {', '.join(names[:_NAMED])}{more}",
        details={"files": len(names), "rows": rows},
    )
