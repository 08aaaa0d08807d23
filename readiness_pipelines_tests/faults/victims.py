"""What a process does that is going to be killed."""

import os
import signal
from pathlib import Path
from typing import Any

from readiness_pipelines.delivery import deliver, ingest, replay_batch
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.faults.crashes import struck
from readiness_pipelines_tests.faults.domains import shop_with_totals
from readiness_pipelines_tests.samples import gated

RUN = Run(run_id="victim", who="victim")


def work(folder: Path, action: str) -> None:
    """Deliver, or replay, the first batch of the orders."""
    shop = shop_with_totals()
    installation = Installation.open(settings_in(folder))
    if action == "replay":
        replay_batch(gated(shop), batch="day_1", installation=installation, run=RUN)
        return
    orders: Any = shop.table("orders")
    ingest(orders, batch="day_1", installation=installation, run=RUN)
    deliver(orders, batch="day_1", installation=installation, run=RUN)


def work_until(folder: Path, action: str, step: str, place: int, when: str) -> None:
    """Work, and be killed before or after a step is taken for the n-th time."""
    with struck(step, place, when, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        work(folder, action)
