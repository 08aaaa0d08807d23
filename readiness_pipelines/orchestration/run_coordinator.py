"""Notes at each run who launched it: whom the proxy authenticated, or nobody that is proved."""

from dagster import DagsterRun, QueuedRunCoordinator
from dagster._core.run_coordinator import SubmitRunContext
from dagster._core.workspace.context import WorkspaceRequestContext

from readiness_pipelines.identity import UNPROVED
from readiness_pipelines.orchestration.keys import WHO_TAG
from readiness_pipelines.settings import Settings


class AttributingRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue, with who launched a run in its tag ``readiness/who``.

    A run that the webserver launches is of whom the proxy's header names (``[settings.identity] header``), whatever the
    launchpad says; without the header it is of whom the launchpad says, unproved. Runs of the daemon and of the command
    line keep the tag that they come with.
    """

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Note who launched a run, and queue it."""
        run = context.dagster_run
        if isinstance(context.workspace, WorkspaceRequestContext):
            header = Settings().identity.header
            proved = (context.get_request_header(header) or "").strip() if header else ""
            said = run.tags.get(WHO_TAG) or run.tags.get("user") or "webserver"
            who = proved or (said if said.endswith(UNPROVED) else f"{said}{UNPROVED}")
            self._instance.add_run_tags(run.run_id, {WHO_TAG: who})
            context = context._replace(dagster_run=run.with_tags({**run.tags, WHO_TAG: who}))
        return super().submit_run(context)
