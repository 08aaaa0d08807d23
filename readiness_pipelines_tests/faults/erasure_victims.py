"""What a process does that is going to be killed while it erases a person."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from readiness_pipelines.delivery.erasure import landing
from readiness_pipelines.delivery.erasure.requests import erase
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.ledger import Erasures, Ledger
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.delivery.erasure.clinic import ANNA, clinic

STEPS: tuple[tuple[Any, str], ...] = (
    (Erasures, "begin"),
    (Erasures, "note_found"),
    (Erasures, "note_lines"),
    (landing, "replace_file"),
    (Ledger, "begin"),
    (Lakehouse, "stage"),
    (Lakehouse, "replace"),
    (Ledger, "record"),
    (Lakehouse, "forget_past"),
    (Erasures, "forget_deleted"),
    (Erasures, "end"),
)
"""Everything that an erasure changes anything by. What it is struck before is what the step before it has left."""


def erase_anna(folder: Path) -> tuple[str, ...]:
    """Erase her; what is left to do."""
    installation = Installation.open(settings_in(folder))
    done = erase([clinic()], [ANNA], why="asked", ground="gdpr-17", installation=installation, run=Run(who="dpo"))
    return done.open_ends


@contextmanager
def counted(at: Callable[[int, str], None]) -> Iterator[None]:
    """Call something before each step, with its number from 1 on and its name. The steps are the real ones."""
    taken = 0

    def watched(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal taken
            taken += 1
            at(taken, name)
            return original(*arguments, **options)

        return call

    with ExitStack() as stack:
        for owner, name in STEPS:
            stack.enter_context(patch.object(owner, name, watched(name, getattr(owner, name))))
        yield


def erase_until(folder: Path, step: int) -> None:
    """Erase her, and be killed before a step is taken."""

    def strike(number: int, _name: str) -> None:
        if number == step:
            os.kill(os.getpid(), signal.SIGKILL)

    with counted(strike):
        erase_anna(folder)
