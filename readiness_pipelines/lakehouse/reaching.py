"""The edge to the tables: what a catalog, PyIceberg, its files and DuckDB raise, as errors of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException

from readiness_pipelines.errors import (
    TRACEBACK,
    DamagedTableError,
    EngineError,
    LakehouseError,
    ReadinessError,
    first_line,
)
from readiness_pipelines.lakehouse.catalogs import DAMAGED, UNREACHABLE, held_error
from readiness_pipelines.masking import quoted
from readiness_pipelines.names import TableId

_UNREADABLE = (
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.SerializationException,
    OSError,
    pa.ArrowException,
)
"""What reading a file raises that is not there, is cut off, or is not what its name says."""


@contextmanager
def reaching_catalog(catalog: Catalog, what: TableId | str) -> Iterator[None]:
    """Use a catalog.

    Raises:
        LakehouseBusyError: Somebody else holds a lock in it.
        DamagedTableError: It names metadata that are not there, or not metadata.
        LakehouseError: It does not answer.
    """
    try:
        yield
    except DAMAGED as error:
        raise DamagedTableError(what, error) from error
    except UNREACHABLE as error:
        if (held := held_error(catalog, what, error)) is not None:
            raise held from error
        raise LakehouseError(
            f"the catalog cannot be used for {what}: {first_line(error)}",
            way_out="check that its database answers and that its disk has room, then run again: nothing is lost",
        ) from error


@contextmanager
def reading_metadata(table: TableId) -> Iterator[None]:
    """Read a table's metadata: what is in a damaged file decides what PyIceberg raises, so that all of it is caught.

    Raises:
        DamagedTableError: A file cannot be read.
    """
    try:
        yield
    except (ReadinessError, CommitFailedException):
        raise
    except Exception as error:
        raise DamagedTableError(table, error) from error


@contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Use DuckDB over tables' files.

    Args:
        what: What it is used for, for people: a batch of a table.

    Raises:
        LakehouseError: A file cannot be read or written, or there is not enough memory.
        EngineError: DuckDB broke.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise LakehouseError(
            f"{what} needs more memory than it may have: {quoted(error)}",
            way_out="raise READINESS_ENGINE_MEMORY_MB, or make room in the temporary folder; then run it again",
        ) from error
    except _UNREADABLE as error:
        raise _unreadable(what, error) from error
    except duckdb.Error as error:
        if str(error).startswith(TRACEBACK):  # of the driver in Python by which it reads a bucket
            raise _unreadable(what, error) from error
        raise EngineError(f"DuckDB broke at {what}: {quoted(error)}", way_out="run it again") from error


def _unreadable(what: str, error: BaseException) -> LakehouseError:
    return LakehouseError(
        f"a file that {what} needs cannot be read or written: {quoted(error)}",
        way_out="check the file and the room on its disk, or that its store answers, then run it again; "
        "readiness reconcile names what is damaged",
    )
