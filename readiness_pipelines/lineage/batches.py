"""Which batches were made of which, by the inputs that the ledger recorded."""

from collections.abc import Iterable, Iterator, Mapping

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.ledger import ALL_BATCHES, BatchRecord

Records = Mapping[BatchRef, BatchRecord]
"""Where batches stand."""


def made_of(start: Iterable[BatchRef], records: Records) -> set[BatchRef]:
    """The recorded inputs of some batches, and theirs; with the batches themselves."""
    found, left = set(start), list(start)
    while left:
        new = [one for one in inputs_of(records.get(left.pop())) if one not in found]
        found.update(new)
        left += new
    return found


def made_from(ref: BatchRef, records: Records) -> set[BatchRef]:
    """The batches that recorded a batch among their inputs, and those that recorded these."""
    readers: dict[BatchRef, list[BatchRef]] = {}
    for record in records.values():
        for one in inputs_of(record):
            readers.setdefault(one, []).append(record.ref)
    found: set[BatchRef] = set()
    left = [ref]
    while left:
        new = [one for one in readers.get(left.pop(), ()) if one not in found and one != ref]
        found.update(new)
        left += new
    return found


def inputs_of(record: BatchRecord | None) -> Iterator[BatchRef]:
    """The batches that a batch was made of; what only compares with a whole table was not made of all its batches."""
    if record is None:
        return
    for table, batches in record.inputs.items():
        yield from (BatchRef(table, batch) for batch in batches if batch != ALL_BATCHES)
