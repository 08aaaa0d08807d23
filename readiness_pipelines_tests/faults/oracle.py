"""The laws, held against what a schedule left: nothing lost, doubled, stuck or unseen, and all as without faults."""

import fcntl
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyiceberg.exceptions import NoSuchTableError
from sqlalchemy import NullPool, create_engine, text

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.decisions import Decision, Undoing, decisions_about, in_force, keep_decision
from readiness_pipelines.delivery import due_work, reconcile, repair, replay_batch
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Installation, Run, utc_now
from readiness_pipelines.lakehouse.catalogs import open_catalog
from readiness_pipelines.masking import PLAIN
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import database_in
from readiness_pipelines_tests.faults.acts import ORDERS, SHOP, land_file
from readiness_pipelines_tests.faults.schedules import DAYS, File
from readiness_pipelines_tests.shown import RUNS_OWN

PUBLISHED, WAITING = "shop.orders", "shop_quarantine.orders"
VISIBLE = (PUBLISHED, "shop.paid", "shop.totals", "shop.refund_rate", "shop.order_count")
MOST_ROUNDS = 5
"""Due work, replays that were asked for, and repair, so often at most."""
RUN = Run(who="soak")

Rows = tuple[tuple[str, ...], ...]
State = Mapping[str, Mapping[str, Rows]]
"""The rows of a batch, by table."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that does not hold.

    Attributes:
        law: Which: lost, doubled, stuck, unseen, unequal, impossible.
        what: What was found.
    """

    law: str
    what: str


def judge(folder: Path, reference: Path, files: Mapping[str, Sequence[File]]) -> Iterator[Violation]:
    """Look at what a schedule left, bring it to its end, and hold it against a run without faults.

    Args:
        folder: The installation.
        reference: An empty folder for the run without faults.
        files: By batch, all the files that it had, from old to new; the last one is there now.
    """
    installation = Installation.open(settings_in(folder))
    named = named_batches(installation)
    before = state_of(folder)
    wanted = Wanted(installation, reference, {batch: tuple(known) for batch, known in files.items() if known})
    for batch in DAYS:
        if batch not in named and (differs := wanted.difference(batch, before.get(batch, {}))):
            yield Violation("unseen", f"{batch} is not as it should be, and nothing names it: {differs}")
    yield from settle(installation)
    after = state_of(folder)
    for batch in DAYS:
        if differs := wanted.difference(batch, after.get(batch, {})):
            yield Violation("unequal", f"{batch} differs from a run without faults: {differs}")
    yield from counted(installation, after, files)
    yield from left_behind(folder, installation)


def state_of(folder: Path) -> State:
    """What every table has of every batch, read by PyIceberg and not by what we test."""
    settings = settings_in(folder)
    catalog = open_catalog(settings.catalog_url, settings.warehouse_place)
    found: dict[str, dict[str, list[tuple[str, ...]]]] = {}
    for name in (*VISIBLE, WAITING):
        try:
            rows = catalog.load_table(name).scan().to_arrow()
        except NoSuchTableError:
            continue
        for row in rows.to_pylist():
            # The run without faults numbers the decisions about one batch after those about another.
            values = tuple(
                re.sub(r"decision \d+ ", "decision ", f"{column}={row[column]!r}")
                for column in sorted(row)
                if column not in RUNS_OWN
            )
            found.setdefault(row["_batch"], {}).setdefault(name, []).append(values)
    return {batch: {name: tuple(sorted(rows)) for name, rows in tables.items()} for batch, tables in found.items()}


def named_batches(installation: Installation) -> frozenset[str]:
    """The batches that are not done, as due work, `reconcile` or a decision that waits for its replay says."""
    due = {work.batch for work in due_work([SHOP], installation=installation, now=utc_now())}
    wrong = {problem.ref.batch for problem in reconcile([SHOP], installation=installation).problems}
    return frozenset({*due, *wrong, *_waiting_for_replay(installation)})


def _waiting_for_replay(installation: Installation) -> frozenset[str]:
    """The batches of which the last verdict knew other decisions than are in force: who decided was told to replay."""
    waiting = set()
    for entry in installation.ledger.last_verdicts(tables=[ORDERS.id]):
        known = in_force(decisions_about(installation.ledger, entry.ref), at=utc_now())
        if [decision.id for decision in known] != entry.details.get("decisions", []):
            waiting.add(entry.ref.batch)
    return frozenset(waiting)


def settle(installation: Installation) -> Iterator[Violation]:
    """Bring everything to its end, as the next runs and on-call do; it must come to one."""
    try:
        for _ in range(MOST_ROUNDS):
            run_domains(SHOP, installation=installation, run=RUN)
            for batch in sorted(_waiting_for_replay(installation)):
                replay_batch(ORDERS, batch=batch, installation=installation, run=RUN)
            found = reconcile([SHOP], installation=installation)
            if not found.problems and not due_work([SHOP], installation=installation, now=utc_now()):
                return
            repair([SHOP], found, installation=installation, run=RUN)
    except ReadinessError as error:
        yield Violation("stuck", f"it cannot be brought to its end: {error}")
        return
    for problem in reconcile([SHOP], installation=installation).problems:
        yield Violation("stuck", f"after {MOST_ROUNDS} rounds: {problem.ref}: {problem.what}")


def counted(installation: Installation, state: State, files: Mapping[str, Sequence[File]]) -> Iterator[Violation]:
    """Every row of a file is published, waits or is discarded, once."""
    for batch, known in files.items():
        if not known:
            continue
        record = installation.ledger.get(BatchRef(ORDERS.id, batch))
        if record is None:
            yield Violation("lost", f"the ledger knows nothing of {batch}, which landed")
            continue
        places = (WAITING,) if record.state is BatchState.HELD else (PUBLISHED, WAITING)
        numbers = Counter(_number(row) for place in places for row in state.get(batch, {}).get(place, ()))
        landed = set(range(len(known[-1].lines)))
        if missing := landed - set(numbers):
            yield Violation("lost", f"rows {sorted(missing)} of {batch} are nowhere")
        if strange := set(numbers) - landed:
            yield Violation("doubled", f"rows {sorted(strange)} of {batch} are there and never landed")
        if twice := [number for number, times in numbers.items() if times > 1]:
            yield Violation("doubled", f"rows {sorted(twice)} of {batch} are there more than once")


def _number(row: tuple[str, ...]) -> int:
    return next(int(value.removeprefix("_row=")) for value in row if value.startswith("_row="))


def left_behind(folder: Path, installation: Installation) -> Iterator[Violation]:
    """No delivery is open, and nothing is locked."""
    for attempt in installation.ledger.open_attempts():
        yield Violation("stuck", f"a delivery of {attempt.ref} is still open")
    for lock in (folder / "warehouse").glob(".locks*/*.lock"):
        with lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield Violation("stuck", f"{lock.name} is still locked")
    url = database_in(folder)
    if url.startswith("postgresql"):
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            held = connection.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity a WHERE datname = current_database() AND (state LIKE "
                    "'idle in transaction%' OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND "
                    "locktype = 'advisory'))"
                )
            ).scalar_one()
        if held:
            yield Violation("stuck", f"{held} connections still hold a lock or a transaction")


class Wanted:
    """What a run without faults makes of the same files and the same decisions."""

    def __init__(self, struck: Installation, folder: Path, files: Mapping[str, tuple[File, ...]]) -> None:
        self._folder = folder
        self._files = files
        self._decisions = {batch: decisions_about(struck.ledger, BatchRef(ORDERS.id, batch)) for batch in files}
        self._possible: dict[str, list[Any]] = {}
        self._installation = self._opened(folder)
        for known in files.values():
            land_file(folder, known[-1])
        run_domains(SHOP, installation=self._installation, run=RUN)
        for batch, decisions in self._decisions.items():
            _keep(self._installation, decisions)
            if decisions:
                replay_batch(ORDERS, batch=batch, installation=self._installation, run=RUN)
        run_domains(SHOP, installation=self._installation, run=RUN)
        self._state = state_of(folder)

    def difference(self, batch: str, found: Mapping[str, Rows]) -> str:
        """Where a batch differs; empty where it is as it should be."""
        wanted = self._state.get(batch, {})
        names = [name for name in (*VISIBLE, WAITING) if found.get(name, ()) != wanted.get(name, ())]
        if not names:
            return ""
        if WAITING not in names and self._is_held(batch) and _visible(found) in self._possible_before(batch):
            return ""
        return "; ".join(
            f"{name} has {_short(found.get(name, ()))}, not {_short(wanted.get(name, ()))}" for name in names
        )

    def _is_held(self, batch: str) -> bool:
        record = self._installation.ledger.get(BatchRef(ORDERS.id, batch))
        return record is not None and record.state is BatchState.HELD

    def _possible_before(self, batch: str) -> list[Any]:
        """What a held batch may show: nothing, or what any of its files with the first decisions published."""
        if batch not in self._possible:
            folder = self._folder / f"possible-{batch}"
            installation = self._opened(folder)
            possible: list[Any] = [_visible({})]
            for file in self._files[batch]:
                land_file(folder, file)
                run_domains(SHOP, installation=installation, run=RUN)
                possible.append(_visible(state_of(folder).get(batch, {})))
            ids: dict[int, int] = {}
            for decision in self._decisions[batch]:
                _keep(installation, [decision], ids)
                for file in self._files[batch]:
                    land_file(folder, file)
                    run_domains(SHOP, installation=installation, run=RUN)
                    replay_batch(ORDERS, batch=batch, installation=installation, run=RUN)
                    possible.append(_visible(state_of(folder).get(batch, {})))
            self._possible[batch] = possible
        return self._possible[batch]

    @staticmethod
    def _opened(folder: Path) -> Installation:
        (folder / "landing").mkdir(parents=True)
        return Installation.open(settings_in(folder))


def _keep(installation: Installation, decisions: Sequence[Decision], ids: dict[int, int] | None = None) -> None:
    """Keep decisions of another installation."""
    ids = {} if ids is None else ids
    for decision in decisions:
        what = decision.what
        if isinstance(what, Undoing):
            what = Undoing(decision=ids[what.decision])
        kept = keep_decision(
            installation.ledger, decision.ref, what, who="soak", why="soak", at=utc_now(), classes=PLAIN
        )
        ids[decision.id] = kept.id


def _visible(state: Mapping[str, Rows]) -> tuple[Rows, ...]:
    return tuple(state.get(name, ()) for name in VISIBLE)


def _short(rows: Rows) -> str:
    return f"{len(rows)} rows {[' '.join(row) for row in rows]}"[:400]
