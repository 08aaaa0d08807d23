"""What waits: batches, their rows, and why."""

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery.judging import judged
from readiness_pipelines.delivery.names import Gated, batch_ref, published_table, quarantine_table
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord


def waiting_batches(path: DataPath, *, installation: Installation) -> tuple[BatchRecord, ...]:
    """The batches of a path's tables of which rows wait, in the order rows flow."""
    tables = [str(published_table(path, table)) for table in path.tables]
    records = [record for record in installation.ledger.batches(path=path.name) if record.counts.quarantined]
    return tuple(sorted((r for r in records if r.ref.table in tables), key=lambda r: tables.index(r.ref.table)))


def waiting_record(path: DataPath, table: Gated, *, batch: str, installation: Installation) -> BatchRecord:
    """Where a batch of a table stands.

    Raises:
        UnknownNameError: It was never judged; names the nearest that was.
    """
    name = published_table(path, table)
    record = installation.ledger.get(batch_ref(path, name, batch))
    if record is None:
        known = [r.ref.batch for r in installation.ledger.batches(path=path.name, table=str(name))]
        raise UnknownNameError(f"batch of {name}", batch, known)
    return record


def quarantine_rows(
    path: DataPath, table: Gated, *, batch: str, rule: str | None, limit: int | None, installation: Installation
) -> pa.Table:
    """The rows of a batch that wait: ``_row``, the source's columns, and ``broken``, the names of the rules.

    Args:
        path: The path.
        table: The table.
        batch: The batch.
        rule: Only rows that break this rule; ``None`` for all.
        limit: How many at most; ``None`` for all.
        installation: Where the tables are.

    Raises:
        UnknownNameError: A batch that was never judged, or a rule that no row of it breaks.
        LakehouseError: The table cannot be read.
    """
    waiting_record(path, table, batch=batch, installation=installation)
    quarantine = quarantine_table(table)
    if not installation.lakehouse.exists(quarantine):
        return pa.table({"_row": pa.array([], pa.int64())})
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, quarantine, batch=batch, as_arrived=True)
        if "_discarded" in rows.columns:
            rows = rows.filter("NOT _discarded")
        named = rows.project("*, list_transform(_errors, lambda e: e.rule) AS broken")
        if rule is not None:
            known = {name for (name,) in named.project("unnest(broken)").distinct().fetchall()}
            if rule not in known:
                raise UnknownNameError(f"rule that rows of {batch} break", rule, known)
            contains = duckdb.FunctionExpression(
                "list_contains", duckdb.ColumnExpression("broken"), duckdb.ConstantExpression(rule)
            )
            named = named.filter(contains)
        columns = [name for name in rows.columns if not name.startswith("_")]
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        shown = named.project(f"_row, {quoted}, array_to_string(broken, ', ') AS broken").order("_row")
        return (shown if limit is None else shown.limit(limit)).to_arrow_table()


def judged_rules(path: DataPath, table: Gated, *, batch: str, installation: Installation) -> tuple[RuleCount, ...]:
    """The rules that a batch breaks now, most rows first: judged again, with the decisions in force.

    Raises:
        UpstreamNotPublishedError: Nothing of the batch was ingested.
        GateBuildError: The gate cannot be built, or a check raised.
    """
    with judged(path, table, batch=batch, installation=installation, run=Run()) as found:
        return found.verdict.broken
