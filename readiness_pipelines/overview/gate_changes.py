"""What changed in a path's gates since they last judged a batch."""

from dataclasses import dataclass

from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.names import published_table
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.gates import GateChange, GateDeclaration, differences
from readiness_pipelines.installation import Installation


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChanges:
    """A table's gate as it was and as the code has it now.

    Attributes:
        table: The table.
        before: The version compared with; ``None`` where no batch was ever judged.
        after: The version in the code.
        changes: What changed, the breaking changes first.
    """

    table: str
    before: str | None
    after: str
    changes: tuple[GateChange, ...]


def gate_changes(
    path: DataPath, *, installation: Installation, table: str | None = None, since: str | None = None
) -> tuple[GateChanges, ...]:
    """Compare the gates in the code with those that judged batches.

    Args:
        path: The path.
        installation: Whose ledger remembers the gates.
        table: One table of the path; ``None`` for all.
        since: The version to compare with; ``None`` for the one used most recently for the first time.

    Raises:
        UnknownNameError: No such table, or a version that judged no batch of the table.
    """
    tables = [path.table(table)] if table else list(path.tables)
    found = []
    for gated in tables:
        gate, name = gate_of(path, gated), str(published_table(path, gated))
        used = installation.ledger.gates(path=path.name, table=name)
        known = {record.version: record for record in used}
        if since is not None and since not in known:
            raise UnknownNameError(f"gate version of {name}", since, known)
        before = known[since] if since else (used[-1] if used else None)
        changes = differences(GateDeclaration.from_json(before.declaration), gate.declaration) if before else ()
        found.append(
            GateChanges(table=name, before=before.version if before else None, after=gate.version, changes=changes)
        )
    return tuple(found)
