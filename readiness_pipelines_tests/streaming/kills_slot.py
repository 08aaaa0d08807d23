"""Many kills of processes that read the changes of a Postgres table, while it changes: ``make kills-slot``.

Rows are inserted, updated and deleted all the time, in transactions of several. Processes that read are killed at each
point of the protocol and at random, some are stopped and go on when others have long taken over, and the server ends
connections. A second slot, which nobody reads before the end, is the witness of all changes: raw has each of them once,
and the current table is the source's.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg2

from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.streaming.pgoutput import PgChange, PgCommit, PgDecoder, place_in_log
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import logical_postgres
from readiness_pipelines_tests.streaming.customers import FROM_SLOT, changes_table, customers_domain
from readiness_pipelines_tests.streaming.payments import START, rows_of
from readiness_pipelines_tests.streaming.shop_database import Statements, shop_database
from readiness_pipelines_tests.streaming.victims import Nursery, Victim

LONG = "".join(chr(65 + number * 7 % 26) + str(number) for number in range(1_000))
LAST_TRIES = 8
NEVER = 1 << 62


class Changes:
    """Changes customers until it is told to stop: some six transactions a second, of one to seven changes."""

    def __init__(self, seed: int, *, large: bool = True) -> None:
        self._chance, self._large = random.Random(seed), large
        self._next, self._there = 1_000, set(range(200))
        self._ends = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Changes":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(psycopg2.connect(logical_postgres())) as connection:
            while not self._ends.wait(self._chance.uniform(0.02, 0.3)):
                with connection, connection.cursor() as cursor:
                    for _ in range(self._chance.choice([1, 1, 1, 2, 7])):
                        cursor.execute(self._change())

    def _change(self) -> str:
        kind, key = self._chance.random(), self._chance.choice(sorted(self._there))
        new, self._next = self._next, self._next + 1
        if kind < 0.35 or len(self._there) < 50:
            self._there.add(new)
            bio = f"'{LONG}'" if self._large and new % 5 == 0 else "NULL"
            return f"INSERT INTO customers VALUES ({new}, 'new {new}', {bio}, {new % 100})"
        if kind < 0.7:
            return f"UPDATE customers SET paid = paid + 1 WHERE id = {key}"
        if kind < 0.8 and key % 5:  # a key that changes beside a large value that does not is refused
            self._there.remove(key)
            new += new % 5 == 0
            self._next = new + 1
            self._there.add(new)
            return f"UPDATE customers SET id = {new} WHERE id = {key}"
        self._there.remove(key)
        return f"DELETE FROM customers WHERE id = {key}"


class Campaign:
    """A run from a seed."""

    def __init__(self, seed: int, folder: Path, database: Statements, *, large: bool = True) -> None:
        self.chance = random.Random(seed)
        self.folder, self.database = folder, database
        self.now = START
        self.counts = {"killed at a point": 0, "killed at random": 0, "stopped": 0, "connections ended": 0}
        self.zombies: list[str] = []
        database(
            f"INSERT INTO customers SELECT n, 'old ' || n, CASE WHEN {large} AND n % 5 = 0 THEN '{LONG}' END, 1 "
            "FROM generate_series(0, 199) n",
            "SELECT pg_create_logical_replication_slot('witness', 'pgoutput')",
            # One that stands still keeps the slot for so long.
            "ALTER SYSTEM SET wal_sender_timeout = '4s'",
            "SELECT pg_reload_conf()",
        )

    def victim(self, **what: object) -> Victim:
        said = {"folder": str(self.folder), "address": logical_postgres(), "now": self.now.isoformat()}
        return Victim(**{"ends": {"0": NEVER}, "records": 40, "reads": "slot", **said, **what})  # type: ignore[arg-type]

    def kill_at(self, nursery: Nursery, point: Point, times: int = 1) -> None:
        """A process that is killed when it comes to a point."""
        ended = nursery.run(self.victim(point=point.value, times=times))
        self.counts["killed at a point"] += ended == "killed"
        self._expect(ended)

    def kill_after(self, nursery: Nursery, seconds: float) -> None:
        """A process that is killed wherever it is."""
        ended = nursery.run(self.victim(after=seconds))
        self.counts["killed at random"] += ended == "killed"
        self._expect(ended)

    def stop_at(self, nursery: Nursery, point: Point) -> None:
        """A process that stands still at a point."""
        ended = nursery.run(self.victim(point=point.value, stops=True))
        if ended.startswith("stopped"):
            self.zombies.append(ended)
            self.counts["stopped"] += 1
        self._expect(ended)

    def wake(self, nursery: Nursery) -> None:
        """Let the process that has stood still for the longest go on: it was taken over."""
        ended = nursery.wake(self.zombies.pop(0))
        if not ended.startswith("StreamFencedError"):
            raise AssertionError(f"a process that had been taken over ended with: {ended}")

    def step(self, nursery: Nursery) -> None:
        """One process that does not come to its end."""
        point = self.chance.choice(list(Point))
        match self.chance.random():
            case share if share < 0.1 and len(self.zombies) < 2:
                self.stop_at(nursery, point)
            case share if share < 0.45:
                self.kill_after(nursery, self.chance.uniform(0.05, 4.0))
            case _:
                self.kill_at(nursery, point, self.chance.randint(1, 3))
        if self.chance.random() < 0.2:
            self.database("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
            self.counts["connections ended"] += 1
        # It wakes where another one has taken the shard: before, it would be right to go on.
        if len(self.zombies) == 2:
            self.wake(nursery)

    def _expect(self, ended: str) -> None:
        if not ended.startswith(("killed", "stopped", "not done")):
            raise AssertionError(f"a process ended with: {ended}")
        self.now += timedelta(minutes=self.chance.choice([2, 2, 7]))

    def end(self, nursery: Nursery) -> list[str]:
        """Let everything come to its end; what is wrong then."""
        ((place,),) = self.database("SELECT pg_current_wal_insert_lsn()::text")
        self.database("INSERT INTO customers VALUES (999, 'the last', NULL, 1)")
        for _ in range(LAST_TRIES):
            ended = nursery.run(self.victim(ends={"0": place_in_log(place)}, records=2_000))
            self.now += timedelta(minutes=3)
            if not ended.startswith("not done"):
                break
        while self.zombies:
            self.wake(nursery)
        if ended != "done":
            return [f"the last process ended with: {ended}"]
        installation = Installation.open(settings_in(self.folder))
        domain = customers_domain(FROM_SLOT)
        wrong = self._account(rows_of(installation, changes_table(domain).id.raw, "change_op, change_position, id"))
        self.now += timedelta(hours=1)
        while due := due_work([domain], installation=installation, now=self.now):
            for work in due:
                do_work(work, installation=installation, run=Run(clock=lambda: self.now))
        columns = "id, name, bio, paid::VARCHAR"
        there = self.database("SELECT id, name, bio, round(paid, 2)::text FROM customers ORDER BY id")
        current = list(rows_of(installation, domain.table("customers").id, columns))
        print(f"the source has {len(there):,} rows, the current table {len(current):,}", flush=True)  # noqa: T201  # a command's answer
        wrong += [] if current == there else ["the current table is not the source's"]
        problems = reconcile([domain], installation=installation).problems
        return [*wrong, *(f"{one.ref}: {one.what}" for one in problems)]

    def _account(self, raw: Any) -> list[str]:
        """What is wrong with raw, held against all that the witness saw since the slot was made."""
        (began,) = {int(position) for op, position, _ in raw if op == "snapshot"}
        known = Counter(position for op, position, _ in raw if op != "snapshot")
        read = Counter(key for op, _, key in raw if op == "snapshot")
        made = {f"{commit:020d}:{number:010d}" for commit, number in self._witnessed() if commit >= began}
        lost, strange = made - set(known), set(known) - made
        doubled = [one for one, count in (known + read).items() if count > 1]
        print(  # noqa: T201  # a command's answer
            f"{len(made):,} changes after {len(read):,} rows: {len(lost)} lost, {len(doubled)} doubled, "
            f"{len(strange)} strange",
            flush=True,
        )
        return [f"raw: {lost=}, {doubled=}, {strange=}"] if lost or doubled or strange or not made else []

    def _witnessed(self) -> set[tuple[int, int]]:
        asked = "SELECT data FROM pg_logical_slot_get_binary_changes('witness', NULL, NULL, 'proto_version', '1', "
        decoder, number = PgDecoder(FROM_SLOT.table), 0
        found: set[tuple[int, int]] = set()
        for (data,) in self.database(f"{asked}'publication_names', 'shop')"):
            message = decoder.decode(bytes(data))
            if isinstance(message, PgCommit):
                number = 0
            elif isinstance(message, PgChange):
                number += 1
                found.add((decoder.commit, number))
        return found


def main() -> None:
    """Run a campaign; the exit code is 1 where something is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    said = parser.parse_args()
    ends = time.monotonic() + said.minutes * 60
    with tempfile.TemporaryDirectory() as name, shop_database() as database, Nursery() as nursery:
        (Path(name) / "landing").mkdir()
        campaign = Campaign(said.seed, Path(name), database)
        with Changes(said.seed):
            while sum(campaign.counts.values()) < said.kills and time.monotonic() < ends:
                campaign.step(nursery)
                print(f"at {campaign.now:%d %H:%M}: {campaign.counts}", flush=True)  # noqa: T201  # a command's answer
        wrong = campaign.end(nursery)
    print(f"seed {said.seed}: {campaign.counts}", flush=True)  # noqa: T201  # a command's answer
    for line in wrong:
        print(f"WRONG: {line[:2_000]}", flush=True)  # noqa: T201  # as above
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
