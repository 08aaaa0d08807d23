"""The rows of a batch that wait, as quarantine keeps them."""

from datetime import datetime

import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.gates import Engine, Rows, Verdict
from readiness_pipelines.lakehouse import stored_columns


def waiting_rows(
    verdict: Verdict, judge: Engine, known: pa.Schema | None, *, name: str, at: datetime
) -> tuple[Rows, pa.Schema]:
    """The rows that wait, with the gate's version and the time; and their columns.

    Args:
        verdict: What the gate said of the batch.
        judge: Where its rows live.
        known: The columns that quarantine has; ``None`` where it is not there yet. A column of another type than there
            waits beside it, as in raw.
        name: Part of the names of views, used once in an engine.
        at: Since when they wait.
    """
    failed, waiting = f"failed_{name}", f"waiting_{name}"
    judge.view(failed, verdict.quarantined)
    version, now = judge.sql.literal(verdict.version), judge.sql.value(at)
    judge.view(waiting, f"SELECT *, {version} AS _gate_version, {now} AS _quarantined_at FROM {failed}")
    schema = judge.schema(waiting)
    arrived = pa.schema([field for field in schema if field.name not in RESERVED_COLUMNS])
    moved = {column.name: column.stored for column in stored_columns(arrived, known)}
    if any(name.lower() != stored.lower() for name, stored in moved.items()):
        name_of = judge.sql.identifier
        listed = ", ".join(f"{name_of(name)} AS {name_of(moved.get(name, name))}" for name in schema.names)
        placed = f"placed_{name}"
        judge.view(placed, f"SELECT {listed} FROM {waiting}")
        waiting, schema = placed, judge.schema(placed)
    return judge.rows(f"SELECT * FROM {waiting}"), schema
