"""Signals while a run is under way stay the caller's: the first may wait for the run's end, the next ends it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType

import dagster as dg
import pytest

from readiness_pipelines.installation import Installation
from readiness_pipelines.orchestration import launching
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.orchestration.samples import make_project
from readiness_pipelines_tests.waiting import wait_until

SLOW = """order_domain()

import time
from pathlib import Path

@domain.derived(schema=order_domain().table("paid").schema)
def slow(orders):
    Path(__file__).with_name("begun").touch()
    for _ in range(20 * 600):
        if Path(__file__).with_name("go_on").exists():
            break
        time.sleep(0.05)
    return orders.project("order_id, amount, _row")
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", "")
    return make_project(tmp_path, SLOW)


@pytest.fixture
def signals() -> Iterator[list[int]]:
    """As the command line does: the first signal is noted, the second raises."""
    noted: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        noted.append(number)
        if len(noted) > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    yield noted
    for number, handler in before.items():
        assert signal.getsignal(number) is handle, "the run left the caller's handler in place"
        signal.signal(number, handler)


def send_when_begun(project: Path, noted: list[int], *numbers: int, then: Callable[[], None]) -> None:
    """Send signals as soon as the slow step has begun, each when the one before is noted, and then do something."""

    def is_noted(count: int) -> bool:
        return len(noted) >= count

    def send() -> None:
        wait_until((project / "begun").exists, every=0.01)
        for count, number in enumerate(numbers, start=1):
            os.kill(os.getpid(), number)
            wait_until(partial(is_noted, count), every=0.01)
        then()

    threading.Thread(target=send, daemon=True).start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_the_run_go_on_to_its_end(
    project: Path, instance: dg.DagsterInstance, signals: list[int], number: int
) -> None:
    send_when_begun(project, signals, number, then=(project / "go_on").touch)
    ran = launching.run_batch(launching.find_job("shop", project=project), "day_2", instance=instance, tags={})
    assert (ran.status, signals) == (dg.DagsterRunStatus.SUCCESS, [number])


def test_the_second_signal_ends_the_run_as_canceled_and_is_raised(
    project: Path, instance: dg.DagsterInstance, signals: list[int]
) -> None:
    send_when_begun(project, signals, signal.SIGINT, signal.SIGINT, then=lambda: None)
    job = launching.find_job("shop", project=project)
    with pytest.raises(KeyboardInterrupt):
        launching.run_batch(job, "day_2", instance=instance, tags={})
    (ran,) = instance.get_runs()
    assert ran.status is dg.DagsterRunStatus.CANCELED
    # Though nothing told the step to go on.
    wait_until(lambda: not [thread for thread in threading.enumerate() if ran.run_id in thread.name])
    (project / "go_on").touch()
    assert launching.run_batch(job, "day_2", instance=instance, tags={}).status is dg.DagsterRunStatus.SUCCESS
    assert Installation.open(settings_in(project)).ledger.open_attempts() == ()
