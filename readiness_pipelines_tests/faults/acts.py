"""What the processes of a schedule do: deliver or decide, keep house, read. Some strike themselves."""

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import Undoing, decisions_about, undone_by
from readiness_pipelines.delivery import ORPHAN_AGE, RETENTION, decide, ingest, maintain, replay_batch
from readiness_pipelines.errors import BatchNotLandedError, ReadinessError
from readiness_pipelines.installation import Installation, Run, utc_now
from readiness_pipelines.lakehouse import KEPT_SNAPSHOTS
from readiness_pipelines.lakehouse.file_turns import FileTurns
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.faults.crashes import struck
from readiness_pipelines_tests.faults.domains import chained_shop
from readiness_pipelines_tests.faults.schedules import (
    ClockJump,
    Decided,
    File,
    KillAt,
    Move,
    Replaced,
    Undo,
    Upkeep,
    Zombie,
)
from readiness_pipelines_tests.samples import gated

SHOP = chained_shop()
ORDERS = gated(SHOP)
REFUSED, BROKEN = 3, 4
"""Exit codes: an error of the framework's own, with a way out; and any other."""


def land_file(folder: Path, file: File) -> None:
    """Put a batch's file where it lands, whole, in place of what was there."""
    landing = folder / "landing" / "orders"
    landing.mkdir(parents=True, exist_ok=True)
    written = folder / f"{uuid4().hex}.part"
    written.write_text("\n".join(["order_id,amount,status,note", *file.lines]) + "\n")
    written.rename(landing / f"{file.batch}.csv")


def run_at(hours: int = 0) -> Run:
    """A run of the soak's, whose clock is wrong by so many hours."""

    def clock() -> datetime:
        return utc_now() + timedelta(hours=hours)

    return Run(who="soak", clock=clock)


def act(
    folder: Path,
    notes: Path,
    move: Move,
    *,
    besides: bool = False,
    elsewhere: bool = False,
    most_bytes: int | None = None,
) -> None:
    """Make a move, and end as its strike wants.

    Args:
        folder: The installation.
        notes: Where to note what went wrong.
        move: The move.
        besides: Another process makes the same move, and is the one to be struck.
        elsewhere: Do not see the other one's locks.
        most_bytes: Write no larger file.
    """
    if most_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    with _noted(notes, "delivery"), ExitStack() as stack:
        if elsewhere:
            stack.enter_context(_locks_elsewhere())
        strike = None if besides else move.strike
        match strike:
            case KillAt(point):
                stack.enter_context(struck(point.step, point.place, point.when, _signal(signal.SIGKILL), of=point.of))
            case Zombie(point):
                stack.enter_context(struck(point.step, point.place, point.when, _signal(signal.SIGSTOP), of=point.of))
            case Replaced(file, point):
                stack.enter_context(
                    struck(point.step, point.place, point.when, lambda: land_file(folder, file), of=point.of)
                )
            case _:
                pass
        installation = Installation.open(settings_in(folder))
        run = run_at(strike.hours if isinstance(strike, ClockJump) else 0)
        if move.batch is not None:
            if move.decision is not None and _decide(move.decision, move.batch, installation, run):
                (notes / f"decided-{uuid4().hex}").write_text(move.batch)
            replay_batch(ORDERS, batch=move.batch, installation=installation, run=run)
        elif isinstance(strike, ClockJump):
            # By name, as an operator would: by a clock that is behind, nothing has settled yet.
            for file in move.files:
                ingest(ORDERS, batch=file.batch, installation=installation, run=run)
                replay_batch(ORDERS, batch=file.batch, installation=installation, run=run)
        else:
            run_domains(SHOP, installation=installation, run=run)


def keep_house(folder: Path, notes: Path, upkeep: Upkeep) -> None:
    """Maintain, after a while."""
    time.sleep(upkeep.milliseconds / 1000)
    with _noted(notes, "maintenance"):
        maintain(
            Installation.open(settings_in(folder)),
            now=run_at(upkeep.hours).clock(),
            retention=timedelta(0) if upkeep.eager else RETENTION,
            orphan_age=timedelta(0) if upkeep.eager else ORPHAN_AGE,
            most_snapshots=1 if upkeep.eager else KEPT_SNAPSHOTS,
        )


def read_all(folder: Path, notes: Path) -> None:
    """Read what is published until somebody says that it is enough; note what no consumer may see."""
    with _noted(notes, "reader"):
        lakehouse = (installation := Installation.open(settings_in(folder))).lakehouse
        while not (notes / "enough").exists():
            if lakehouse.exists(ORDERS.id):
                with installation.engine() as engine:
                    rows = lakehouse.relation(engine, ORDERS.id).project("_batch, _row, note").fetchall()
                for wrong in impossible(rows):
                    (notes / f"seen-{uuid4().hex}").write_text(wrong)
            time.sleep(0.02)


def impossible(rows: list[tuple[str, int, str]]) -> Iterator[str]:
    """What is wrong with published rows (batch, number, version) that were read at one moment."""
    versions: dict[str, set[str]] = {}
    for batch, _, version in rows:
        versions.setdefault(batch, set()).add(version)
    if len({(batch, row) for batch, row, _ in rows}) < len(rows):
        yield "a reader saw a row twice"
    for batch, seen in versions.items():
        if len(seen) > 1:
            yield f"a reader saw rows of {', '.join(sorted(seen))} of {batch} at once"


def _decide(what: Decided, batch: str, installation: Installation, run: Run) -> bool:
    """Decide as on-call does; whether there was something to decide about."""
    if isinstance(what, Undo):
        known = decisions_about(installation.ledger, BatchRef(ORDERS.id, batch))
        standing = [one.id for one in known if one.id not in undone_by(known)]
        if not standing:
            return False
        decision = Undoing(decision=standing[what.number % len(standing)])
        decide(ORDERS, decision, batch=batch, why="soak", installation=installation, run=run)
    else:
        decide(ORDERS, what, batch=batch, why="soak", installation=installation, run=run)
    return True


def _signal(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


@contextmanager
def _noted(notes: Path, what: str) -> Iterator[None]:
    """End with a code that says what kind of error there was; note one that has no way out."""
    try:
        yield
    except BatchNotLandedError:
        sys.exit(REFUSED)
    except ReadinessError as error:
        (notes / f"refused-{uuid4().hex}").write_text(f"{what}: {type(error).__name__}: {error}")
        sys.exit(REFUSED)
    except Exception:
        (notes / f"broken-{uuid4().hex}").write_text(f"{what}:\n{traceback.format_exc()}")
        sys.exit(BROKEN)


@contextmanager
def _locks_elsewhere() -> Iterator[None]:
    """Take turns by files in another folder: a machine that does not see the first one's locks."""
    original = FileTurns.__init__

    def moved(self: FileTurns, folder: Path) -> None:
        original(self, folder.with_name(".locks-elsewhere"))

    with patch.object(FileTurns, "__init__", moved):
        yield
