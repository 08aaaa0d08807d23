"""How long a step took: from its files' landing, or from its last input's publication, to its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.contracts import DataPath, DerivedTable, GatedTable
from readiness_pipelines.delivery.names import Gated, published_table, raw_table
from readiness_pipelines.installation import Installation
from readiness_pipelines.observability import Publication

Publications = Mapping[tuple[str, str], Sequence[Publication]]
"""The batches that consumers see, by path and published name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLatency:
    """How long a batch of a table took.

    Attributes:
        batch: The batch.
        since: When it could begin, in UTC.
        after: What it had to wait for until then, for people.
        published_at: When it was first published, in UTC; ``None`` while it is not.
    """

    batch: str
    since: datetime
    after: str
    published_at: datetime | None


def newest_latency(
    path: DataPath, table: Gated, *, installation: Installation, publications: Publications
) -> StepLatency | None:
    """The latency of the batch that could begin last; ``None`` where none could, or nobody knows when its files landed.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    began = (
        _landed(path, table, installation) if isinstance(table, GatedTable) else _computable(path, table, publications)
    )
    if began is None:
        return None
    batch, since = began
    own = publications.get((path.name, str(published_table(path, table))), ())
    after = "it landed" if isinstance(table, GatedTable) else f"{' and '.join(table.inputs)} came"
    published_at = next((one.first_at for one in own if one.batch == batch), None)
    return StepLatency(batch=batch, since=since, after=after, published_at=published_at)


def _landed(path: DataPath, table: GatedTable, installation: Installation) -> tuple[str, datetime] | None:
    raw = installation.ledger.latest(path=path.name, table=str(raw_table(table)))
    landed = max((file.landed_at for file in raw.files if file.landed_at), default=None) if raw else None
    return (raw.ref.batch, landed) if raw is not None and landed is not None else None


def _computable(path: DataPath, table: DerivedTable, publications: Publications) -> tuple[str, datetime] | None:
    """The batch of which the last input was published last."""
    names = [str(published_table(path, path.table(name))) for name in table.inputs]
    first = [{one.batch: one.first_at for one in publications.get((path.name, name), ())} for name in names]
    whole = set.intersection(*(set(batches) for batches in first))
    began = [(batch, max(batches[batch] for batches in first)) for batch in whole]
    return max(began, key=lambda one: one[1], default=None)
