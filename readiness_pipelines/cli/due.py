"""What is to be done now, in a line."""

from collections.abc import Sequence

from readiness_pipelines.cli.output import count_batches, say
from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery import due_work
from readiness_pipelines.installation import Installation, Run


def say_due(domains: Sequence[Domain], installation: Installation) -> bool:
    """Say how many batches are due, and why the first one is; whether there are any.

    A source that cannot be reached has none.
    """
    due = due_work(domains, installation=installation, now=Run().clock(), unreachable=lambda *_: None)
    if due:
        count = len({(work.lane.name, work.batch) for work in due})
        say(f"due: {count_batches(count)}, {due[0].lane.name} {due[0].batch} first ({due[0].why})")
    return bool(due)
