"""Which Iceberg catalog: SQL tables in a database, or a REST server."""

import weakref
from pathlib import Path

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import RESTError, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from readiness_pipelines.errors import LakehouseBusyError
from readiness_pipelines.lakehouse.upstream import SqlTables
from readiness_pipelines.names import TableId
from readiness_pipelines.postgres import (
    ending,
    find_sessions,
    is_lock_timeout,
    limit_lock_waits,
    name_sessions,
    table_holders,
)
from readiness_pipelines.sqlite import reconnect_where_read_only
from readiness_pipelines.storage import Place

CATALOG_NAME = "readiness"
"""In the SQL catalog's tables, and in PyIceberg's own variables: ``PYICEBERG_CATALOG__READINESS__TOKEN``."""

ROW_WAIT_SECONDS = 10
"""How long a commit waits for a row of the catalog on Postgres that somebody else has locked."""

DAMAGED = (FileNotFoundError, ValidationError)
"""What it raises where a table's metadata is not there, or is not metadata."""

UNREACHABLE = (SQLAlchemyError, OSError, RESTError)
"""What a catalog raises that does not answer, or not as it should."""


def open_catalog(url: str, warehouse: Place) -> Catalog:
    """Open a catalog.

    Args:
        url: SQLAlchemy URL of its database, or the address of a REST server. What else a REST server wants (a token, a
            credential, the name of a warehouse) is PyIceberg's own configuration.
        warehouse: Where the tables' files lie.
    """
    files = {"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO", **_store(warehouse)}
    if url.startswith(("http://", "https://")):
        return load_catalog(CATALOG_NAME, type="rest", uri=url, **files)
    if not url.startswith("sqlite"):
        catalog = _sql(url, warehouse, files)
        limit_lock_waits(catalog.engine, ROW_WAIT_SECONDS)
        catalog.engine.dispose()  # what it has connected already has no limit
        return catalog
    Path(url.removeprefix("sqlite:///").split("?")[0]).parent.mkdir(parents=True, exist_ok=True)
    catalog = _sql(url if "?" in url else f"{url}?timeout=30", warehouse, files)
    reconnect_where_read_only(catalog.engine)
    with catalog.engine.connect() as connection:
        connection.execute(text("PRAGMA journal_mode=WAL"))
    return catalog


def held_error(catalog: Catalog, table: TableId | str, error: BaseException) -> LakehouseBusyError | None:
    """What to raise in place of a catalog's error, where it gave up a wait for a lock; ``None`` where it did not."""
    if not isinstance(catalog, SqlCatalog) or not is_lock_timeout(error):
        return None
    holders = find_sessions(catalog.engine, lambda connection: table_holders(connection, r"iceberg\_%"))
    return LakehouseBusyError(
        f"the catalog is held by {name_sessions(holders)} at {table}: waited {ROW_WAIT_SECONDS} seconds",
        way_out=ending(holders),
    )


def _store(warehouse: Place) -> dict[str, str]:
    given = {"s3.endpoint": warehouse.store.endpoint, "s3.region": warehouse.store.known_region}
    return {name: value for name, value in given.items() if value}


def _sql(url: str, warehouse: Place, files: dict[str, str]) -> SqlCatalog:
    """Open a catalog; two processes that create its database at once may collide, and the second try finds it there."""
    properties = {"uri": url, "warehouse": warehouse.uri, "pool_pre_ping": "true", **files}
    try:
        catalog = SqlTables(CATALOG_NAME, **properties)
    except DBAPIError:
        catalog = SqlTables(CATALOG_NAME, **properties)
    # At the latest when the process ends: what SQLite wrote beside its file is in the file then, and backups are whole.
    weakref.finalize(catalog, catalog.engine.dispose)
    return catalog
