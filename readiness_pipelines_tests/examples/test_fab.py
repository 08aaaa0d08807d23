"""First-pass yield on the real line: what its gate finds in the re-pack, and the on-call story on one day."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.batches import BatchState
from readiness_pipelines.decisions import read_cells
from readiness_pipelines.delivery import (
    Delivery,
    decide,
    deliver,
    gate_of,
    ingest,
    kpi_values,
    reconcile,
    replay_batch,
)
from readiness_pipelines.examples.fab import fab, first_pass_yield, wafers
from readiness_pipelines.gates import RuleKind
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import FindingKind
from readiness_pipelines.observability import FreshnessState
from readiness_pipelines.overview import observe
from readiness_pipelines_tests.conftest import LANDING, settings_in

FOLDER = LANDING / "first_pass_yield"
DAYS = [date(2008, 7, 19) + timedelta(days=number) for number in range(91)]
SWAPPED = "2008-08-01"


def labels() -> Iterator[datetime]:
    """The true times, in the order of the re-pack's rows."""
    for line in (FOLDER / "labels" / "secom_labels.data").read_text().split("\n"):
        if line.strip():
            yield datetime.strptime(line.split(" ", 1)[1].strip().strip('"'), "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007


def run_day(day: str, installation: Installation) -> Delivery:
    ingest(wafers, batch=day, installation=installation, run=Run())
    return deliver(wafers, batch=day, installation=installation, run=Run())


def broken(delivery: Delivery) -> dict[str, int]:
    return {count.rule.name: count.broken_rows for count in delivery.rules if count.broken_rows}


def test_the_committed_files_are_the_ones_of_the_readme() -> None:
    lines = [line.split("  ") for line in (FOLDER / "SHA256SUMS").read_text().splitlines()]
    assert len(lines) == 92
    for digest, name in lines:
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_every_day_landed_also_those_without_a_wafer() -> None:
    assert sorted(p.name for p in (FOLDER / "wafers").iterdir()) == [day.isoformat() for day in DAYS]
    assert all(wafers.batches.has(day.isoformat()) for day in DAYS)
    assert len({at.date() for at in labels()}) == 86


def test_590_sensors_are_three_rules_of_one_group() -> None:
    gate = gate_of(wafers)
    assert len(gate.rules) == 11
    assert [(r.name, r.kind) for r in gate.rules if r.name.startswith("sensors")] == [
        ("sensors_dtype", RuleKind.ROW),
        ("sensors_within_usual_range", RuleKind.REFERENCE),
    ]


@pytest.mark.slow
def test_eight_days_teach_the_ranges_and_a_swapped_day_is_held_corrected_and_replayed(tmp_path: Path) -> None:
    installation = Installation.open(settings_in(tmp_path, landing=LANDING))
    first = {day.isoformat(): run_day(day.isoformat(), installation) for day in DAYS[:8]}
    assert {delivery.state for delivery in first.values()} == {BatchState.PUBLISHED}
    assert (first["2008-07-19"].counts.published, first["2008-07-24"].counts.published) == (12, 0)
    assert "sensors_within_usual_range" not in broken(first["2008-07-24"])

    held = run_day(SWAPPED, installation)
    assert held.state is BatchState.HELD
    assert broken(held)["dated_in_its_batch"] == held.counts.ingested == 8

    true = [at for at in labels() if at.date().isoformat() == SWAPPED]
    file = tmp_path / "labels.csv"
    file.write_text("_row,Time\n" + "".join(f"{row},{at:%Y-%m-%d %H:%M:%S}\n" for row, at in enumerate(true)))
    decide(wafers, read_cells(file), batch=SWAPPED, why="labels", installation=installation, run=Run())
    replayed = replay_batch(wafers, batch=SWAPPED, installation=installation, run=Run())
    assert replayed.deliveries[replayed.ref].counts.published == 8
    (value,) = kpi_values(first_pass_yield, installation=installation, batches=[SWAPPED])
    assert value.denominator == 8
    assert "dated_in_its_batch" not in broken(replayed.deliveries[replayed.ref])

    # With eight days before it, the day's sensors are held against what they taught; a warning keeps nothing back.
    (count,) = [c for c in replayed.deliveries[replayed.ref].rules if c.rule.name == "sensors_within_usual_range"]
    assert count.decided
    deliver(first_pass_yield, batch="2008-07-24", installation=installation, run=Run())
    (with_nobody,) = kpi_values(first_pass_yield, installation=installation, batches=["2008-07-24"])
    assert (with_nobody.value, with_nobody.denominator) == (None, 0)
    assert reconcile([fab], installation=installation).problems == ()


@pytest.mark.slow
def test_a_sensor_far_from_where_it_was_is_told(tmp_path: Path) -> None:
    installation = Installation.open(settings_in(tmp_path))
    for day in DAYS[:9]:
        target = installation.landing.path / "first_pass_yield" / "wafers" / day.isoformat() / "wafers.csv"
        target.parent.mkdir(parents=True)
        values = ["3" if day == DAYS[8] and row == 2 else f"{1 + row / 100}" for row in range(5)]
        rows = [f"{day} 0{row}:00:00,{value},7,-1" for row, value in enumerate(values)]
        target.write_text("\n".join(["Time,0,1,Pass/Fail", *rows]) + "\n")
        # The pattern names compressed files: a user's own reader would name theirs.
        import gzip  # noqa: PLC0415

        target.with_suffix(".csv.gz").write_bytes(gzip.compress(target.read_bytes()))
        last = run_day(day.isoformat(), installation)
    (count,) = [count for count in last.rules if count.rule.name == "sensors_within_usual_range"]
    assert (count.broken_rows, dict(count.columns), last.state) == (1, {"0": 1}, BatchState.PUBLISHED)
    assert last.counts.published == 5


def test_a_day_is_late_five_minutes_after_it_is_due(installation: Installation) -> None:
    due = datetime(2008, 7, 20, 0, 5, tzinfo=UTC)
    installation.ledger.incidents.looked({wafers.id: "never"}, at=due - timedelta(hours=1))

    def state(after: timedelta) -> Any:
        return observe(fab.tables, installation=installation, now=due + after).freshness[wafers.id].state

    assert state(timedelta(minutes=4)) is FreshnessState.NEVER
    assert state(timedelta(minutes=6)) is FreshnessState.LATE
    assert state(timedelta(minutes=61)) is FreshnessState.FAILED
    (finding,) = observe(fab.tables, installation=installation, now=due + timedelta(hours=2)).findings
    assert (finding.kind, finding.answers) == (FindingKind.FRESHNESS, "Line metrology <metrology@fab.example>")
