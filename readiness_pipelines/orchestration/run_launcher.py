"""A run launcher that knows whether a run's process is still there, so that run monitoring can end lost runs."""

import json
import time
from collections.abc import Mapping

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from readiness_pipelines.processes import is_alive

PROCESS_TAG = ".dagster/readiness_process"
"""Run tag of a run that a command executes in its own process: the machine, the process, and when it began."""

GRACE_SECONDS = 20.0
"""A code server that cannot be reached for so long is gone: shorter, and a busy one would lose its runs."""

ANSWERS_WITHIN = 5
"""Seconds in which a code server must answer."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's default run launcher, for which run monitoring works.

    Dagster's own cannot say whether a run's process is there: after a power cut, a run that was under way stays
    "started" for ever and keeps the slot of its pool. This one asks the code server that executes the run; of a run of
    the command line it looks for the process.

    Name it in ``dagster.yaml`` under ``run_launcher``, and enable ``run_monitoring``.
    """

    _missed: Mapping[str, float] = {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process that executes a run is there; it is while that cannot be known."""
        if process := run.tags.get(PROCESS_TAG):
            if is_alive(process):
                return CheckRunHealthResult(WorkerStatus.RUNNING)
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"the process that executed it is gone: {process}")
        if GRPC_INFO_TAG not in run.tags:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        missing = _missing(run)
        if missing is None:
            self._missed = {key: at for key, at in self._missed.items() if key != run.run_id}
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        since = self._missed.get(run.run_id)
        if since is None:
            self._missed = {**self._missed, run.run_id: time.monotonic()}
        elif time.monotonic() - since >= GRACE_SECONDS:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, missing)
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def _missing(run: DagsterRun) -> str | None:
    """Why the code server that should execute a run does not; ``None`` where it does."""
    info = json.loads(run.tags[GRPC_INFO_TAG])
    place = info.get("socket") or f"{info.get('host')}:{info.get('port')}"
    client = DagsterGrpcClient(
        host=info.get("host"), port=info.get("port"), socket=info.get("socket"), use_ssl=bool(info.get("use_ssl"))
    )
    try:
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=ANSWERS_WITHIN)
        known = deserialize_value(answer, CanCancelExecutionResult).can_cancel
    except Exception as error:  # whatever keeps it from answering
        return f"the code server at {place} does not answer: {type(error).__name__}"
    return None if known else f"the code server at {place} does not know it: it was started anew"
