"""The process above those that answer: it starts them, replaces them when the code changes, and ends them gracefully.

New code is loaded by new processes. They listen at the same socket; when they are ready, the ones before are told to
end, and finish what they have begun. So nothing of the old code is left, no connection is refused meanwhile, and code
that cannot be loaded changes nothing.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from readiness_pipelines.errors import ServingError
from readiness_pipelines.serving.files import stamps, with_neighbours

LOAD_SECONDS = 180
"""How long the gates may take to load."""
END_SECONDS = 15
"""How long a process may take to end, before it is killed."""
_LOOK_SECONDS = 0.25
_AGAIN_SECONDS = 30.0
"""How long until code that could not be loaded is tried again though no file changed: a database was away, say."""
_RESTART_SECONDS = 1.0
_BACKLOG = 2_048

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What a process loaded: the gates' versions, and the files that they are made of."""

    gates: Mapping[str, str]
    files: tuple[str, ...]


class Supervisor:
    """Keeps some processes answering at an address.

    Args:
        host: The address.
        port: The port; 0 for any.
        workers: How many processes.
        watch: Seconds between two looks at the code's files; 0 for none.
        say: Prints a line for people.
    """

    def __init__(self, *, host: str, port: int, workers: int, watch: float, say: Say) -> None:
        self._workers = workers
        self._watch = watch
        self._say = say
        self._generation = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._ending: list[tuple[float, subprocess.Popen[bytes]]] = []
        self._reload = self._stop = False
        self._failure = ""
        self._socket = _listening(host, port)

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self) -> None:
        """Answer until SIGTERM or SIGINT; load the code again at SIGHUP, and when a file of it changes.

        Raises:
            ServingError: The gates cannot be loaded, or the address cannot be had.
        """
        with tempfile.TemporaryDirectory(prefix="readiness-serve-") as folder, self._signals():
            self._status = Path(folder, "status.json")
            try:
                loaded = self._start()
                self._say(f"{len(loaded.gates)} gates at {self.address}")
                self._keep(loaded)
            finally:
                self._end()

    def _keep(self, loaded: _Loaded) -> None:
        seen = stamps(loaded.files)
        looked = tried = time.monotonic()
        failures = 0
        while not self._stop:
            time.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            if self._watch and now - looked >= self._watch:
                looked = now
                self._reload = self._reload or stamps(self._watched(loaded)) != seen
            again = self._waits_for_code() and now - tried >= _AGAIN_SECONDS
            if self._reload or again:
                quiet, self._reload = not self._reload, False
                before = stamps(with_neighbours(loaded.files))
                loaded = self._replace(loaded, quiet=quiet)
                # What changed while it was loaded is seen at the next look.
                known = {file: stamp for file, stamp in before.items() if file in loaded.files}
                seen = before if self._failure else {**stamps(loaded.files), **known}
                tried = time.monotonic()
            failures = self._replace_dead(loaded, failures)
            self._reap(now)

    def _watched(self, loaded: _Loaded) -> tuple[str, ...]:
        """The files whose change is a reason to load: after a failure also those that may have been its reason."""
        return with_neighbours(loaded.files) if self._failure else loaded.files

    def _waits_for_code(self) -> bool:
        """Whether newer code could not be loaded, and somebody wants it: who watches the files, or who died."""
        return bool(self._failure) and (self._watch > 0 or len(self._running) < self._workers)

    def _replace(self, before: _Loaded, *, quiet: bool) -> _Loaded:
        """New processes in place of the running ones, once they are ready; the old ones where they never are.

        Args:
            before: What is loaded.
            quiet: Nothing is printed about a failure that was the same the last time.
        """
        old = self._running
        try:
            loaded = self._start()
        except ServingError as error:
            self._running = old
            self._report({"reload_error": error.what})
            if not (quiet and error.what == self._failure):
                self._say(f"the code as it is now cannot be loaded, the gates stay as they were: {error.what}")
            self._failure = error.what
            return before
        self._failure = ""
        self._report({})
        for process in old:
            process.terminate()
            self._ending.append((time.monotonic(), process))
        changed = [name for name, version in loaded.gates.items() if before.gates.get(name) != version]
        self._say(f"loaded again: {len(changed)} gates changed{': ' + ', '.join(changed) if changed else ''}")
        return loaded

    def _start(self) -> _Loaded:
        """Processes of a new generation, ready.

        Raises:
            ServingError: One of them is not.
        """
        self._generation += 1
        started = [self._spawn() for _ in range(self._workers)]
        self._running = [process for process, _ in started]
        try:
            loaded = [self._read_ready(process, pipe) for process, pipe in started]
        except ServingError:
            _kill(self._running)
            self._running = []
            raise
        finally:
            for _, pipe in started:
                os.close(pipe)
        return loaded[0]

    def _spawn(self) -> tuple[subprocess.Popen[bytes], int]:
        reads, writes = os.pipe()
        listening = self._socket.fileno()
        command = [sys.executable, "-m", "readiness_pipelines.serving.worker"]
        given = [str(listening), str(writes), str(self._generation), str(self._status)]
        try:
            process = subprocess.Popen([*command, *given], pass_fds=(listening, writes))  # noqa: S603  # our own
        finally:
            os.close(writes)
        return process, reads

    def _read_ready(self, process: subprocess.Popen[bytes], pipe: int) -> _Loaded:
        deadline, said = time.monotonic() + LOAD_SECONDS, b""
        while not said.endswith(b"\n"):
            if self._stop or time.monotonic() > deadline:
                raise ServingError("the gates were not loaded in time", way_out="readiness check")
            if not select.select([pipe], [], [], _LOOK_SECONDS)[0]:
                continue
            part = os.read(pipe, 1 << 16)
            if not part:
                code = process.wait()
                raise ServingError(f"a process that loads the gates ended ({code})", way_out="readiness check")
            said += part
        value: Mapping[str, Any] = json.loads(said)
        if "error" in value:
            error = value["error"]
            raise ServingError(error["what"], way_out=error["way_out"])
        return _Loaded(gates=value["gates"], files=tuple(value["files"]))

    def _replace_dead(self, loaded: _Loaded, failures: int) -> int:
        """Another process for each that died; slower and slower where they die again and again."""
        dead = [process for process in self._running if process.poll() is not None]
        if self._failure:
            # What these processes answered by is gone: all of them are started when the code can be loaded.
            self._running = [process for process in self._running if process not in dead]
            for process in dead:
                self._say(f"a process died ({process.returncode}), and is replaced when the code can be loaded")
            return failures
        for process in dead:
            if self._stop:
                break
            self._say(f"a process died ({process.returncode}) and is replaced")
            time.sleep(min(_RESTART_SECONDS * failures, LOAD_SECONDS / 6))
            failures += 1
            started, pipe = self._spawn()
            self._running[self._running.index(process)] = started
            try:
                new = self._read_ready(started, pipe)
            except ServingError as error:
                self._say(f"it cannot be replaced yet: {error.what}")
                _kill([started])
            else:
                failures = 0
                # It loaded the code as it is now: the others must not go on answering by another one.
                self._reload = self._reload or new.gates != loaded.gates
            finally:
                os.close(pipe)
        return failures

    def _reap(self, now: float) -> None:
        left = []
        for since, process in self._ending:
            if process.poll() is None:
                if now - since > END_SECONDS:
                    process.kill()
                left.append((since, process))
        self._ending = left

    def _end(self) -> None:
        """End all processes: what they have begun they finish."""
        self._socket.close()
        processes = [*self._running, *(process for _, process in self._ending)]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _report(self, value: Mapping[str, Any]) -> None:
        written = self._status.with_suffix(".new")
        written.write_text(json.dumps(value), encoding="utf-8")
        written.replace(self._status)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: Any) -> None:
            self._stop = True

        def reload(_number: int, _frame: Any) -> None:
            self._reload = True

        handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ServingError(
            f"the address {host}:{port} cannot be had: {error.strerror or error}", way_out="give another: --port"
        ) from error
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening


def _kill(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
