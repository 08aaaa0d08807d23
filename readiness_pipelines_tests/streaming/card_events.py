"""Generated card payments, sent to a topic at a rate: ``python -m readiness_pipelines_tests.streaming.card_events``.

Each is made of a real export's payment (card, merchant, category, places, and an amount near that one's), with a number
and a time of its own; so columns and distributions are those of the exports, and no event ever happened. A few are bad,
doubled, or late, as they are in life.
"""

import argparse
import csv
import gzip
import json
import random
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from confluent_kafka import Producer

from readiness_pipelines_tests.brokers import QUIET

LANDING = Path(__file__).parents[2] / "data" / "landing"
DAYS = ("2019-01-01", "2019-01-02", "2019-01-03", "2019-01-04", "2020-06-21", "2020-06-22")
REGISTERS = "2020-06-21"
COLUMNS = ("cc_num", "merchant", "category", "amt", "merch_lat", "merch_long")
_TEMPLATES = 20_000
_TICK = 0.05
_SPREAD = 0x9E3779B97F4A7C15  # odd: the numbers that it makes of 0, 1, 2, … are different ones

BAD, DOUBLED, LATE = 0.006, 0.0005, 0.01
"""Shares of all events."""

_WRONG = (
    ("amt", "-1.00"),
    ("category", "unknown"),
    ("cc_num", "2.70319E+15"),
    ("merch_lat", "100"),
    ("merchant", None),
)


def _rows(name: str) -> list[dict[str, str]]:
    with gzip.open(LANDING / "fraud" / name, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def templates(chance: random.Random) -> list[bytes]:
    """JSON of generated payments but for their number and time, and the brace at the end."""
    cards = {row["cc_num"] for row in _rows(f"customers/{REGISTERS}.csv.gz")}
    sold = {(row["merchant"], row["category"]) for row in _rows(f"merchants/{REGISTERS}.csv.gz")}
    real = [row for day in DAYS for row in _rows(f"transactions/{day}/transactions.csv.gz")]
    real = [row for row in real if row["cc_num"] in cards and (row["merchant"], row["category"]) in sold]
    found = []
    for _ in range(_TEMPLATES):
        one = chance.choice(real)
        values: dict[str, str | None] = {name: one[name] for name in COLUMNS}
        values["amt"] = f"{max(float(one['amt']) * chance.lognormvariate(0, 0.2), 0.01):.2f}"
        if chance.random() < BAD:
            name, value = chance.choice(_WRONG)
            values[name] = value
        found.append(json.dumps(values).encode()[:-1])
    return found


def events(seed: int) -> Iterator[bytes]:
    """Payments without end."""
    chance = random.Random(seed)
    made, session = templates(chance), secrets.token_hex(8)
    mask = (1 << 64) - 1
    doubled = number = 0
    for one in count():
        share = chance.random()
        doubled = number if share < DOUBLED else (one * _SPREAD) & mask
        at = datetime.now(UTC)
        if share > 1 - LATE:
            at -= timedelta(minutes=chance.uniform(2, 90))
        number = doubled
        text = f', "trans_num": "{session}{number:016x}", "trans_date_trans_time": "{at.isoformat()}"}}'
        yield made[int(share * 1e9) % _TEMPLATES] + text.encode()


def main() -> None:
    """Send until the time is over or somebody ends it; then say how many were sent, and how far behind the rate."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--records", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=19)
    said = parser.parse_args()
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    producer = Producer({
        **QUIET, "bootstrap.servers": said.address, "acks": "all", "linger.ms": 20,
        "queue.buffering.max.messages": 500_000,
    })  # fmt: skip
    source = events(said.seed)
    began, sent, behind = time.monotonic(), 0, 0.0
    while not stopped and (now := time.monotonic() - began) < said.seconds and sent < said.records:
        due = int(min(now * said.rate, said.records)) - sent
        for _ in range(due):
            while True:
                try:
                    producer.produce(said.topic, next(source), partition=sent % said.partitions)
                    break
                except BufferError:
                    producer.poll(0.05)
            sent += 1
        producer.poll(0)
        spent = time.monotonic() - began - now
        behind = max(behind, spent)
        time.sleep(max(_TICK - spent, 0))
    left = producer.flush(30)
    print(json.dumps({"sent": sent - left, "behind_seconds": round(behind, 2)}), flush=True)  # noqa: T201  # its answer
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
