"""Schedules: what happens to an installation, and what strikes it meanwhile, drawn from a seed as plain values."""

import random
from dataclasses import dataclass
from typing import Literal

from readiness_pipelines.decisions import Correction, Discarding, Waiver
from readiness_pipelines_tests.databases import Kind
from readiness_pipelines_tests.faults.domains import decisions_about

DAYS = ("day_1", "day_2")
MOST_MILLISECONDS = 1_500
"""A delivery of both days takes about so long: later kills find nothing to kill."""

STEPS = ("begin", "stage", "replace", "confirm", "record")
BETWEEN = (
    *(("begin", "before", table) for table in ("shop.paid", "shop.totals", "shop.refund_rate", "shop.order_count")),
    *(("record", "after", table) for table in ("shop.orders", "shop.paid", "shop.totals", "shop.refund_rate")),
)
"""After the gate or a derived table is recorded, before what is computed from it begins."""


@dataclass(frozen=True, slots=True)
class File:
    """A batch's file: a new one, or one that replaces what was there."""

    batch: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undo:
    """Take a decision about the batch back: the n-th, as far as there are so many."""

    number: int


Decided = Correction | Waiver | Discarding | Undo


@dataclass(frozen=True, slots=True)
class Point:
    """A step of a delivery, before or after it is taken for the n-th time (of a table, where one is given)."""

    step: str
    place: int
    when: str
    of: str | None = None


@dataclass(frozen=True, slots=True)
class KillAt:
    """SIGKILL at a commit point."""

    point: Point
    kind: Literal["kill at a commit point", "kill between tables"] = "kill at a commit point"


@dataclass(frozen=True, slots=True)
class KillAfter:
    """SIGKILL at a random time."""

    milliseconds: int
    kind: Literal["kill at a random time"] = "kill at a random time"


@dataclass(frozen=True, slots=True)
class FullDisk:
    """So much is free on the disk of the warehouse, the ledger and the landing folder."""

    kilobytes: int
    kind: Literal["full disk"] = "full disk"


@dataclass(frozen=True, slots=True)
class ClockJump:
    """The clock is wrong by so many hours."""

    hours: int
    kind: Literal["clock jump"] = "clock jump"


@dataclass(frozen=True, slots=True)
class Restart:
    """Postgres stops as a lost power supply would stop it, and starts again."""

    milliseconds: int
    kind: Literal["Postgres restart"] = "Postgres restart"


@dataclass(frozen=True, slots=True)
class SecondWriter:
    """Another process does the same at the same time; one of the two may be killed."""

    kill_after: int | None
    kind: Literal["two writers"] = "two writers"


@dataclass(frozen=True, slots=True)
class Zombie:
    """The process stands still, another one does the same, and it goes on.

    Attributes:
        point: Where it stands still.
        elsewhere: The other process is not held back by the first one's locks: a machine that was cut off.
    """

    point: Point
    elsewhere: bool
    kind: Literal["zombie"] = "zombie"


@dataclass(frozen=True, slots=True)
class Replaced:
    """A batch's file is replaced while it is delivered."""

    file: File
    point: Point
    kind: Literal["file replaced meanwhile"] = "file replaced meanwhile"


@dataclass(frozen=True, slots=True)
class FaultyStore:
    """The object store answers late, or as a store does that cannot, to so many of a hundred requests.

    Attributes:
        how: ``slow`` answers after a fifth of a second, ``busy`` answers 503, ``cut`` ends the connection within an
            answer.
        percent: How many.
    """

    how: Literal["slow", "busy", "cut"]
    percent: int
    kind: Literal["faulty store"] = "faulty store"


Strike = KillAt | KillAfter | FullDisk | ClockJump | Restart | SecondWriter | Zombie | Replaced | FaultyStore


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Maintenance beside a delivery, or alone where `alone`.

    Attributes:
        milliseconds: When it begins.
        eager: Keep nothing that may go, whatever its age.
        hours: How wrong its clock is.
    """

    milliseconds: int
    eager: bool
    hours: int


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a schedule: files land, then one process decides or not, and delivers or replays.

    Attributes:
        files: What lands before.
        batch: The batch to replay; ``None`` for all due work.
        decision: What is decided about the batch before its replay.
        strike: What strikes meanwhile.
        upkeep: Maintenance meanwhile.
        read: Whether somebody reads meanwhile.
    """

    files: tuple[File, ...] = ()
    batch: str | None = None
    decision: Decided | None = None
    strike: Strike | None = None
    upkeep: Upkeep | None = None
    read: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens, in order, over which kind of database; with a bucket, the tables lie in an object store."""

    seed: int
    database: Kind
    moves: tuple[Move, ...]
    bucket: bool = False


def draw(seed: int, *, postgres: bool = True, kills_only: bool = False, buckets: bool = False) -> Schedule:
    """Draw a schedule: the same seed and options give the same one.

    Args:
        seed: The seed.
        postgres: Whether one in five runs on Postgres.
        kills_only: Strike by kills alone, at every move: at commit points, between tables, at random times.
        buckets: Run all on Postgres, with the tables in an object store.
    """
    chance = random.Random(seed)
    database: Kind = "postgres" if buckets or (chance.random() < 0.2 and postgres) else "sqlite"
    drawn = _Draw(chance, database, _KILLS if kills_only else _strikes(database, bucket=buckets))
    moves = [drawn.move(first=number == 0) for number in range(chance.randint(3, 5) + 4 * kills_only)]
    return Schedule(seed=seed, database=database, moves=tuple(moves), bucket=buckets)


_KILLS = ("at", "between", "after")


def _strikes(database: Kind, *, bucket: bool) -> tuple[str, ...]:
    """What may strike, as often as it is there; a disk that is full does not reach what lies in a bucket."""
    strikes = ["at", "at", "between", "between", "after", "after", *(["store"] * 5 if bucket else ["disk"])]
    strikes += ["clock", "writers", "zombie", "replaced", ""]
    if database == "postgres":
        strikes += ["restart"] * 3
    return tuple(strikes)


class _Draw:
    """Draws moves one after the other: each version of a file can be told from all others."""

    def __init__(self, chance: random.Random, database: Kind, strikes: tuple[str, ...]) -> None:
        self._chance = chance
        self._strikes = strikes
        self._version = 0
        self._landed: set[str] = set()

    def move(self, *, first: bool) -> Move:
        chance = self._chance
        files: tuple[File, ...] = ()
        batch: str | None = None
        decision: Decided | None = None
        if first:
            files = tuple(self._file(day) for day in DAYS[: chance.randint(1, len(DAYS))])
        else:
            match chance.choice(("land", "land", "decide", "decide", "replay", "due")):
                case "land":
                    files = (self._file(chance.choice(DAYS)),)
                case "decide":
                    batch, decision = chance.choice(sorted(self._landed)), self._decision()
                case "replay":
                    batch = chance.choice(sorted(self._landed))
                case _:
                    pass
        return Move(
            files=files,
            batch=batch,
            decision=decision,
            strike=self._strike(),
            upkeep=self._upkeep() if chance.random() < 0.25 else None,
            read=chance.random() < 0.25,
        )

    def _file(self, batch: str) -> File:
        self._version += 1
        self._landed.add(batch)
        chance = self._chance
        broken = chance.choice((0.0, 0.2, 0.2, 0.7))
        lines = []
        for row in range(chance.randint(2, 6)):
            amount, status = chance.randint(0, 90), chance.choice(("paid", "paid", "refunded"))
            if chance.random() < broken:
                amount, status = chance.choice(((-amount - 1, status), (amount, "lost")))
            lines.append(f"{DAYS.index(batch) * 100 + row},{amount},{status},v{self._version}")
        return File(batch, tuple(lines))

    def _decision(self) -> Decided:
        decisions = decisions_about(self._chance.randint(0, 3))
        return self._chance.choice((*decisions, Undo(self._chance.randint(0, 2)), Undo(0)))

    def _strike(self) -> Strike | None:
        chance = self._chance
        match chance.choice(self._strikes):
            case "at":
                return KillAt(self._point())
            case "between":
                step, when, table = chance.choice(BETWEEN)
                return KillAt(Point(step, 1, when, table), "kill between tables")
            case "after":
                return KillAfter(chance.randint(0, MOST_MILLISECONDS))
            case "disk":
                return FullDisk(chance.choice((0, 8, 32, 64, 128, 256, 512)))
            case "clock":
                return ClockJump(chance.choice((-24 * 400, -49, -1, 1, 49, 24 * 400)))
            case "writers":
                return SecondWriter(chance.choice((None, chance.randint(0, MOST_MILLISECONDS))))
            case "zombie":
                return Zombie(self._point(), elsewhere=chance.random() < 0.5)
            case "replaced":
                return Replaced(self._file(chance.choice(DAYS)), self._point())
            case "restart":
                return Restart(chance.randint(0, MOST_MILLISECONDS))
            case "store":
                how: Literal["slow", "busy", "cut"] = chance.choice(("slow", "busy", "cut"))
                return FaultyStore(how, chance.choice((2, 10, 50, 100)))
        return None

    def _point(self) -> Point:
        chance = self._chance
        return Point(chance.choice(STEPS), chance.randint(1, 5), chance.choice(("before", "after")))

    def _upkeep(self) -> Upkeep:
        chance = self._chance
        return Upkeep(chance.randint(0, MOST_MILLISECONDS), chance.random() < 0.5, chance.choice((0, 0, -49, 49)))
