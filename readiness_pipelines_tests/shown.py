"""What the tables of an installation show, without what differs from run to run."""

from typing import Any

from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId

RUNS_OWN = frozenset({"_quarantined_at", "measured_at", "inputs"})
"""Times, and ids of snapshots."""


def shown(installation: Installation, *names: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of tables, in order, each with the types of its values; a table that is not there has none."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with installation.engine() as engine:
        for name in names:
            table = TableId.parse(name)
            if not installation.lakehouse.exists(table):
                found[name] = []
                continue
            rows = installation.lakehouse.relation(engine, table).to_arrow_table()
            rows = rows.select([column for column in sorted(rows.column_names) if column not in RUNS_OWN])
            kept = rows.sort_by([("_batch", "ascending"), ("_row", "ascending")])
            found[name] = [(str(kept.schema), tuple(map(repr, row.values()))) for row in kept.to_pylist()]
    return found
