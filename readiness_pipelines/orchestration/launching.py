"""Runs of a lane's named job, in this process, so that the UI shows them like any other and can run them again.

``JobDefinition.execute_in_process`` records no origin, and the UI cannot re-execute a run without one. The origin is
the code location's in ``workspace.yaml``. What this relies on of Dagster is not public; tests of its own say what
breaks.
"""

import ctypes
import importlib
import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.api import create_execution_plan, execute_run
from dagster._core.remote_origin import (
    CodeLocationOrigin,
    GrpcServerCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.snap import snapshot_from_execution_plan
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster_shared.error import SerializableErrorInfo

from readiness_pipelines.errors import DeclarationError, UnknownNameError, code_of_kind
from readiness_pipelines.installation import utc_now
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration.event_log import connections_kept
from readiness_pipelines.orchestration.held import HELD_CODES
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.orchestration.run_launcher import PROCESS_TAG
from readiness_pipelines.processes import this_process

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
run_launcher:
  module: readiness_pipelines.orchestration.run_launcher
  class: WatchedRunLauncher
run_monitoring:
  enabled: true
  poll_interval_seconds: 10
"""
"""The instance of a project without a ``dagster.yaml``: only lost runs are tried again."""

REPOSITORY = "__repository__"
"""Dagster's name of what a `Definitions` object becomes."""


LOOKS_EVERY = 0.2
"""Seconds after which a signal is handled at the latest."""

STOPS_WITHIN = 10.0
"""Seconds that an interrupted run is given to end by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job, with the code location it comes from."""

    definition: dg.JobDefinition
    origin: CodeLocationOrigin


@contextmanager
def open_instance(project: Path) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a project: ``DAGSTER_HOME`` where it is set, else ``.dagster`` in the project's folder.

    A home without a ``dagster.yaml`` gets the project's, or one that sends nothing to anybody: with none, each command
    would print that Dagster collects statistics.

    Args:
        project: The folder with ``workspace.yaml`` and ``dagster.yaml``.
    """
    if named := os.environ.get("DAGSTER_HOME"):
        with suppress(OSError):  # somebody else's, perhaps read-only; where it is not there, Dagster says so
            _give_file(Path(named), project, link=False)  # whoever replaces it there means that one
    else:
        home = project / HOME_FOLDER
        home.mkdir(exist_ok=True)
        _give_file(home, project)
        os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance, connections_kept(instance):
        yield instance


def _give_file(home: Path, project: Path, *, link: bool = True) -> None:
    """Let a home without a ``dagster.yaml`` have one."""
    file, target = home / INSTANCE_FILE, project / INSTANCE_FILE
    if file.exists() or file.with_suffix(".yml").exists():
        return
    if link and target.exists():
        file.symlink_to(os.path.relpath(target, home))
    else:
        file.write_text(target.read_text() if target.exists() else DEFAULT_INSTANCE)


def find_job(name: str, *, project: Path) -> Job:
    """A job by its name (a lane's, say), from the code locations that the project's ``workspace.yaml`` names.

    Raises:
        DeclarationError: There is no ``workspace.yaml``, or a module in it cannot be imported.
        UnknownNameError: No code location has such a job; names the nearest.
    """
    workspace = project / WORKSPACE_FILE
    if not workspace.exists():
        raise DeclarationError(
            f"there is no {WORKSPACE_FILE} in {project}",
            way_out="change to the project's folder; readiness init makes one, with all files",
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


def run_batch(
    job: Job,
    batch: str,
    *,
    instance: dg.DagsterInstance,
    tags: Mapping[str, str],
    tables: Sequence[TableId] | None = None,
) -> dg.DagsterRun:
    """Run a job for one batch and wait for it. A run that fails is returned like one that succeeds.

    Signals stay the caller's: whatever its handler raises (`KeyboardInterrupt`, by default at the first Ctrl-C) ends
    the run as canceled and is raised here. A handler that raises nothing lets the run go on to its end.

    Args:
        job: The job.
        batch: The batch.
        instance: The Dagster instance.
        tags: Tags of the run.
        tables: Only these tables, with their raw tables where the job has them; ``None`` for all of the job's.

    Raises:
        UnknownNameError: The job has no such batch or table; names the nearest.
        DeclarationError: A batch of the calendar that has not ended.
        KeyboardInterrupt: The caller's handler of a signal raised it.
    """
    run = _create_run(job, batch, instance=instance, tags=tags, selected=_selected_assets(job.definition, tables))
    with _quiet():
        _execute(job, run, instance)
    finished = instance.get_run_by_id(run.run_id)
    if finished is None:
        raise DeclarationError(f"run {run.run_id} is gone from the Dagster instance")
    return finished


def _selected_assets(job: dg.JobDefinition, tables: Sequence[TableId] | None) -> frozenset[dg.AssetKey] | None:
    """The assets of some tables in a job, those of their raw tables among them; ``None`` for all."""
    if tables is None:
        return None
    known = job.asset_layer.selected_asset_keys
    for table in tables:
        if asset_key(table) not in known:
            raise UnknownNameError(f"table of job {job.name}", str(table), [".".join(key.path) for key in known])
    return frozenset({key for table in tables for key in (asset_key(table), asset_key(table.raw))} & known)


def _create_run(
    job: Job,
    batch: str,
    *,
    instance: dg.DagsterInstance,
    tags: Mapping[str, str],
    selected: frozenset[dg.AssetKey] | None,
) -> dg.DagsterRun:
    """What ``DagsterInstance.create_run_for_job`` does, with a selection of checks, which it cannot take.

    Without one, a run that selects assets plans all of their checks; a delivery reports its own, unplanned.
    """
    definition, checks = job.definition, None
    if selected is not None:
        checks = frozenset[dg.AssetCheckKey]()
        definition = definition.get_subset(asset_selection=selected, asset_check_selection=checks)
    of_batch = _partition_tags(job.definition, batch, instance)
    tags = {**definition.run_tags, **of_batch, **tags, PROCESS_TAG: this_process()}
    plan = create_execution_plan(
        definition, tags=tags, instance_ref=instance.get_ref() if instance.is_persistent else None
    )
    return instance.create_run(
        job_name=definition.name,
        run_id=None,
        run_config=None,
        status=None,
        tags=tags,
        root_run_id=None,
        parent_run_id=None,
        step_keys_to_execute=plan.step_keys_to_execute,
        execution_plan_snapshot=snapshot_from_execution_plan(plan, definition.get_job_snapshot_id()),
        job_snapshot=definition.get_job_snapshot(),
        parent_job_snapshot=definition.get_parent_job_snapshot(),
        asset_selection=selected,
        asset_check_selection=checks,
        resolved_op_selection=None,
        op_selection=None,
        remote_job_origin=RemoteJobOrigin(
            repository_origin=RemoteRepositoryOrigin(code_location_origin=job.origin, repository_name=REPOSITORY),
            job_name=definition.name,
        ),
        job_code_origin=None,
        asset_graph=definition.asset_layer.asset_graph,
    )


def _execute(job: Job, run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
    """Execute a run in a thread of its own: in the main thread, Dagster would put its signal handlers in place."""
    errors: list[BaseException] = []
    ended = threading.Event()

    def execute() -> None:
        try:
            execute_run(InMemoryJob(job.definition), run, instance)
        except BaseException as error:  # raised again in the thread that waits
            errors.append(error)
        finally:
            ended.set()

    worker = threading.Thread(target=execute, name=f"run {run.run_id}", daemon=True)
    worker.start()
    try:
        # Not for ever at once: a signal that another thread receives does not wake the one that waits. And not by
        # `join`, which takes the thread for ended when a handler raises in it.
        while not ended.wait(LOOKS_EVERY):
            pass
    except BaseException:
        _cancel(worker, ended, run, instance)
        raise
    if errors:
        raise errors[0]


def _cancel(worker: threading.Thread, ended: threading.Event, run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
    """End a run now, as Dagster ends one that somebody cancels. What was committed of its batch stays whole."""
    instance.report_run_canceling(run, message="Interrupted on the command line.")
    if worker.ident is not None:
        interrupt = ctypes.py_object(DagsterExecutionInterruptedError)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident), interrupt)
    ended.wait(STOPS_WITHIN)
    now = instance.get_run_by_id(run.run_id)
    if now is not None and not now.is_finished:
        instance.report_run_canceled(now, message="Interrupted on the command line, in the middle of a step.")


def failure_of(run: dg.DagsterRun, *, instance: dg.DagsterInstance) -> str:
    """What made a run fail, as its first failed step says it, with the way out; "" where nothing did."""
    for record in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        if record.dagster_event is None:
            continue
        data = record.dagster_event.step_failure_data
        if data.user_failure_data is not None and data.user_failure_data.description:
            return data.user_failure_data.description
        if data.error is not None:
            return _message(data.error)
    return ""


def failure_code(run: dg.DagsterRun, *, instance: dg.DagsterInstance) -> str:
    """The code of the error that made a run fail; "" where it is not one of ours."""
    for record in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        if record.dagster_event is None:
            continue
        data = record.dagster_event.step_failure_data
        if data.user_failure_data is not None:
            code = data.user_failure_data.metadata.get("code")
            return (code.text or "") if isinstance(code, dg.TextMetadataValue) else ""
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        return code_of_kind(error.cls_name or "") if error is not None else ""
    return ""


def _message(error: SerializableErrorInfo) -> str:
    """What an error says; where it was tried too often, what began it."""
    if error.cause is None:
        return error.message.strip()
    while error.cause is not None:
        error = error.cause
    return error.message.strip().partition(": ")[2]


def is_verdict(run: dg.DagsterRun, *, instance: dg.DagsterInstance) -> bool:
    """Whether what made a run fail is a gate's verdict (the batch is held or empty), not something broken."""
    return failure_code(run, instance=instance) in HELD_CODES


def _partition_tags(job: dg.JobDefinition, batch: str, instance: dg.DagsterInstance) -> Mapping[str, str]:
    """Tags that make a run one of a partition; a partition that grows is made known to the instance."""
    partitions = job.partitions_def
    if isinstance(partitions, dg.DynamicPartitionsDefinition) and partitions.name:
        instance.add_dynamic_partitions(partitions.name, [batch])
    elif partitions is None or not partitions.has_partition_key(batch):
        if isinstance(partitions, dg.TimeWindowPartitionsDefinition):
            _refuse_early(job.name, batch, partitions)
        raise UnknownNameError(f"batch of {job.name}", batch, partitions.get_partition_keys() if partitions else ())
    return {**job.get_tags_for_partition_key(batch, selected_asset_keys=None), PARTITION_NAME_TAG: batch}


def _refuse_early(job: str, batch: str, partitions: dg.TimeWindowPartitionsDefinition) -> None:
    try:
        window = partitions.time_window_for_partition_key(batch)
    except ValueError:
        return
    if window.end > utc_now():
        raise DeclarationError(
            f"the batch {batch} of {job} has not ended: it ends at {window.end:%Y-%m-%d %H:%M %Z}",
            way_out="run it afterwards",
        )


def _definitions(origin: CodeLocationOrigin, project: Path) -> Iterator[dg.Definitions]:
    shown = origin.get_display_metadata()
    folder, module_name = project, shown.get("module_name")
    if module_name is None and (file := shown.get("python_file")) is not None:
        folder, module_name = Path(file).parent, Path(file).stem
    if module_name is None:
        return
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise DeclarationError(
            f"{WORKSPACE_FILE} names the module {module_name!r}, which cannot be imported: {error}",
            way_out=f"fix the module, or its name in {project / WORKSPACE_FILE}",
        ) from error
    attribute = shown.get("attribute")
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
