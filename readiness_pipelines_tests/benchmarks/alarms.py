"""False alarms and misses of volume and distribution findings, on series of batches with known faults and without.

Prints precision and recall, and writes them to docs/benchmarks/alarms.json. The series are made up, from a seed:
daily batches with noise from day to day in everything, half of them with weekends. What others find in the same is
beside it.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from readiness_pipelines.observability import Past, compare, profile_of

BATCHES = 70
FIRST_FAULT, LAST_FAULT = 30, 60
FAULTS = ("volume drop", "null surge", "shifted mean", "new category", "slow drift", "weekday season")
CREEPING = ("creeping nulls", "creeping share")
"""Slow faults of other kinds than the mean of numbers; counted beside, so that figures compare with those before."""

SLOW = ("slow drift", *CREEPING)
DRIFT_A_DAY = 0.06
CREEP_A_DAY = 0.02
RESULT = Path("docs/benchmarks/alarms.json")
WEEK = 7


def series(seed: int, fault: str | None) -> tuple[list[pa.Table], int | None]:
    """Some batches, and which of them is the first with a fault."""
    chance = np.random.default_rng(seed)
    base, noise = int(chance.integers(300, 4_000)), chance.uniform(0.03, 0.12)
    seasonal = fault == "weekday season" or (fault != "volume drop" and chance.random() < 0.5)
    weekend = chance.uniform(0.2, 0.6) if seasonal else 1.0
    shares = chance.dirichlet([8, 5, 3, 1.5])
    missing, spread = chance.uniform(0, 0.2), chance.uniform(0.2, 2)
    at = int(chance.integers(FIRST_FAULT, LAST_FAULT)) if fault else None
    if fault == "weekday season":
        at = next(day for day in range(at or 0, BATCHES) if day % WEEK < 5)
    batches = []
    for day in range(BATCHES):
        hit = fault if day == at or (fault in SLOW and at is not None and day >= at) else None
        size = base * (weekend if day % WEEK >= 5 else 1.0) * chance.lognormal(0, noise)
        size *= {"volume drop": chance.uniform(0.2, 0.5), "weekday season": weekend}.get(str(hit), 1.0)
        rows = max(1, round(size))
        score = chance.normal(chance.normal(0, 0.03), 1, rows)
        if hit == "shifted mean":
            score += chance.choice([-1, 1]) * chance.uniform(0.7, 1.5)
        if hit == "slow drift" and at is not None:
            score += DRIFT_A_DAY * (day - at)
        gone = chance.random(rows) < np.clip(missing + chance.normal(0, 0.005), 0, 1)
        if hit == "null surge":
            gone |= chance.random(rows) < chance.uniform(0.1, 0.5)
        if hit == "creeping nulls" and at is not None:
            gone |= chance.random(rows) < CREEP_A_DAY * (day - at)
        today = chance.dirichlet(shares * 4_000)
        if hit == "creeping share" and at is not None:
            moved = CREEP_A_DAY * (day - at)
            today = today * (1 - moved) + moved * np.array([0, 0, 0, 1.0])
        status = chance.choice(["new", "paid", "shipped", "returned"], size=rows, p=today)
        if hit == "new category":
            status = np.where(chance.random(rows) < chance.uniform(0.03, 0.2), "unknown", status)
        batches.append(
            pa.table(
                {
                    "id": np.arange(rows) + day * 10_000,
                    "score": score,
                    "amount": pa.array(chance.lognormal(3, spread, rows), mask=gone),
                    "status": status,
                    "note": [f"note {number}" for number in chance.integers(0, 5_000, rows)],
                }
            )
        )
    return batches, at


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found in one series.

    Attributes:
        fault: Its fault.
        found: Whether that was found.
        delay: After how many batches it was found first.
        wrong: What was found where there was none.
        peers: Of each peer, after how many batches it found the fault, and whether it found something where there was
            none.
    """

    fault: str | None
    found: bool
    delay: int | None
    wrong: list[str]
    peers: dict[str, tuple[int | None, bool]]


def judged(seed: int, fault: str | None, *, peers: bool = False) -> Judged:
    """Whether the fault of a series was found, and what was found where there was none."""
    batches, at = series(seed, fault)
    past: list[Past] = []
    delay, wrong = None, []
    faulty = {day for day in range(BATCHES) if at is not None and (day == at or (fault in SLOW and day >= at))}
    for day, rows in enumerate(batches):
        profile = profile_of(str(day), rows)
        moved = compare(profile, past, weekday=day % WEEK).moved
        if moved and day in faulty and delay is None:
            delay = day - (at or 0)
        if moved and day not in faulty:
            wrong.append(f"{seed} {fault} day {day}: {moved[0].measured} of {moved[0].column}: {moved[0].seen}")
        past.append(Past(profile=profile, weekday=day % WEEK, unlike=frozenset(one.column for one in moved)))
    theirs: dict[str, tuple[int | None, bool]] = {}
    if peers:
        # Loaded where it is wanted: tests that judge a series do without.
        from readiness_pipelines_tests.benchmarks.alarm_peers import found_by_peers  # noqa: PLC0415

        for peer, days in found_by_peers(batches).items():
            hits = [day - (at or 0) for day in days if day in faulty]
            theirs[peer] = (min(hits, default=None), bool({*days} - faulty))
    return Judged(fault=fault, found=delay is not None, delay=delay, wrong=wrong, peers=theirs)


def main() -> None:
    """Judge all series and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=200, help="so many with a fault, and so many without")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    faults = [FAULTS[number % len(FAULTS)] for number in range(asked.series)]
    seeds = [asked.seed * 100_000 + number for number in range(asked.series)]
    with ProcessPoolExecutor() as pool:
        judge = partial(judged, peers=True)
        broken = list(pool.map(judge, seeds, faults, chunksize=5))
        clean = list(pool.map(judge, [seed + 50_000 for seed in seeds], [None] * asked.series, chunksize=5))
        creeping = list(
            pool.map(judge, [seed + 20_000 for seed in seeds[: asked.series // 3]], CREEPING * (asked.series // 6))
        )
    results = [*broken, *clean]
    figures: dict[str, Any] = {
        "series_with_fault": asked.series,
        "series_without": asked.series,
        **_rates([one.found for one in broken], [bool(one.wrong) for one in results]),
        "found": _found(broken, lambda one: one.found),
        "slow_drift_median_delay": _median(one.delay for one in broken if one.fault in SLOW),
        "false_alarms": [line for one in results for line in one.wrong],
        "slow_beside": {
            "found": _found(creeping, lambda one: one.found),
            "median_delay": _median(one.delay for one in creeping),
            "false_alarms": [line for one in creeping for line in one.wrong],
        },
        "peers": {
            peer: {
                **_rates([one.peers[peer][0] is not None for one in broken], [one.peers[peer][1] for one in results]),
                "found": _found(broken, lambda one, peer=peer: one.peers[peer][0] is not None),
                "slow_drift_median_delay": _median(one.peers[peer][0] for one in broken if one.fault in SLOW),
                "series_with_false_alarms": sum(one.peers[peer][1] for one in results),
                "slow_beside": _found(creeping, lambda one, peer=peer: one.peers[peer][0] is not None),
            }
            for peer in broken[0].peers
        },
    }
    _print(figures)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _median(delays: Iterable[int | None]) -> float | None:
    found = [one for one in delays if one is not None]
    return median(found) if found else None


def _rates(hits: list[bool], alarms: list[bool]) -> dict[str, float]:
    found = sum(hits)
    return {"precision": round(found / max(1, found + sum(alarms)), 4), "recall": round(found / len(hits), 4)}


def _found(results: list[Judged], finds: Callable[[Judged], bool]) -> dict[str, str]:
    hits, had = Counter(str(one.fault) for one in results if finds(one)), Counter(str(one.fault) for one in results)
    return {fault: f"{hits[fault]} of {had[fault]}" for fault in had}


def _print(figures: dict[str, Any]) -> None:
    ours = {**figures, "slow_beside": figures["slow_beside"]["found"]}
    columns = {"ours": ours, **figures["peers"]}
    table = Table("", *columns)
    for name in ("precision", "recall"):
        table.add_row(name, *(f"{one[name]:.2f}" for one in columns.values()))
    table.add_row("slow drift found after", *(f"{one['slow_drift_median_delay']} batches" for one in columns.values()))
    for group in ("found", "slow_beside"):
        for fault in ours[group]:
            table.add_row(fault, *(one[group][fault] for one in columns.values()))
    console = Console(width=120)
    console.print(table)
    for line in (*figures["false_alarms"], *figures["slow_beside"]["false_alarms"]):
        console.print(f"false alarm: {line}")


if __name__ == "__main__":
    main()
