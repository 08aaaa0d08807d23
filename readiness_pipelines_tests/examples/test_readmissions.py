"""The readmissions domain on the real data, against computations that know nothing of the framework."""

import csv
import gzip
import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from readiness_pipelines.delivery import ingest, replay_batch
from readiness_pipelines.examples.readmissions import encounters, readmission_rate_30d, readmissions
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import LaneStatus, status
from readiness_pipelines_tests.conftest import LANDING, settings_in

FOLDER = LANDING / "readmissions"
HELD = ["extract_06", "extract_08", "extract_10"]
RUN = Run(who="test")


def run_all(installation: Installation) -> None:
    """Everything that is due; whatever ran before, too."""
    for batch in encounters.batches.grid().keys:  # type: ignore[union-attr]  # its batches are a list
        ingest(encounters, batch=batch, installation=installation, run=RUN)
        replay_batch(encounters, batch=batch, installation=installation, run=RUN)


def lane(installation: Installation) -> LaneStatus:
    """The extracts; the page of the model, where a test has imported it, adds versions."""
    return status(readmissions, installation=installation).lanes[0]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    opened = Installation.open(settings_in(tmp_path_factory.mktemp("readmissions"), landing=LANDING))
    run_all(opened)
    return opened


def original(batch: str) -> list[dict[str, str]]:
    with gzip.open(FOLDER / "encounters" / batch / "encounters.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


def well_formed(code: str) -> bool:
    """`?`, or NNN, NNN.N, NNN.NN, or V or E with two or three digits and the same decimals."""
    digits = code.removeprefix("V").removeprefix("E")
    whole, _, decimals = digits.partition(".")
    lengths = {2, 3} if digits != code else {3}
    return code == "?" or (
        len(whole) in lengths and len(decimals) <= 2 and (whole + decimals).isdigit() and digits[-1] != "."
    )


def table(installation: Installation, name: str, batch: str) -> list[dict[str, Any]]:
    from readiness_pipelines.names import TableId  # noqa: PLC0415  # only here

    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, TableId.parse(name), batch=batch)
        return rows.to_arrow_table().to_pylist()  # type: ignore[no-any-return]  # Arrow is untyped


def test_the_committed_files_are_those_of_the_checksums() -> None:
    lines = (FOLDER / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == 13
    for line in lines:
        checksum, name = line.split("  ")
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == checksum


def test_every_row_is_accounted_for(installation: Installation) -> None:
    now = lane(installation)
    assert now.total.ingested == 101_766
    assert now.total.published + now.total.quarantined == 101_766
    assert [entry.batch for entry in now.batches if entry.held] == HELD
    for entry in now.batches:
        assert entry.counts.accounted
        assert (entry.counts.published == 0) == entry.held


def test_the_kpi_equals_a_computation_straight_from_the_files(installation: Installation) -> None:
    """No code of the framework: DuckDB over the CSV, with the rules written again by hand."""
    with duckdb.connect() as connection:
        for entry in lane(installation).batches:
            kpi = entry.values.get(readmission_rate_30d.id)
            if entry.held:
                assert kpi is None
                continue
            file = FOLDER / "encounters" / entry.batch / "encounters.csv.gz"
            code = r"^([0-9]{3}(\.[0-9]{1,2})?|[EV][0-9]{2,3}(\.[0-9]{1,2})?|\?)$"
            ((numerator, denominator, value),) = connection.execute(
                f"""
                SELECT count(*) FILTER (readmitted = '<30'), count(*), count(*) FILTER (readmitted = '<30') / count(*)
                FROM read_csv('{file}', all_varchar = true)
                WHERE discharge_disposition_id NOT IN ('11', '13', '14', '19', '20', '21')
                  AND regexp_matches(diag_1, '{code}') AND regexp_matches(diag_2, '{code}')
                  AND regexp_matches(diag_3, '{code}')
                  AND (diag_1, diag_2, diag_3) != ('?', '?', '?') AND gender != 'Unknown/Invalid'
                """
            ).fetchall()
            assert kpi is not None
            assert (kpi.numerator, kpi.denominator, kpi.value) == (numerator, denominator, value)


@pytest.mark.parametrize("batch", ["extract_01", "extract_05", "extract_06", "extract_09"])
@pytest.mark.parametrize("column", ["diag_1", "diag_2", "diag_3"])
def test_the_rows_quarantined_for_a_code_are_those_whose_code_is_malformed(
    installation: Installation, batch: str, column: str
) -> None:
    expected = {row["encounter_id"] for row in original(batch) if not well_formed(row[column])}
    waiting = table(installation, "readmissions_quarantine.encounters", batch)
    rule = f"{column}_str_matches"
    found = {row["encounter_id"] for row in waiting if any(error["rule"] == rule for error in row["_errors"])}
    assert found == expected
    assert expected


def test_quarantined_rows_are_as_they_arrived(installation: Installation) -> None:
    arrived = {row["encounter_id"]: row for row in original("extract_02")}
    for row in table(installation, "readmissions_quarantine.encounters", "extract_02"):
        assert {name: row[name] for name in arrived[row["encounter_id"]]} == arrived[row["encounter_id"]]


def test_published_values_equal_the_files_values_with_pseudonyms_for_numbers_of_persons(
    installation: Installation,
) -> None:
    key = installation.keys("patients")

    def pseudonym(number: str) -> str:
        return str(int(hmac.digest(key, number.encode(), "sha256").hex()[:16], 16) >> 1)

    arrived = original("extract_03")
    for row in arrived:
        for name in ("encounter_id", "patient_nbr"):
            row[name] = pseudonym(row[name])
    by_id = {row["encounter_id"]: row for row in arrived}
    rows = table(installation, "readmissions.encounters", "extract_03")
    assert len(rows) == 9_683
    for row in rows:
        as_text = {name: "?" if row[name] is None else str(row[name]) for name in arrived[0]}
        assert as_text == by_id[as_text["encounter_id"]]


def test_running_everything_again_changes_no_row_and_no_count(installation: Installation) -> None:
    before = lane(installation)
    rows = {batch: _fingerprint(installation, batch) for batch in ("extract_01", "extract_06")}
    run_all(installation)
    after = lane(installation)
    assert [entry.counts for entry in after.batches] == [entry.counts for entry in before.batches]
    assert [entry.values for entry in after.batches] == [entry.values for entry in before.batches]
    assert {batch: _fingerprint(installation, batch) for batch in rows} == rows


def _fingerprint(installation: Installation, batch: str) -> set[tuple[Any, ...]]:
    return {tuple(sorted(map(str, row.items()))) for row in table(installation, "readmissions.encounters", batch)}


def test_the_domain_fits_on_a_page() -> None:
    import readiness_pipelines.examples.readmissions as module  # noqa: PLC0415  # its file is the subject

    assert module.__file__ is not None
    text = Path(module.__file__).read_text()
    assert len(text.splitlines()) <= 150
    assert not re.search(r"^import dagster|^from dagster", text, re.MULTILINE)
