"""What waits: batches, their rows, and why."""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.judging import decisions_in_force, judged_batch
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import arrived_name
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.masking import NOBODY, Listing, Viewer
from readiness_pipelines.overview.known import unknown_batch
from readiness_pipelines.plain_rows import plain_rows
from readiness_pipelines.sql import identifier


def waiting_batches(tables: Iterable[Table], *, installation: Installation) -> tuple[BatchRecord, ...]:
    """The batches of some tables of which rows wait: held ones first, each table's together, from old to new."""
    known = {table.id: (place, table) for place, table in enumerate(tables)}

    def order(record: BatchRecord) -> tuple[bool, int, tuple[float, str]]:
        place, table = known[record.ref.table]
        return record.state is not BatchState.HELD, place, table.batches.order(record.ref.batch)

    return tuple(sorted(installation.ledger.batches(tables=list(known), waiting=True), key=order))


def waiting_record(table: Table, *, batch: str, installation: Installation) -> BatchRecord:
    """Where a batch of a table stands.

    Raises:
        LedgerError: It was never delivered.
        UnknownNameError: The table has no such batch; names the nearest that it has.
    """
    record = installation.ledger.get(BatchRef(table.id, batch))
    if record is None:
        known = [other.ref.batch for other in installation.ledger.batches(tables=[table.id])]
        raise unknown_batch(table, batch, known)
    return record


def quarantine_rows(
    table: Table, *, batch: str, rule: str | None, limit: int | None, installation: Installation
) -> pa.Table:
    """The rows of a batch that wait: ``_row``, the source's columns, and ``broken``, the names of the rules.

    Those that break a rule come first; of a held batch, the others wait, too.

    Args:
        table: The table.
        batch: The batch.
        rule: Only rows that break this rule; ``None`` for all.
        limit: How many at most; ``None`` for all.
        installation: Where the tables are.

    Raises:
        LedgerError: A batch that was never delivered.
        UnknownNameError: A batch that the table does not have, or a rule that no row of it breaks.
        LakehouseError: The table cannot be read.
    """
    waiting_record(table, batch=batch, installation=installation)
    quarantine = table.id.quarantine
    if not installation.lakehouse.exists(quarantine):
        return pa.table({"_row": pa.array([], pa.int64())})
    with installation.engine(f"the quarantine of batch {batch!r} of {table.id}") as engine:
        rows = installation.lakehouse.relation(engine, quarantine, batch=batch, as_arrived=True)
        if "_discarded" in rows.columns:
            rows = rows.filter("NOT _discarded")
        named = rows.project("*, list_transform(_errors, lambda e: e.rule) AS _broken")
        if rule is not None:
            known = {name for (name,) in named.project("unnest(_broken)").distinct().fetchall()}
            if rule not in known:
                raise UnknownNameError(f"rule that rows of {batch} break", rule, known)
            contains = duckdb.FunctionExpression(
                "list_contains", duckdb.ColumnExpression("_broken"), duckdb.ConstantExpression(rule)
            )
            named = named.filter(contains)
        names = [name for name in rows.columns if not name.startswith("_")]
        columns = [f"{identifier(name)} AS {identifier(arrived_name(name, names))}" for name in names]
        shown = named.project(", ".join(["_row", *columns, "array_to_string(_broken, ', ') AS broken"])).order(
            "broken = '', _row"
        )
        return (shown if limit is None else shown.limit(limit)).to_arrow_table()


def waiting_values(table: Table, rows: pa.Table, viewer: Viewer = NOBODY) -> tuple[Mapping[str, Any], ...]:
    """Rows of `quarantine_rows` as somebody who looks sees them: equal values that are redacted have the same letter.

    Args:
        table: The table.
        rows: The rows.
        viewer: Who looks.
    """
    listing = Listing(classes_of(table), viewer)
    return tuple(
        {name: value if name == "broken" else listing.cell(name, value) for name, value in row.items()}
        for row in plain_rows(rows)
    )


def classified_columns(table: Table, rows: pa.Table) -> tuple[str, ...]:
    """The columns of such rows whose values are redacted."""
    classes = classes_of(table)
    return tuple(name for name in rows.column_names if name != "broken" and not classes.of(name).level.shown)


def judged_rules(table: Table, *, batch: str, installation: Installation) -> tuple[RuleCount, ...]:
    """The rules that a batch breaks now, most rows first: judged again, with the decisions in force.

    Raises:
        UpstreamNotPublishedError: Nothing of the batch was ingested, or an input has nothing published for it.
        GateBuildError: The gate cannot be built, or a check raised.
    """
    decisions = decisions_in_force(table, batch=batch, installation=installation, run=Run())
    with judged_batch(table, batch=batch, decisions=decisions, installation=installation) as judged:
        return judged.verdict.broken
