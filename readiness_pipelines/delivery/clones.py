"""An installation's tables and ledger, cloned: what is delivered there changes nothing in the installation."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from readiness_pipelines.contracts import Table, downstream, upstream
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import ENVIRONMENT, TableId, checked_environment
from readiness_pipelines.spill import make_spill_folder
from readiness_pipelines.storage import Place

FOLDER = f"{ENVIRONMENT}evaluations"
"""Below the warehouse, where engines read and write: no namespace is called so."""

_SUFFIX = f"{ENVIRONMENT}evaluated"


@contextmanager
def cloned(
    tables: Iterable[Table], *, installation: Installation, environment: str | None = None
) -> Iterator[Installation]:
    """The installation as a delivery sees it, over shallow clones of some tables and a copy of what is known of them.

    The clones share the files of the tables and read raw where it is. What is committed to them lies in a folder of its
    own, which is gone at the end; with an environment, it stays to be looked at.

    Args:
        tables: The tables that may be delivered; what they read, and what reads them, is cloned, too.
        installation: What is cloned.
        environment: Ends the clones' namespaces in the installation's own catalog, in place of those that an earlier
            call has left: ``dev`` for ``shop__dev.orders``; ``None`` for a catalog that is gone at the end.

    Raises:
        DeclarationError: Not a name for an environment.
        LakehouseError: A table cannot be read, or the warehouse cannot be written to.
        LedgerError: The ledger cannot be read.
    """
    ids = tuple(_places(tables))
    folder, here = make_spill_folder(), f"{FOLDER}/{uuid4().hex}"
    try:
        ledger = installation.ledger.copy(f"sqlite:///{folder}/ledger.db", ids)
        if environment is not None:
            drop_environment(environment, installation=installation)
            lakehouse = installation.lakehouse.clone(ids, suffix=_suffix(environment))
        else:
            catalog = f"sqlite:///{folder}/catalog.db"
            lakehouse = installation.lakehouse.clone(ids, suffix=_SUFFIX, folder=here, catalog_url=catalog)
        yield replace(installation, ledger=ledger, lakehouse=lakehouse, keeps_online=False)
    finally:
        for place in installation.lakehouse.homes.places:
            _remove(place, here)
        shutil.rmtree(folder, ignore_errors=True)


def drop_environment(environment: str, *, installation: Installation) -> tuple[TableId, ...]:
    """Drop the tables of an environment, with the files that are their own; the tables that were dropped.

    Raises:
        DeclarationError: Not a name for an environment.
        LakehouseError: The catalog does not answer, or a file cannot be removed.
    """
    return installation.lakehouse.drop(_suffix(environment))


def remove_abandoned_clones(warehouse: Place, *, now: datetime, age: timedelta) -> int:
    """Remove the folders of clones that killed processes have left; how many.

    Args:
        warehouse: Where they lie.
        now: The time.
        age: How long nothing must have been written into one.
    """
    newest: dict[str, datetime] = {}
    for file in warehouse.files(FOLDER):
        name = file.name.removeprefix(f"{FOLDER}/").partition("/")[0]
        newest[name] = max(file.changed_at, newest.get(name, file.changed_at))
    old = [name for name, changed_at in newest.items() if changed_at < now - age]
    for name in old:
        _remove(warehouse, f"{FOLDER}/{name}")
    return len(old)


def _remove(warehouse: Place, folder: str) -> None:
    """Remove a folder, and the one above it where it was the last; what cannot be removed is left to maintenance."""
    with suppress(OSError):
        (warehouse / folder).remove_all()
        if warehouse.is_local:
            (warehouse / FOLDER).path.rmdir()


def _suffix(environment: str) -> str:
    return f"{ENVIRONMENT}{checked_environment(environment)}"


def _places(tables: Iterable[Table]) -> Iterator[TableId]:
    """Where rows of some tables are, of what they read, of what reads them, and of what that reads."""
    found: dict[TableId, Table] = {}
    for table in tables:
        for one in (table, *downstream(table)):
            found |= {other.id: other for other in (one, *upstream(one))}
    for ident in found:
        yield from (ident, ident.raw, ident.quarantine, ident.versions, ident.history)
