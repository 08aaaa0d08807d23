"""What Ctrl-C and SIGTERM do: the first ends a command after the batch under way, a second one at once."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Generic, TypeVar

from readiness_pipelines.cli.output import ERR

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_EVERY = 0.1

T = TypeVar("T")


class Stop:
    """Whether somebody asked the command to end.

    Attributes:
        number: The first signal that came; ``None`` before.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    @property
    def asked(self) -> bool:
        """Whether the command should begin no other batch."""
        return self.number is not None

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal ended."""
        return 128 + (self.number or 0)

    def run(self, work: Callable[[], T]) -> T:
        """Do the work in another thread, where no signal interrupts it: Dagster would break the batch under way.

        Raises:
            BaseException: Whatever the work raises.
        """
        worker = _Worker(work)
        worker.start()
        told = self.asked
        while worker.is_alive():
            worker.join(_LOOK_EVERY)
            if self.asked and not told:
                told = True
                ERR.print("ending after this batch; again to stop at once")
        return worker.result()

    def receive(self, number: int, _: FrameType | None) -> None:
        """A signal came."""
        if self.number is None:
            self.number = number
            return
        end_at_once(number)


def end_at_once(number: int, _: FrameType | None = None) -> None:
    """End the process now. What is half done stays so: the next run of the batch, or a repair, finishes it."""
    # No exception: one that came in the middle of a step would be taken for that step's failure.
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h\n")  # a progress bar hides the cursor
    sys.stderr.write("stopped; what is half done is finished by the next run, or by: readiness reconcile --repair\n")
    sys.stderr.flush()
    os._exit(128 + number)


@contextmanager
def signals_end_after_a_batch() -> Iterator[Stop]:
    """Let a first signal be asked for between batches, and a second one end the process."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may say what a signal does
        return
    before = {number: signal.signal(number, stop.receive) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Worker(threading.Thread, Generic[T]):
    """A thread whose result can be had."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(name="readiness", daemon=True)
        self._work = work
        self._done: T | None = None
        self._raised: BaseException | None = None

    def run(self) -> None:
        """Do it."""
        try:
            self._done = self._work()
        except BaseException as error:  # noqa: BLE001  # whatever it is, the main thread raises it
            self._raised = error

    def result(self) -> T:
        """What the work gave, once it has ended.

        Raises:
            BaseException: What the work raised.
        """
        if self._raised is not None:
            raise self._raised
        return self._done  # type: ignore[return-value]  # it has ended without raising
