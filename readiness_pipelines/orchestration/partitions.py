"""A path's batches as Dagster partitions."""

from typing import assert_never

import dagster as dg

from readiness_pipelines.batches import Batches, DailyBatches, HourlyBatches, StaticBatches


def partitions_of(batches: Batches) -> dg.PartitionsDefinition[str]:
    """The partitions definition whose keys are the batches' keys."""
    match batches:
        case StaticBatches():
            return dg.StaticPartitionsDefinition(list(batches.keys))
        case DailyBatches():
            return dg.DailyPartitionsDefinition(
                start_date=batches.start.isoformat(),
                end_date=batches.end.isoformat() if batches.end else None,
                timezone=batches.timezone,
            )
        case HourlyBatches():
            return dg.HourlyPartitionsDefinition(
                start_date=f"{batches.start.isoformat()}-00:00",
                end_date=f"{batches.end.isoformat()}-00:00" if batches.end else None,
                timezone=batches.timezone,
            )
        case _:
            assert_never(batches)
