"""False alarms and misses of volume and distribution findings, on series of batches with known faults and without.

Prints precision and recall, and writes them to docs/benchmarks/alarms.json. The series are made up, from a seed:
daily batches with noise from day to day in everything, half of them with weekends.
"""

import argparse
import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from readiness_pipelines.observability import Past, compare, profile_of

BATCHES = 70
FIRST_FAULT, LAST_FAULT = 30, 60
FAULTS = ("volume drop", "null surge", "shifted mean", "new category", "slow drift", "weekday season")
DRIFT_A_DAY = 0.06
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
        hit = fault if day == at or (fault == "slow drift" and at is not None and day >= at) else None
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
        today = chance.dirichlet(shares * 4_000)
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


def judged(seed: int, fault: str | None) -> tuple[str | None, bool, list[str]]:
    """Whether the fault of a series was found, and what was found where there was none."""
    batches, at = series(seed, fault)
    past: list[Past] = []
    found, wrong = False, []
    for day, rows in enumerate(batches):
        profile = profile_of(str(day), rows)
        moved = compare(profile, past, weekday=day % WEEK).moved
        faulty = at is not None and (day == at or (fault == "slow drift" and day >= at))
        if moved and faulty:
            found = True
        if moved and not faulty:
            wrong.append(f"{seed} {fault} day {day}: {moved[0].measured} of {moved[0].column}: {moved[0].seen}")
        if not moved:
            past.append(Past(profile=profile, weekday=day % WEEK))
    return fault, found, wrong


def main() -> None:
    """Judge all series and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=200, help="so many with a fault, and so many without")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    faults = [FAULTS[number % len(FAULTS)] for number in range(asked.series)]
    work: list[tuple[int, str | None]] = [
        *((asked.seed * 100_000 + n, fault) for n, fault in enumerate(faults)),
        *((asked.seed * 100_000 + 50_000 + n, None) for n in range(asked.series)),
    ]
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(judged, *zip(*work, strict=True), chunksize=5))
    hits, had = Counter(f for f, found, _ in results if found), Counter(f for f, _, _ in results if f)
    alarms = [wrong for _, _, wrong in results if wrong]
    true = sum(hits.values())
    figures: dict[str, Any] = {
        "series_with_fault": asked.series,
        "series_without": asked.series,
        "precision": round(true / max(1, true + len(alarms)), 4),
        "recall": round(true / asked.series, 4),
        "found": {str(fault): f"{hits[fault]} of {had[fault]}" for fault in had},
        "false_alarms": [line for wrong in alarms for line in wrong],
    }
    table = Table("fault", "series", "found", title=f"precision {figures['precision']}, recall {figures['recall']}")
    for fault in FAULTS:
        table.add_row(fault, str(had[fault]), str(hits[fault]))
    table.add_row("none", str(asked.series), f"{sum(1 for f, _, wrong in results if f is None and wrong)} false alarms")
    console = Console()
    console.print(table)
    for line in figures["false_alarms"]:
        console.print(f"false alarm: {line}")
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
