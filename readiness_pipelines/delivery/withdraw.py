"""What was computed from a batch whose rows were withdrawn must not outlive them."""

from readiness_pipelines.contracts import DataPath, DerivedTable
from readiness_pipelines.delivery.attempts import attempted, has_more_to_say
from readiness_pipelines.delivery.names import batch_ref, kpi_table, published_table
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.ledger import BatchRecord, BatchState, Counts, Snapshots


def withdraw_downstream(path: DataPath, *, batch: str, installation: Installation, run: Run) -> tuple[str, ...]:
    """Empty a batch of every derived table and of the KPI that comes from a discarded one.

    What comes from a held batch stays: so does what the held batch published before.

    Returns:
        The tables in which something was withdrawn.
    """
    withdrawn = {
        table.name
        for table in path.tables
        if _state(path, published_table(path, table), batch, installation) is BatchState.DISCARDED
    }
    emptied: list[str] = []
    for table in path.tables:
        if isinstance(table, DerivedTable) and withdrawn.intersection(table.inputs):
            withdrawn.add(table.name)
            emptied += _empty(path, published_table(path, table), batch, installation, run)
    if path.kpi_measure is not None and withdrawn.intersection(path.kpi_measure.inputs):
        emptied += _empty(path, kpi_table(path), batch, installation, run)
    return tuple(emptied)


def _state(path: DataPath, table: TableId, batch: str, installation: Installation) -> BatchState | None:
    record = installation.ledger.get(batch_ref(path, table, batch))
    return record.state if record else None


def _empty(path: DataPath, table: TableId, batch: str, installation: Installation, run: Run) -> list[str]:
    lakehouse = installation.lakehouse
    ref = batch_ref(path, table, batch)
    if not has_more_to_say(table, ref, installation):
        return []
    with attempted(ref, installation=installation, run=run) as attempt:
        schema = lakehouse.schema(table)
        with installation.engine() as engine:
            staged = lakehouse.stage(table, engine.from_arrow(schema.empty_table()), batch=batch, schema=schema)
        properties = {"readiness.run": run.run_id, "readiness.attempt": attempt.id}
        commit = lakehouse.replace(table, staged, properties=properties, confirm=attempt.confirm)
        reason = "what it was computed from was discarded"
        installation.ledger.record(
            BatchRecord(
                ref=ref,
                state=BatchState.EMPTY,
                counts=Counts(),
                run_id=run.run_id,
                attempt=attempt.id,
                reason=reason,
                snapshots=Snapshots(published=commit.snapshot_id),
                columns=tuple(schema.names),
                updated_at=run.clock(),
            ),
            what="withdrawn",
            who=run.who,
            why=reason,
        )
    return [str(table)]
