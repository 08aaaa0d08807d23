"""A table's batches as Dagster partitions, and which partitions of its inputs a partition reads."""

import warnings
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

import dagster as dg

from readiness_pipelines.batches import Batches, Calendar, Growing, Keys
from readiness_pipelines.contracts import Read, Table
from readiness_pipelines.contracts.reads import (
    BatchesOfPeriod,
    BatchMapping,
    ContainingBatch,
    LastBatches,
    PreviousBatch,
    SameBatch,
)
from readiness_pipelines.orchestration.keys import plain_name

CRON = {
    "quarter_hour": "*/15 * * * *",
    "hour": "0 * * * *",
    "day": "0 0 * * *",
    "week": "0 0 * * 1",
    "month": "0 0 1 * *",
}
"""When batches of the calendar begin; weeks on Monday."""

_INSTANT = timedelta(microseconds=1)


def partitions_of(table: Table) -> dg.PartitionsDefinition[str]:
    """The partitions definition whose keys are the keys of a table's batches."""
    grid = table.batches.grid()
    match grid:
        case Keys(keys=keys):
            return dg.StaticPartitionsDefinition(list(keys))
        case Calendar():
            return _calendar_partitions(table.batches, grid)
        case Growing():
            return dg.DynamicPartitionsDefinition(name=plain_name(table.id))
        case _:
            assert_never(grid)


def _calendar_partitions(batches: Batches, grid: Calendar) -> dg.TimeWindowPartitionsDefinition:
    zone = ZoneInfo(grid.timezone)
    start, end = batches.first_start(), None
    if start is None:
        raise TypeError(f"{batches.name} batches have a calendar without a beginning")
    if grid.end is not None:
        # Dagster leaves out a partition that goes on after the end; a batch that began before it is one.
        last = batches.window(batches.key_at(datetime.combine(grid.end, time(), zone) - _INSTANT) or "")
        end = last.end.astimezone(zone) if last is not None else None
    return dg.TimeWindowPartitionsDefinition(
        start=start.astimezone(zone),
        end=end,
        cron_schedule=CRON[grid.every],
        fmt=grid.key_format,
        timezone=grid.timezone,
        # What is under way is a partition, too: a day's file may come before the day is over.
        end_offset=1,
    )


def partition_mapping(reads: Sequence[Read], own: Batches) -> dg.PartitionMapping:
    """Which partitions of one input a partition reads, over all the ways in which it is read.

    Where Dagster has no mapping that says it, all of the input's partitions are.

    Args:
        reads: The ways in which the input is read; of one table.
        own: The batches of the table that reads.
    """
    mine, theirs = own.grid(), reads[0].table.batches.grid()
    calendars = isinstance(mine, Calendar) and isinstance(theirs, Calendar) and mine.timezone == theirs.timezone
    spans = [_span(read.mapping) for read in reads]
    known = [span for span in spans if span is not None]
    start, end = min((span[0] for span in known), default=0), max((span[1] for span in known), default=0)
    overlaps = all(isinstance(read.mapping, BatchesOfPeriod | ContainingBatch) for read in reads)
    if len(known) < len(reads) and not (overlaps and calendars):
        return dg.AllPartitionMapping()
    if start == end == 0 and not overlaps and type(mine) is type(theirs):
        return dg.IdentityPartitionMapping()
    if calendars:
        return _window_mapping(start, end)
    if isinstance(mine, Keys) and isinstance(theirs, Keys):
        return _listed_mapping(reads, own, mine, theirs)
    return dg.AllPartitionMapping()


def _span(mapping: BatchMapping) -> tuple[int, int] | None:
    """The first and the last batch that is read, counted from the batch's own; ``None`` for other mappings."""
    match mapping:
        case SameBatch():
            return 0, 0
        case PreviousBatch():
            return -1, -1
        case LastBatches(count=count):
            return 1 - count, 0
        case _:
            return None


def _window_mapping(start: int, end: int) -> dg.PartitionMapping:
    with warnings.catch_warnings():
        # Known and wanted: a batch is computed where the one before, say, is not there. Tests say what it gives.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.TimeWindowPartitionMapping(
            start_offset=start, end_offset=end, allow_nonexistent_upstream_partitions=True
        )


def _listed_mapping(reads: Sequence[Read], own: Batches, mine: Keys, theirs: Keys) -> dg.PartitionMapping:
    readers: dict[str, set[str]] = {}
    for key in mine.keys:
        for read in reads:
            for one in read.keys(key, own, theirs.keys):
                readers.setdefault(one, set()).add(key)
    return dg.StaticPartitionMapping({one: sorted(keys) for one, keys in readers.items()})
