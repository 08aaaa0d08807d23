"""Turns of the processes of one machine, by locked files."""

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.lakehouse.turns import (
    NOTICE_SECONDS,
    UNKNOWN_HOLDER,
    Turn,
    busy_error,
    lost_error,
    say_waiting,
)

MOST_NOTE_BYTES = 4096
"""What is read of a lock's file."""


class FileTurns:
    """Turns of the processes of one machine; each lock's file says who holds it, or held it last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self, turn: Turn) -> Iterator[None]:
        """Hold the lock of a file; released by the system when the process dies."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = _Lock(self._folder / f"{turn.name}.lock")
        except OSError as error:
            raise self._lost(turn, error) from error
        try:
            self._wait(lock, turn)
            lock.note(turn)
            yield
        finally:
            lock.leave()

    def _wait(self, lock: "_Lock", turn: Turn) -> None:
        """Wait for a lock in line.

        Raises:
            LakehouseBusyError: It takes too long.
            LakehouseError: The file system refuses to lock.
        """
        began = time.monotonic()
        try:
            if lock.take(0) or lock.take(min(NOTICE_SECONDS, turn.wait_seconds)):
                return
            if turn.wait_seconds > NOTICE_SECONDS:
                say_waiting(turn, lock.holder)
            if lock.take(began + turn.wait_seconds - time.monotonic()):
                return
        except OSError as error:
            raise self._lost(turn, error) from error
        raise busy_error(turn, lock.holder, stop=f"fuser -v {lock.path}")

    def _lost(self, turn: Turn, error: OSError) -> LakehouseError:
        way_out = f"give permission to write to {self._folder}, and check that its disk is there and has room"
        return lost_error(turn, error, where=str(self._folder), way_out=way_out)


class _Lock:
    """The lock of a file, for one who waits for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self._waiter: threading.Thread | None = None
        self._woken = threading.Event()
        self._error: OSError | None = None
        self._guard = threading.Lock()
        self._left = False

    def take(self, seconds: float) -> bool:
        """Take the lock, waiting for at most a time; whether it was had."""
        if self._waiter is None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if seconds <= 0:
                    return False
            else:
                return True
            # The system's own line is fair and wakes at once, but has no limit of time: a thread stands in it. Asking
            # again and again took 2 to 3 times as long in a crowd, and some waited ten times longer than others.
            self._waiter = threading.Thread(target=self._stand_in_line, name=f"waits for {self.path.name}", daemon=True)
            self._waiter.start()
        if not self._woken.wait(max(0, seconds)):
            return False
        if self._error is not None:
            raise self._error
        return True

    def leave(self) -> None:
        """Give the lock back, or leave the line."""
        with self._guard:
            self._left = True
            if self._waiter is None or self._woken.is_set():
                self._close()

    def note(self, turn: Turn) -> None:
        """Say in the file who has the lock; that a disk is full is told by whoever writes what matters."""
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        facts = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "run": turn.run_id,
            "does": turn.what,
            "since": since,
        }
        note = json.dumps(facts).encode()
        with suppress(OSError):
            os.pwrite(self._file, note, 0)
            os.ftruncate(self._file, len(note))

    @property
    def holder(self) -> str:
        """Who has the lock, as far as the file says so, for people."""
        try:
            note = json.loads(os.pread(self._file, MOST_NOTE_BYTES, 0))
            run = f"run {note['run']}, " if note["run"] else ""
            return f"process {note['pid']} on {note['host']} ({run}{note['does']}, since {note['since']})"
        except (OSError, ValueError, TypeError, KeyError):
            return UNKNOWN_HOLDER  # it has just begun, or is of an older version

    def _stand_in_line(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError as error:
            self._error = error
        with self._guard:
            self._woken.set()
            if self._left:
                self._close()

    def _close(self) -> None:
        with suppress(OSError):
            # Closing would not be enough where a child process has inherited the file.
            fcntl.flock(self._file, fcntl.LOCK_UN)
        os.close(self._file)
