"""Which batches were made of which, by the inputs that the ledger recorded."""

from collections.abc import Iterable, Iterator, Mapping

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.ledger import ALL_BATCHES
from readiness_pipelines.names import TableId

OfOne = Mapping[TableId, Mapping[str, int]]
"""What a batch was made of: snapshots, by table and by the table's batch."""

Inputs = Mapping[BatchRef, OfOne]
"""What each batch was made of that was made of others; see ``ledger.recorded_inputs``."""


def made_of(start: Iterable[BatchRef], inputs: Inputs) -> set[BatchRef]:
    """The recorded inputs of some batches, and theirs; with the batches themselves."""
    found, left = set(start), list(start)
    while left:
        new = [one for one in inputs_of(inputs.get(left.pop())) if one not in found]
        found.update(new)
        left += new
    return found


def made_from(ref: BatchRef, inputs: Inputs) -> set[BatchRef]:
    """The batches that recorded a batch among their inputs, and those that recorded these."""
    readers: dict[BatchRef, list[BatchRef]] = {}
    for made, of in inputs.items():
        for one in inputs_of(of):
            readers.setdefault(one, []).append(made)
    found: set[BatchRef] = set()
    left = [ref]
    while left:
        new = [one for one in readers.get(left.pop(), ()) if one not in found and one != ref]
        found.update(new)
        left += new
    return found


def inputs_of(of: OfOne | None) -> Iterator[BatchRef]:
    """The batches that a batch was made of; what only compares with a whole table was not made of all its batches."""
    for table, batches in (of or {}).items():
        yield from (BatchRef(table, batch) for batch in batches if batch != ALL_BATCHES)
