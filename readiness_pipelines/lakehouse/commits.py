"""One snapshot that replaces one batch, or adds a slice to it."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, RESTError, ValidationException
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Snapshot
from requests import RequestException
from sqlalchemy.exc import OperationalError

from readiness_pipelines.errors import (
    CommitConflictError,
    CommitUnknownError,
    LakehouseError,
    ReadinessError,
    first_line,
)
from readiness_pipelines.lakehouse.catalogs import held_error
from readiness_pipelines.lakehouse.maintenance import tidy
from readiness_pipelines.lakehouse.planning import data_files_of
from readiness_pipelines.lakehouse.reading import of_batch
from readiness_pipelines.lakehouse.records import Commit, NothingToCommit, Staged
from readiness_pipelines.lakehouse.upstream import Change, Marks, data_files, unknown_columns
from readiness_pipelines.names import TableId

ATTEMPT = "readiness.attempt"
BATCH = "readiness.batch"
RUN = "readiness.run"
TRIES = 6
FIRST_WAIT_SECONDS = 0.1
UNKNOWN = (OperationalError, CommitStateUnknownException, RESTError, RequestException, ValueError)
"""A database's lock, a dropped connection, or PyIceberg's sequence number race: look again before another try."""


def replace_batch(
    load: Callable[[], Table],
    staged: Staged,
    properties: Mapping[str, str],
    confirm: Callable[[], None],
    *,
    whole: bool = False,
    marks: Marks | None = None,
) -> Commit:
    """Publish staged files in one snapshot that drops whatever the table had of the batch, or all that it had.

    New columns of the staged rows join the table's schema in the same commit.

    Args:
        load: Loads the table as it is now.
        staged: The rows.
        properties: Joins the snapshot's summary; `ATTEMPT` must tell this commit from all others.
        confirm: Called after the table is loaded and before it is changed.
        whole: Drop all that the table had, not only the batch.
        marks: Table properties to set in the same commit, made anew at each try.

    Raises:
        CommitConflictError: Another commit changed the same batch, or the schema, meanwhile.
        CommitUnknownError: The catalog could not be reached, and it is not known whether the commit landed.
        LakehouseBusyError: Somebody else has locked the table's row in the catalog; names the session.
        LakehouseError: The table's files cannot be written (disk full, no permission).
    """

    def change(table: Table) -> None:
        confirm()
        _replace_once(table, staged, {**properties, BATCH: staged.batch}, whole=whole, marks=marks)

    return _committed(load, staged, properties, change)


def append_rows(
    load: Callable[[], Table], staged: Staged, properties: Mapping[str, str], marks: Marks | None
) -> Commit:
    """Add staged files to what the table has of the batch, in one snapshot, and set table properties with it.

    New columns of the staged rows join the table's schema in the same commit. Without files, only the properties and
    the snapshot's summary say something new; every commit under way then has to look at the properties again.

    Args:
        load: Loads the table as it is now.
        staged: The rows; none for a snapshot without new rows.
        properties: Joins the snapshot's summary; `ATTEMPT` must tell this commit from all others.
        marks: Table properties to set, made anew at each try, PyIceberg's own among them; raises where rows must not be
            added.

    Raises:
        CommitConflictError: Another commit changed the schema meanwhile.
        CommitUnknownError: The catalog could not be reached, and it is not known whether the commit landed.
        LakehouseBusyError: Somebody else has locked the table's row in the catalog; names the session.
        LakehouseError: The table's files cannot be written (disk full, no permission).
    """
    said = {**properties, BATCH: staged.batch} if staged.batch else dict(properties)
    return _committed(load, staged, properties, lambda table: _append_once(table, staged, said, marks))


def _committed(
    load: Callable[[], Table], staged: Staged, properties: Mapping[str, str], change: Callable[[Table], None]
) -> Commit:
    """Make a change of a table once, whatever happens on the way."""
    if wrong := [name for name, value in properties.items() if not isinstance(value, str)]:
        raise LakehouseError(f"snapshot properties must be text: {', '.join(wrong)}")
    attempt = properties[ATTEMPT]
    for turn in range(TRIES):
        table = load()
        if (landed := find_attempt(table, attempt)) is not None:
            return as_commit(staged.table, landed)
        try:
            change(table)
            landed = find_attempt(table, attempt)
        except (CommitFailedException, ValidationException) as error:
            raise CommitConflictError(
                f"another run changed batch {staged.batch!r} of {staged.table} meanwhile: {error}",
                way_out="run the batch again",
            ) from error
        except UNKNOWN as error:
            if (held := held_error(table.catalog, staged.table, error)) is not None:
                raise held from error
            if isinstance(error, ValueError) and "sequence number" not in str(error):
                raise _broken(staged, table, error) from error
            if turn == TRIES - 1:
                raise CommitUnknownError(
                    f"whether batch {staged.batch!r} was committed to {staged.table} is unknown: {error}",
                    way_out="when the catalog answers again, run the batch again: it finds out and finishes",
                ) from error
            time.sleep(FIRST_WAIT_SECONDS * 2**turn)
            continue
        except (ReadinessError, NothingToCommit):
            raise
        except Exception as error:  # what is in a damaged file of the table decides what PyIceberg raises
            raise _broken(staged, table, error) from error
        if landed is not None:
            tidy(table)
            return as_commit(staged.table, landed)
    raise CommitUnknownError(f"the commit of batch {staged.batch!r} to {staged.table} left no snapshot")


def find_attempt(table: Table, attempt: str) -> Snapshot | None:
    """The snapshot that an attempt made; ``None`` if it made none, or the snapshot is expired."""
    for snapshot in reversed(table.snapshots()):
        if snapshot.summary is not None and snapshot.summary.additional_properties.get(ATTEMPT) == attempt:
            return snapshot
    return None


def as_commit(table: TableId, snapshot: Snapshot) -> Commit:
    """A snapshot as plain values."""
    properties = dict(snapshot.summary.additional_properties) if snapshot.summary else {}
    committed_at = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC)
    return Commit(table=table, snapshot_id=snapshot.snapshot_id, committed_at=committed_at, properties=properties)


def _broken(staged: Staged, table: Table, error: BaseException) -> LakehouseError:
    return LakehouseError(
        f"batch {staged.batch!r} cannot be committed to {staged.table}: {first_line(error)}",
        way_out=f"make room or give permission under {table.location()}, then run the batch again: "
        "it finds out what landed, and finishes",
    )


def _replace_once(
    table: Table, staged: Staged, properties: dict[str, str], *, whole: bool, marks: Marks | None
) -> None:
    replaced = AlwaysTrue() if whole else of_batch(staged.batch)
    with Change(table, marks=marks) as transaction:
        _add_columns(transaction, table, staged)
        with transaction.update_snapshot(snapshot_properties=properties).overwrite() as snapshot:
            # Without the predicate, an append to any other batch would count as a conflict.
            snapshot.delete_by_predicate(replaced)
            for file in data_files_of(table, batches=None if whole else (staged.batch,)):
                snapshot.delete_data_file(file)
            for file in data_files(transaction, table, staged.files):
                snapshot.append_data_file(file)


def _append_once(table: Table, staged: Staged, properties: dict[str, str], marks: Marks | None) -> None:
    with Change(table, marks=marks) as transaction:
        _add_columns(transaction, table, staged)
        with transaction.update_snapshot(snapshot_properties=properties).merge_append() as snapshot:
            for file in data_files(transaction, table, staged.files):
                snapshot.append_data_file(file)


def _add_columns(transaction: Transaction, table: Table, staged: Staged) -> None:
    """Add the columns that the table lacks; refuse rows that were staged for other columns than it has."""
    if added := unknown_columns(table.schema(), staged.schema):
        with transaction.update_schema() as schema:
            schema.union_by_name(added)
    reached = transaction.table_metadata.schema()
    if any(reached.find_field(name).field_id != field_id for name, field_id in staged.field_ids.items()):
        raise CommitFailedException("the table's columns changed after the rows were staged")
