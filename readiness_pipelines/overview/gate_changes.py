"""What changed in the gates of some tables since they last judged a batch."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.errors import GateBuildError, UnknownNameError
from readiness_pipelines.gates import GateChange, GateDeclaration, differences
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChanges:
    """A table's gate as it was and as the code has it now.

    Attributes:
        table: The table.
        before: The version compared with; ``None`` where no batch was ever judged.
        after: The version in the code.
        changes: What changed, the breaking changes first.
    """

    table: TableId
    before: str | None
    after: str
    changes: tuple[GateChange, ...]


def gate_changes(
    tables: Iterable[Table], *, installation: Installation, since: str | None = None
) -> tuple[GateChanges, ...]:
    """Compare the gates in the code with those that judged batches.

    Args:
        tables: The tables.
        installation: Whose ledger remembers the gates.
        since: The version to compare with; ``None`` for the one used most recently for the first time.

    Raises:
        UnknownNameError: A version that judged no batch of a table.
        GateBuildError: A table's schema cannot become a gate.
    """
    return tuple(_changes(table, installation, since) for table in tables)


def batches_by_other_gates(tables: Iterable[Table], *, installation: Installation) -> tuple[BatchRef, ...]:
    """The batches of some tables whose last verdict is of another gate than the code's: they stay as they are.

    A table whose schema cannot become a gate is left out, for it must not stop what is said of others; `check_domains`
    names it.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    known = {table.id: table for table in tables}
    judged = [one for one in installation.ledger.batches(tables=list(known)) if one.gate_version is not None]
    versions: dict[TableId, str] = {}
    for table in dict.fromkeys(record.ref.table for record in judged):  # a gate takes time to build
        with suppress(GateBuildError):
            versions[table] = gate_of(known[table], default_engine=installation.engine_name).version
    return tuple(
        record.ref for record in judged if versions.get(record.ref.table, record.gate_version) != record.gate_version
    )


def _changes(table: Table, installation: Installation, since: str | None) -> GateChanges:
    gate, used = gate_of(table), installation.ledger.gates(table.id)
    known = {record.version: record for record in used}
    if since is not None and since not in known:
        raise UnknownNameError(f"gate version of {table.id}", since, known)
    before = known[since] if since else (used[-1] if used else None)
    changes = differences(GateDeclaration.from_json(before.declaration), gate.declaration) if before else ()
    return GateChanges(
        table=table.id, before=before.version if before else None, after=gate.version, changes=tuple(changes)
    )
