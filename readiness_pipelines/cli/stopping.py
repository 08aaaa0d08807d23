"""What Ctrl-C and SIGTERM do: the first ends a command after the batch under way, a second one at once."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)

ENDING = "ending after this batch; again to stop at once\n"
STOPPED = "stopped; what is half done is finished by the next run, or by: readiness reconcile --repair\n"


class Stop:
    """Whether somebody asked the command to end.

    Attributes:
        number: The first signal that came; ``None`` before.
        at_once: Whether a second one came.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.at_once = False

    @property
    def asked(self) -> bool:
        """Whether the command should begin no other batch."""
        return self.number is not None

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal ended."""
        return 128 + (self.number or 0)

    def receive(self, number: int, frame: FrameType | None) -> None:
        """A signal came.

        Raises:
            KeyboardInterrupt: It is the second: the run under way is canceled.
        """
        if self.number is None:
            self.number = number
            _write(ENDING)
        elif not self.at_once:
            self.at_once = True
            raise KeyboardInterrupt
        else:
            end_at_once(number, frame)


def end_at_once(number: int, _: FrameType | None = None) -> None:
    """End the process now. What is half done stays so: the next run of the batch, or a repair, finishes it."""
    # Nothing is raised: Dagster, or DuckDB in a thread of its own, would turn it into an error of theirs.
    if sys.stderr.isatty():
        _write("\x1b[?25h")  # a progress bar hides the cursor
    _write(STOPPED)
    os._exit(128 + number)


def end(code: int) -> None:
    """End the process as Python does, without looking for garbage: in all that is loaded, that takes up to a second.

    Threads end, what is registered for the end runs, and what was printed is written; connections of SQLAlchemy, which
    are garbage, are closed by what their owners registered.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # Python has no public name for its own end
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it has gone
            stream.flush()
    os._exit(code)


@contextmanager
def signals_end_after_a_batch() -> Iterator[Stop]:
    """Let a command look for a first signal between batches; a second one ends the process."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may say what a signal does
        return
    before = {number: signal.signal(number, stop.receive) for number in SIGNALS}
    try:
        yield stop
    except BaseException:
        if stop.at_once:
            end_at_once(stop.number or signal.SIGINT)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write(text: str) -> None:
    """Write to standard error, whatever was being written when the signal came."""
    os.write(2, text.encode())
