"""What a process does that is going to be killed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from readiness_pipelines.delivery import Installation, Run, deliver, ingest, replay_batch
from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.quarantine import Ledger
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import order_path

RUN = Run(run_id="victim", who="victim")
STEPS: dict[str, tuple[type, str]] = {
    "begin": (Ledger, "begin"),
    "stage": (Lakehouse, "stage"),
    "replace": (Lakehouse, "replace"),
    "record": (Ledger, "record"),
}


def work(folder: Path, action: str) -> None:
    """Deliver, or replay, the first batch of the orders."""
    path = order_path()
    installation = Installation.open(settings_in(folder))
    if action == "replay":
        replay_batch(path, batch="day_1", installation=installation, run=RUN)
        return
    orders: Any = path.table("orders")
    ingest(path, orders, batch="day_1", installation=installation, run=RUN)
    deliver(path, orders, batch="day_1", installation=installation, run=RUN)


def work_until(folder: Path, action: str, step: str, place: int, when: str) -> None:
    """Work, and be killed before or after a step is taken for the n-th time."""
    owner, name = STEPS[step]
    original: Callable[..., Any] = getattr(owner, name)
    taken = 0

    def watched(*arguments: Any, **options: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken == place and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **options)
        if taken == place:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, watched)
    work(folder, action)
