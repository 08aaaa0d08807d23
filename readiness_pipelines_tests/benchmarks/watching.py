"""`make bench-watch`: what one look at many tables costs."""

import argparse
import statistics
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as dt_time
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import insert

from readiness_pipelines import DailyBatches, Domain, FileDrop, Freshness, Source, Steward, Sum
from readiness_pipelines.alerts import AlertSettings, watch
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger.tables import BATCHES, TRAIL
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.samples import Order

OUT = Console(width=120)
FIRST = date(2026, 1, 1)


def main() -> None:
    """Fill a ledger with published days, and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--batches", type=int, default=90)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation.open(
            Settings(landing=str(Path(folder, "landing")), warehouse=str(Path(folder, "warehouse")), settles="0s")
        )
        domains = [one_table_domain(number) for number in range(options.tables)]
        fill(installation, domains, options.batches)
        now = datetime(2026, 1, 1, 6, tzinfo=UTC) + timedelta(days=options.batches)
        took = []
        for run in range(options.runs):
            started = time.perf_counter()
            clock = now + timedelta(seconds=30 * run)
            look = watch(domains, AlertSettings(), installation=installation, clock=lambda clock=clock: clock)
            took.append(time.perf_counter() - started)
        states = {found.state.value for found in look.freshness.values()}
    shown = ", ".join(f"{seconds:.2f}" for seconds in took)
    OUT.print(f"{options.tables} tables of {options.batches} batches, all {', '.join(states)}")
    OUT.print(f"one look: {statistics.median(took):.2f} s (median of {shown})")


def one_table_domain(number: int | str, *, first: date = FIRST) -> Domain:
    """A domain of one daily table, with a promise of freshness, and a KPI of it."""
    shop = Domain(f"shop_{number}", owner="a@b.example")
    source = Source(origin="bench", steward=Steward("S", "s@s.example"), reader=FileDrop("orders/{batch}.csv"))
    freshness = Freshness(warn_after="30h", fail_after="54h")
    batches = DailyBatches(start=first)
    shop.gated("orders", source=source, schema=Order, batches=batches, freshness=freshness)

    @shop.kpi(question="How many?", unit="count")
    def order_count(orders: Any) -> Sum:
        return Sum("1")

    return shop


def fill(installation: Installation, domains: list[Domain], batches: int, *, first: date = FIRST) -> None:
    """Write what deliveries would have left in the ledger, all at once."""
    rows: list[dict[str, Any]] = []
    for domain in domains:
        for day in range(batches):
            key = {"table_name": str(domain.tables[0].id)}
            published = datetime.combine(first, dt_time(3), tzinfo=UTC) + timedelta(days=day + 1)
            rows.append({**key, "batch": (first + timedelta(days=day)).isoformat(), "at": published})
    record = {
        **dict.fromkeys(("ingested", "published"), 100),
        **dict.fromkeys(("quarantined", "discarded", "unreadable"), 0),
        "state": "published",
        "inputs": {},
        "origins": [],
        "columns": [],
    }
    entry = {"what": "published", "who": "bench", "attempt": "a", "details": {}}
    with installation.ledger._database.writing() as connection:
        connection.execute(
            insert(BATCHES),
            [{**{k: v for k, v in row.items() if k != "at"}, "updated_at": row["at"], **record} for row in rows],
        )
        connection.execute(insert(TRAIL), [{**row, **entry} for row in rows])


if __name__ == "__main__":
    main()
