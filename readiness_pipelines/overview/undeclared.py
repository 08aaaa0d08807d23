"""Tables that the ledger knows and the code no longer declares: renamed, or removed."""

from collections import Counter
from collections.abc import Iterable, Mapping

from readiness_pipelines.contracts import Domain
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId


def undeclared_tables(domains: Iterable[Domain], *, installation: Installation) -> Mapping[TableId, int]:
    """The tables of some domains that were delivered and are declared no longer, with how many batches each has.

    They stay as they are, published rows included: nothing judges or computes them any more.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    declared = {table.id for domain in domains for table in domain.tables}
    names = {table.domain for table in declared}
    gone = [table for table in installation.ledger.claims() if table.domain in names and table not in declared]
    if not gone:
        return {}
    batches = Counter(record.ref.table for record in installation.ledger.batches(tables=gone))
    return {table: batches[table] for table in sorted(gone)}
