"""A file that spreadsheets write is read whole, and the day that is an hour short is a day."""

from datetime import timedelta

from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.gallery.air import air, ozone, readings
from readiness_pipelines_tests.gallery.running import rows, run, write


def test_a_spreadsheet_export(installation: Installation) -> None:
    for day in ("2026-03-28", "2026-03-29"):
        lines = ("Città;0;100,5;;", "Città;1;-200;;", "Città;3;1.5.5;;", "Città;4;99,5;;", ";;;;", ";;;;")
        write(installation, f"air/{day}.csv", "station;hour;O3 (µg/m³);;", *lines, encoding="latin-1")
    run(air, installation=installation)
    published = rows(installation, readings.id, "station", "hour", "O3 (µg/m³)", batch="2026-03-29")
    assert published == [("Città", 0, 100.5), ("Città", 1, None), ("Città", 4, 99.5)]
    assert [row["hour"] for row in rows(installation, readings.id.quarantine)] == ["3", "3"]
    assert len(rows(installation, readings.id.raw)) == 8
    assert [(value.value, value.met) for value in kpi_values(ozone, installation=installation)] == [(100, True)] * 2
    window = readings.batches.window("2026-03-29")
    assert window is not None
    assert window.end - window.start == timedelta(hours=23)
