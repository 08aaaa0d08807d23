"""What is read of an input, in words."""

from readiness_pipelines.contracts import Read
from readiness_pipelines.contracts.reads import (
    AllBatches,
    BatchesOfPeriod,
    BatchMapping,
    ContainingBatch,
    LastBatches,
    PreviousBatch,
    RowsOfPeriod,
    SameBatch,
    VersionInForce,
)


def read_text(read: Read) -> str:
    """An input, with the batches of it that are read: "shop.orders (the batch before)"."""
    which = which_batches(read.mapping)
    return f"{read.table.id} ({which})" if which else str(read.table.id)


def which_batches(mapping: BatchMapping) -> str:
    """The batches of an input that are read, in words; "" for that of the same key."""
    match mapping:
        case SameBatch():
            return ""
        case VersionInForce():
            return "the version in force"
        case PreviousBatch():
            return "the batch before"
        case LastBatches(count=count):
            return f"the last {count} batches"
        case BatchesOfPeriod():
            return "all batches of the period"
        case RowsOfPeriod(event_time=column):
            return f"rows whose {column} lies in the period"
        case ContainingBatch():
            return "the batch of the period it lies in"
        case AllBatches():
            return "all batches"
        case _:
            return type(mapping).__name__
