"""Persons in tables that the code does not declare, as they were renamed or taken out: nothing can rewrite them."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery.contents import stores_of
from readiness_pipelines.delivery.erasure.matching import SubjectColumn, TableMatcher, names_subjects
from readiness_pipelines.delivery.erasure.persons import kind_of
from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import EVERYWHERE, RegisteredPerson
from readiness_pipelines.names import TableId

_ROWS_AT_ONCE = 50_000
_TRAINING = TableId("", "").training.domain
_WHY = "no code that runs here declares it"
_WAY_OUT = (
    "where other code declares it, run the same command there, and here again; else declare it again, or say who "
    "answers for what it keeps: --accept-remainder"
)


def left_in_undeclared(
    domains: Sequence[Domain], persons: Iterable[RegisteredPerson], *, installation: Installation
) -> dict[str, str]:
    """What tables hold of persons that none of some domains declares, and the way out; by Iceberg table.

    Which of their columns name persons, nothing says any more: a row is a person's where any column has the value.
    Those of training sets are left out: they lose their rows with the tables that they were made of.

    Args:
        domains: All domains.
        persons: The persons; those that are to be erased in some table alone are in no other.
        installation: What is searched.

    Raises:
        LakehouseError: A store does not answer; a table that can never be read is named among what is found.
        RegisterKeyError: The register's key is not there.
    """
    everywhere = tuple(one for one in persons if one.scope == EVERYWHERE)
    tables = [table for domain in domains for table in domain.tables]
    known = {store for table in tables for store in (table.id, *stores_of(table))}
    stores = [one for one in installation.lakehouse.tables() if not (one in known or one.in_environment)]
    stores = [one for one in stores if not one.domain.endswith(_TRAINING)]
    if not (everywhere and tables and stores):
        return {}
    # They are the same persons in every table: any tells them.
    one = next(filter(names_subjects, tables), tables[0])
    matcher = TableMatcher(one, everywhere, installation.register_key.read())
    found = {}
    for store in stores:
        try:
            rows = _rows_in(store, matcher, installation)
        except LakehouseError as error:
            if error.retryable:
                raise
            found[str(store)] = f"{_WHY}, and it cannot be searched: {error.what}; {_WAY_OUT}"
        else:
            if rows:
                found[str(store)] = f"{_WHY}, and the value is in {rows:,} of its rows: {_WAY_OUT}"
    return found


def _rows_in(store: TableId, matcher: TableMatcher, installation: Installation) -> int:
    count = 0
    with installation.engine(f"a search in {store}") as engine:
        for rows in installation.lakehouse.relation(engine, store).to_arrow_reader(_ROWS_AT_ONCE):
            count += int(np.count_nonzero(matcher.mask(rows, _columns(rows.schema))))
    return count


def _columns(schema: pa.Schema) -> dict[str, SubjectColumn]:
    """All columns that are not the framework's."""
    return {
        field.name: SubjectColumn(field.name, kind_of(None, field.type))
        for field in schema
        if not field.name.startswith("_")
    }
