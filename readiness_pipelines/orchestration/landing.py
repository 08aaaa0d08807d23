"""A sensor that runs what lands: once for each set of files, not for each tick."""

from collections.abc import Iterator

import dagster as dg

from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery import new_landings
from readiness_pipelines.installation import Run
from readiness_pipelines.orchestration.keys import WHO_TAG
from readiness_pipelines.orchestration.partitions import partitions_of
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of

TICK_SECONDS = 15
MOST_RUNS = 50
"""So many runs a tick: a backfill of a thousand files must not time a sensor out. The next tick goes on."""


def landing_sensor(path: DataPath) -> dg.SensorDefinition:
    """Runs a path's job for every batch whose files are new or changed."""
    partitions = partitions_of(path.batches)

    @dg.sensor(
        name=f"{path.name}_landing",
        job_name=path.name,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Runs what lands: a batch when all its files are there and none is still being written.",
        required_resource_keys={INSTALLATION},
    )
    def landing(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        found = new_landings(path, installation=installation_of(context.resources), now=Run().clock())
        due = [landed for landed in found if partitions.has_partition_key(landed.batch)]
        asked = {landed: f"{path.name}-{landed.batch}-{landed.digest}" for landed in due}
        open_keys = [landed for landed in due if not _has_run(context.instance, asked[landed])]
        for landed in open_keys[:MOST_RUNS]:
            yield dg.RunRequest(
                run_key=asked[landed], partition_key=landed.batch, tags={WHO_TAG: "landing", LANDED_TAG: asked[landed]}
            )
        if not open_keys:
            strange = len(found) - len(due)
            yield dg.SkipReason("nothing new landed" + (f"; {strange} batches are not due yet" if strange else ""))

    return landing


LANDED_TAG = "readiness/landed"
"""Run tag with the set of files that the run is for."""


def _has_run(instance: dg.DagsterInstance, key: str) -> bool:
    """Whether these very files had their run: what broke is told, and not tried again by itself."""
    return bool(instance.get_runs(dg.RunsFilter(tags={LANDED_TAG: key}), limit=1))
