"""Rows that a function gives, one by one, and weeks made of days."""

import pytest

from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.gallery.running import rows, run
from readiness_pipelines_tests.gallery.sensors import API, sensors, temperatures, warmth, weeks


def test_weeks_of_days(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for day, degrees in {"2026-01-05": [1, 3], "2026-01-11": [3.5, 999.0], "2026-01-12": [7, 9]}.items():
        monkeypatch.setitem(API, day, degrees)
    first = run(sensors, installation=installation)
    assert first["weeks"] == ["2026-01-05", "2026-01-12"]
    assert rows(installation, weeks.id, "_batch", "sensor", "degrees", "readings") == [
        ("2026-01-05", "north", 2.25, 2),
        ("2026-01-05", "south", 3, 1),
        ("2026-01-12", "north", 7, 1),
        ("2026-01-12", "south", 9, 1),
    ]
    assert len(rows(installation, temperatures.id.quarantine)) == 1

    monkeypatch.setitem(API, "2026-01-11", [3.5, 5.0])
    again = run(sensors, installation=installation)
    assert again == {"temperatures": ["2026-01-11"], "weeks": ["2026-01-05"], "warmth": ["2026-01-05"]}
    assert [value.value for value in kpi_values(warmth, installation=installation)] == [3.125, 8]
