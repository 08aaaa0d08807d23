"""Profiles that earlier versions kept in Iceberg tables beside each table, brought into the ledger."""

from collections.abc import Iterable
from typing import Any

from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.masking import UNKNOWN
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import BatchProfile, ColumnKind, ColumnProfile, redact_profile

ENDING = "_profiles"


def bring_older_profiles(installation: Installation, domains: Iterable[Domain] = ()) -> int:
    """Bring the profiles of earlier versions into the ledger, but for batches that have one there. Safe to do again.

    The Iceberg tables stay as they are. What comes into the ledger has no values of classified columns.

    Args:
        installation: Where the tables and the ledger are.
        domains: Whose tables say what their columns are to persons; of others, no values are brought.

    Returns:
        How many were brought.

    Raises:
        LakehouseError: A table of profiles cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    brought = 0
    declared = {table.id: table for domain in domains for table in domain.tables}
    for store in installation.lakehouse.tables():
        if not store.domain.endswith(ENDING):
            continue
        with installation.engine() as engine:
            rows = installation.lakehouse.relation(engine, store).to_arrow_table().to_pylist()
        by_batch: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_batch.setdefault(row["_batch"], []).append(row)
        table = TableId(store.domain.removesuffix(ENDING), store.name)
        classes = classes_of(declared[table]) if table in declared else UNKNOWN
        profiles = {batch: redact_profile(_profile(batch, rows), classes) for batch, rows in by_batch.items()}
        texts = {batch: profile.to_json() for batch, profile in profiles.items()}
        brought += installation.ledger.bring_profiles(table, texts)
    return brought


def _profile(batch: str, rows: list[dict[str, Any]]) -> BatchProfile:
    """A profile of its rows: one for each column, or one without a column."""
    columns = {row["column"]: _column(row) for row in rows if row["column"] is not None}
    return BatchProfile(batch=batch, rows=rows[0]["rows"], columns=columns)


def _column(row: dict[str, Any]) -> ColumnProfile:
    return ColumnProfile(
        kind=ColumnKind(row["kind"]),
        quantiles=tuple(row["quantiles"]),
        top={one["value"]: one["rows"] for one in row["top"]},
        **{name: row[name] for name in ("rows", "nulls", "distinct", "minimum", "maximum", "mean", "deviation")},
    )
