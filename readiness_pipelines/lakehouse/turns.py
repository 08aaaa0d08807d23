"""What a turn is, who holds it, and what is said while and after it is waited for."""

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import LakehouseBusyError, LakehouseError, first_line

NOTICE_SECONDS = 5
"""After so long a wait, people are told what it is for."""

UNKNOWN_HOLDER = "another process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one process does at a time.

    Attributes:
        name: Of the lock; those who want the same wait for each other.
        what: What is done, for people: "a commit to shop.orders".
        run_id: The run that does it; "" where it is not known.
        wait_seconds: The longest wait for it.
    """

    name: str
    what: str
    run_id: str
    wait_seconds: float

    @property
    def longest_wait(self) -> str:
        """The longest wait, for people: "1h"."""
        return format_duration(timedelta(seconds=self.wait_seconds))


class Turns(Protocol):
    """Who may work on what, one process at a time; a process that dies gives its turns back."""

    def held(self, turn: Turn) -> AbstractContextManager[None]:
        """Wait until nobody else holds a turn, and hold it.

        Raises:
            LakehouseBusyError: Another process has held it for longer than is waited; names it.
            LakehouseError: Where turns are kept cannot be reached or written to.
        """
        ...


def say_waiting(turn: Turn, holder: str) -> None:
    """Tell whoever watches the process, or reads the run's log, what it waits for."""
    sys.stderr.write(f"waiting for {turn.what}, at most {turn.longest_wait}: {holder} has the turn\n")


def busy_error(turn: Turn, holder: str, *, stop: str) -> LakehouseBusyError:
    """Another process has held a turn for too long.

    Args:
        turn: The turn.
        holder: Who holds it.
        stop: How to stop it.
    """
    return LakehouseBusyError(
        f"{turn.what} waited {turn.longest_wait} for its turn, and {holder} still has it",
        way_out=f"let that end, or stop it if it hangs ({stop}), then run it again: nothing is lost. "
        "READINESS_LOCK_WAIT_MINUTES says how long is waited",
    )


def lost_error(turn: Turn, error: Exception, *, where: str, way_out: str) -> LakehouseError:
    """Where turns are kept cannot be reached or written to.

    Args:
        turn: The turn.
        error: Why.
        where: Where turns are kept.
        way_out: What to do.
    """
    return LakehouseError(
        f"{turn.what} cannot wait for its turn in {where}: {first_line(error)}",
        way_out=f"{way_out}, then run it again: nothing is lost",
    )
