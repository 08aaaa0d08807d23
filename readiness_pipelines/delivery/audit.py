"""The audit of the ledger's trail: its chains, its guards, and the rows that the tables' snapshots name."""

from collections.abc import Iterator
from dataclasses import dataclass

from readiness_pipelines.delivery.commit import ANCHOR
from readiness_pipelines.errors import DamagedTableError
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import Commit
from readiness_pipelines.ledger import ChainAudit, unknown_anchors


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was looked at, and what is not as it was written.

    Attributes:
        chains: The append-only tables of the ledger.
        anchors: How many snapshots name rows of them.
        problems: What is wrong, for people; empty where everything holds.
    """

    chains: tuple[ChainAudit, ...]
    anchors: int
    problems: tuple[str, ...]


def audit(*, installation: Installation) -> Audit:
    """Verify that what is append-only in the ledger was not rewritten.

    A row that was changed, removed or inserted breaks the chain of its table, and is named. A chain that was cut off at
    its end, or written anew from some row on, has not the rows any more that the snapshots of the tables name.

    Raises:
        LakehouseError: The catalog does not answer.
        LedgerError: The ledger cannot be reached.
    """
    lakehouse = installation.lakehouse
    # The snapshots first: what is appended meanwhile is in the chains, which only grow.
    commits: list[Commit] = []
    unread: list[str] = []
    # What is in an environment names rows of a copy of the ledger, which is gone.
    for store in (one for one in lakehouse.tables() if not one.in_environment):
        try:
            commits += lakehouse.snapshots(store)
        except DamagedTableError as error:
            unread.append(error.what)
    anchored = [commit for commit in commits if commit.properties.get(ANCHOR)]
    chains = installation.ledger.audit_chains()
    problems = [*_problems(chains), *_forged(chains, anchored), *unread]
    return Audit(chains=chains, anchors=len(anchored), problems=tuple(problems))


def _problems(chains: tuple[ChainAudit, ...]) -> Iterator[str]:
    for chain in chains:
        if chain.broken is not None:
            yield f"{chain.table} is broken at row {chain.broken.id}: {chain.broken.what}"
        if chain.missing_guards:
            yield f"{chain.table} can be rewritten: its triggers {', '.join(chain.missing_guards)} are not there"


def _forged(chains: tuple[ChainAudit, ...], anchored: list[Commit]) -> Iterator[str]:
    """The first snapshot, by time, that names a row which is not there, for each table of the ledger."""
    by_name = {chain.table: chain for chain in chains}
    said: set[str] = set()
    for commit in sorted(anchored, key=lambda one: one.committed_at):
        for part in unknown_anchors(by_name, commit.properties[ANCHOR]):
            name, _, last = part.partition("=")
            if name not in said:
                said.add(name)
                number = last.partition(":")[0]
                yield (
                    f"ledger_{name} was rewritten or cut off: its row {number} is not there as snapshot "
                    f"{commit.snapshot_id} of {commit.table} names it, of {commit.committed_at:%Y-%m-%d %H:%M:%S} UTC"
                )
