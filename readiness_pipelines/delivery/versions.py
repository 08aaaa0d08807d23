"""A table of which every delivery replaces the whole shows its newest version, and nothing else."""

from uuid import uuid4

from readiness_pipelines.batches import BatchRef, Scope, in_order
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.delivery.commit import commit_rows
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import is_there
from readiness_pipelines.installation import Installation, Run


def newest_version(table: Table, installation: Installation) -> tuple[str, int] | None:
    """The newest version of which consumers see rows, and its snapshot among all versions.

    A version that was published and then held, or came again without rows, keeps what it published before.
    """
    records = {record.ref.batch: record for record in installation.ledger.batches(tables=[table.id])}
    there = [batch for batch, record in records.items() if is_there(record)]
    if not there:
        return None
    newest = in_order(table.batches, there)[-1]
    return newest, int(records[newest].snapshots.published or 0)


def shown_version(table: Table, installation: Installation) -> tuple[str, str] | None:
    """The version that the table shows, and the snapshot among all versions that it was copied from."""
    if not installation.lakehouse.exists(table.id):
        return None
    commits = installation.lakehouse.snapshots(table.id)[:1]
    if not commits:
        return None
    said = commits[0].properties
    return said.get("readiness.batch", ""), said.get("readiness.version_snapshot", "")


def show_newest_version(table: Table, *, installation: Installation, run: Run) -> None:
    """Make a table with versions show the newest one, in one snapshot. Does nothing where it does, or has no versions.

    Raises:
        LakehouseError: The table cannot be written.
    """
    if table.batches.scope is not Scope.TABLE:
        return
    with installation.lakehouse.turn(str(table.id), "*", run_id=run.run_id):
        newest, shown = newest_version(table, installation), shown_version(table, installation)
        wanted = ("", "") if newest is None else (newest[0], str(newest[1]))
        if shown == wanted or (newest is None and shown is None):
            return
        store, lakehouse = store_of(table), installation.lakehouse
        batch = newest[0] if newest is not None else (shown or ("none", ""))[0]
        schema = lakehouse.schema(store)
        lakehouse.ensure(table.id, schema)
        with installation.engine(f"the newest version of {table.id}") as engine:
            rows = lakehouse.relation(engine, store, batch=batch)
            staged = lakehouse.stage(
                table.id, rows if newest is not None else rows.filter("false"), batch=batch, schema=schema
            )
            commit_rows(
                table.id,
                staged,
                BatchRef(table.id, wanted[0] or batch),
                attempt=OpenAttempt(id=uuid4().hex, confirm=lambda: None),
                installation=installation,
                engine=engine,
                run=run,
                facts={"version_snapshot": wanted[1]},
                whole=True,
            )
