"""Runs of a path's named job, in this process, so that the UI shows them like any other and can run them again.

``JobDefinition.execute_in_process`` records no origin, and the UI cannot re-execute a run without one. The origin is
the code location's in ``workspace.yaml``. What this relies on of Dagster is not public; tests of its own say what
breaks.
"""

import importlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterAssetCheckFailedError
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    CodeLocationOrigin,
    GrpcServerCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster_shared.error import SerializableErrorInfo

from readiness_pipelines.errors import DeclarationError, UnknownNameError

HOME_FOLDER = ".dagster"
WORKSPACE_FILE = "workspace.yaml"
INSTANCE_FILE = "dagster.yaml"
DEFAULT_INSTANCE = """\
telemetry:
  enabled: false
nux:
  enabled: false
run_retries:
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
"""
"""The instance of a project without a ``dagster.yaml``: a gate's verdict is not a failure to try again."""

REPOSITORY = "__repository__"
"""Dagster's name of what a `Definitions` object becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A path's job, with the code location it comes from."""

    definition: dg.JobDefinition
    origin: CodeLocationOrigin


@contextmanager
def open_instance(project: Path) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a project: ``DAGSTER_HOME`` where it is set, else ``.dagster`` in the project's folder.

    Args:
        project: The folder with ``workspace.yaml`` and ``dagster.yaml``.
    """
    if not os.environ.get("DAGSTER_HOME"):
        home = project / HOME_FOLDER
        home.mkdir(exist_ok=True)
        link, target = home / INSTANCE_FILE, project / INSTANCE_FILE
        if not link.exists():
            if target.exists():
                link.symlink_to(os.path.relpath(target, home))
            else:
                link.write_text(DEFAULT_INSTANCE)
        os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance:
        yield instance


def find_job(name: str, *, project: Path) -> Job:
    """The job of a path, from the code locations that the project's ``workspace.yaml`` names.

    Raises:
        DeclarationError: There is no ``workspace.yaml``.
        UnknownNameError: No code location has such a job; names the nearest.
    """
    workspace = project / WORKSPACE_FILE
    if not workspace.exists():
        raise DeclarationError(
            f"there is no {WORKSPACE_FILE} in {project}", way_out="change to the project's folder, then run again"
        )
    names: list[str] = []
    origins = location_origins_from_yaml_paths([str(workspace)])
    if origins and all(isinstance(origin, GrpcServerCodeLocationOrigin) for origin in origins):
        raise DeclarationError(
            f"{workspace} names code servers only, and a run of the command line runs the code itself",
            way_out="run it where a workspace.yaml names the python_module, or launch the job in the UI",
        )
    for origin in origins:
        for definitions in _definitions(origin, project):
            jobs = {job.name: job for job in definitions.resolve_all_job_defs()}
            if name in jobs:
                return Job(definition=definitions.resolve_job_def(name), origin=origin)
            names += jobs
    raise UnknownNameError("job", name, [job for job in names if not job.startswith("__")])


def run_batch(job: Job, batch: str, *, instance: dg.DagsterInstance, tags: Mapping[str, str]) -> dg.DagsterRun:
    """Run a job for one batch and wait for it. A run that fails is returned like one that succeeds."""
    run = instance.create_run_for_job(
        job.definition,
        tags={**job.definition.run_tags, **_partition_tags(job.definition, batch), **tags},
        remote_job_origin=RemoteJobOrigin(
            repository_origin=RemoteRepositoryOrigin(code_location_origin=job.origin, repository_name=REPOSITORY),
            job_name=job.definition.name,
        ),
    )
    with _quiet():
        execute_run(InMemoryJob(job.definition), run, instance)
    finished = instance.get_run_by_id(run.run_id)
    if finished is None:
        raise DeclarationError(f"run {run.run_id} is gone from the Dagster instance")
    return finished


def failure_of(run: dg.DagsterRun, *, instance: dg.DagsterInstance) -> str:
    """What made a run fail, as its first failed step says it; "" where nothing did."""
    for record in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        if record.dagster_event is None:
            continue
        data = record.dagster_event.step_failure_data
        if data.user_failure_data is not None and data.user_failure_data.description:
            return data.user_failure_data.description
        if data.error is not None:
            return _told(data.error)
    return ""


def _told(error: SerializableErrorInfo) -> str:
    """What an error says; where it was tried too often, what began it."""
    if error.cause is None:
        return error.message.strip()
    while error.cause is not None:
        error = error.cause
    return error.message.strip().splitlines()[0].partition(": ")[2]


def is_verdict(failure: str) -> bool:
    """Whether a failure is a gate's verdict (its blocking check failed), not something broken."""
    return DagsterAssetCheckFailedError.__name__ in failure


def _partition_tags(job: dg.JobDefinition, batch: str) -> Mapping[str, str]:
    keys = job.partitions_def.get_partition_keys() if job.partitions_def else []
    if batch not in keys:
        raise UnknownNameError(f"batch of {job.name}", batch, keys)
    return {**job.get_tags_for_partition_key(batch, selected_asset_keys=None), PARTITION_NAME_TAG: batch}


def _definitions(origin: CodeLocationOrigin, project: Path) -> Iterator[dg.Definitions]:
    module_name = origin.get_display_metadata().get("module_name")
    if module_name is None:
        return
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    module = importlib.import_module(module_name)
    attribute = origin.get_display_metadata().get("attribute")
    for name, value in vars(module).items():
        if isinstance(value, dg.Definitions) and attribute in (None, name):
            yield value


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dagster's events out of the terminal; the instance has them all."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
