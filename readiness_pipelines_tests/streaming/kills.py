"""Many kills of a stream's processes and of its broker, with an account over every offset: ``make kills-stream``.

Messages are sent all the time. Processes that read are killed at each point of the protocol and at random, some are
stopped and go on when others have long taken over, the broker is killed, and windows end and are sealed, by processes
that are killed as well. In the end each message is in the tables once, and `reconcile` agrees.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.brokers import Broker, broker
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.streaming.accounting import account
from readiness_pipelines_tests.streaming.payments import START, TOPIC, mixed, payments_domain, payments_table
from readiness_pipelines_tests.streaming.victims import Nursery, Victim

PARTITIONS = 3
LAST_TRIES = 8


class Campaign:
    """A run from a seed."""

    def __init__(self, seed: int, folder: Path, one: Broker) -> None:
        self.chance = random.Random(seed)
        self.folder, self.broker = folder, one
        self.now = START
        self.sent = 0
        self.counts = {
            "killed at a point": 0,
            "killed at random": 0,
            "stopped": 0,
            "broker killed": 0,
            "seals killed": 0,
        }
        self.zombies: list[str] = []
        self.table = payments_table(payments_domain())

    def send(self, count: int) -> None:
        values = mixed(count, first=self.sent, seed=self.sent)
        self.broker.send(TOPIC, values, partitions=PARTITIONS, first=self.sent)
        self.sent += count

    @property
    def ends(self) -> dict[int, int]:
        return {partition: len(range(partition, self.sent, PARTITIONS)) for partition in range(PARTITIONS)}

    def victim(self, **what: object) -> Victim:
        ends = {str(partition): end for partition, end in self.ends.items()}
        said = {"folder": str(self.folder), "address": self.broker.address, "now": self.now.isoformat()}
        return Victim(**{"ends": ends, "records": 60, **said, **what})  # type: ignore[arg-type]

    def kill(self, nursery: Nursery) -> None:
        """One process that reads, and does not come to its end."""
        self.send(self.chance.randint(60, 240))
        point = self.chance.choice(list(Point)).value
        match self.chance.random():
            case share if share < 0.12 and len(self.zombies) < 3:
                ended = nursery.run(self.victim(point=point, times=self.chance.randint(1, 2), stops=True))
                if ended.startswith("stopped"):
                    self.zombies.append(ended)
                    self.counts["stopped"] += 1
            case share if share < 0.45:
                ended = nursery.run(self.victim(after=self.chance.uniform(0.05, 3.0)))
                self.counts["killed at random"] += ended == "killed"
            case _:
                ended = nursery.run(self.victim(point=point, times=self.chance.randint(1, 3)))
                self.counts["killed at a point"] += ended == "killed"
        ends_well = ("killed", "done", "not done", "stopped", "StreamFencedError", "LedgerBusyError")
        fine = ended.startswith(ends_well)
        if not fine:
            raise AssertionError(f"a process ended with: {ended}")
        self.now += timedelta(minutes=self.chance.choice([2, 2, 2, 7]))
        if self.zombies and self.chance.random() < 0.3:
            woken = nursery.wake(self.zombies.pop(0))
            if not woken.startswith(("StreamFencedError", "killed", "done", "not done")):
                raise AssertionError(f"a process that had been taken over ended with: {woken}")
        if self.broker.kind == "tansu" and self.chance.random() < 0.15:
            self.broker.kill()
            self.broker.start()
            self.counts["broker killed"] += 1
        if self.chance.random() < 0.1:
            self.seal_and_kill()

    def seal_and_kill(self) -> None:
        """Begin to seal what is over, in a process that is killed on the way."""
        module = "readiness_pipelines_tests.streaming.kills"
        command = [sys.executable, "-W", "ignore", "-m", module, "--seal", str(self.folder), self.now.isoformat()]
        process = subprocess.Popen(command)
        time.sleep(self.chance.uniform(1.5, 6.0))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            self.counts["seals killed"] += 1
        process.wait()

    def end(self, nursery: Nursery) -> list[str]:
        """Let everything come to its end; what is wrong then."""
        for zombie in self.zombies:
            nursery.wake(zombie)
        self.now += timedelta(minutes=3)
        # What was left by those that were killed is much, and not what this is about: slices may be large.
        for _ in range(LAST_TRIES):
            ended = nursery.run(self.victim(records=2_000))
            if not ended.startswith("not done"):
                break
            # On a busy machine a broker may answer nothing for a minute: what is not read yet is not lost.
            print(f"the last process is {ended}; another one goes on", flush=True)  # noqa: T201  # a command's answer
        wrong = [] if ended == "done" else [f"the last process ended with: {ended}"]
        installation = Installation.open(settings_in(self.folder))
        for when in ("before the seal", "after it"):
            found = account(self.table, self.ends, installation)
            print(f"{when}: {self.sent:,} messages, {found}", flush=True)  # noqa: T201  # a command's answer
            if not found.is_clean:
                wrong.append(f"{when}: {found}")
            self.now += timedelta(hours=1)
            seal(installation, self.now)
        problems = reconcile([payments_domain()], installation=installation).problems
        return [*wrong, *(f"{one.ref}: {one.what}" for one in problems)]


def seal(installation: Installation, now: object) -> None:
    """Do all that is due."""
    domain = payments_domain()
    while due := due_work([domain], installation=installation, now=now):  # type: ignore[arg-type]
        for work in due:
            do_work(work, installation=installation, run=Run(clock=lambda: now))  # type: ignore[arg-type, return-value]


def main() -> None:
    """Run a campaign; the exit code is 1 where something is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broker", choices=["noida", "tansu"], default="tansu")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seal", nargs=2)
    said = parser.parse_args()
    if said.seal:
        from datetime import datetime  # noqa: PLC0415  # in a process of its own

        seal(Installation.open(settings_in(Path(said.seal[0]))), datetime.fromisoformat(said.seal[1]))
        return
    ends = time.monotonic() + said.minutes * 60
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "landing").mkdir()
        with broker(said.broker, folder / "broker") as one, Nursery() as nursery:
            one.make_topic(TOPIC, PARTITIONS)
            campaign = Campaign(said.seed, folder, one)
            while sum(campaign.counts.values()) < said.kills and time.monotonic() < ends:
                campaign.kill(nursery)
            wrong = campaign.end(nursery)
    print(f"seed {said.seed}, {said.broker}: {campaign.counts}", flush=True)  # noqa: T201  # a command's answer
    for line in wrong:
        print(f"WRONG: {line}", flush=True)  # noqa: T201  # as above
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
