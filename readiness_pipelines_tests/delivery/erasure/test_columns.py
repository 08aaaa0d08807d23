"""Whatever the columns are that name persons: columns like a pattern, lists, records."""

import json
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pyarrow.parquet as pq

from readiness_pipelines import Domain
from readiness_pipelines.contracts.classification import protect
from readiness_pipelines.contracts.cleansing import Case, cleanse
from readiness_pipelines.delivery.erasure.certificate import Certificate
from readiness_pipelines.delivery.erasure.requests import erase
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.delivery.erasure.clinic import land, rows_of, visits


class ByPattern(pa.DataFrameModel):
    """A visit, and whoever was there."""

    visit: arrow.int64()
    patients: arrow.string() = pa.Field(
        alias="patient_.*", regex=True, metadata=protect("pii.id", subject=True) | cleanse(Case("upper"))
    )


NESTED = pa.DataFrameSchema(
    {
        "visit": pa.Column(arrow.int64()),
        "emails": pa.Column(arrow.list_(arrow.string()), metadata=protect("pii.direct", subject=True)),
        "there": pa.Column(metadata=protect("pii.id", subject=True)),
    }
)
"""A visit, whom to write to, and who was there: a record."""


def erased(domain: Domain, value: str, installation: Installation, **options: Any) -> Certificate:
    return erase(
        [domain], [value], why="asked", ground="gdpr-17", installation=installation, run=Run(who="dpo"), **options
    )


def test_persons_in_columns_like_a_pattern_are_erased_with_the_lines_that_could_not_be_parsed(tmp_path: Path) -> None:
    domain = visits(ByPattern, "visits/{batch}.csv")
    rows = ("1,a-17,x", "2,y,A-17", "3,z,z", "4,z,A-17,too,many")
    land(tmp_path, {"day_1": rows}, header="visit,patient_a,patient_b")
    installation = Installation.open(settings_in(tmp_path))
    run_domains(domain, installation=installation)
    assert erased(domain, "A-17", installation, scope="clinic.visits.patient_b").open_ends == ()
    assert [row[1:3] for row in rows_of(installation, "clinic.visits")["clinic.visits"]] == [("A-17", "X"), ("Z", "Z")]
    assert erased(domain, "a-17", installation).open_ends == ()
    left = rows_of(installation, "clinic_raw.visits", "clinic_quarantine.visits", "clinic.visits")
    assert [row[0] for found in left.values() for row in found] == ["3", "3"]
    assert (tmp_path / "landing" / "visits" / "day_1.csv").read_text().splitlines()[1:] == [rows[2]]


def test_persons_in_lists_and_records_are_erased_and_the_table_is_delivered_on(tmp_path: Path) -> None:
    domain = visits(NESTED, "visits/{batch}.*")
    rows = [
        {"visit": 1, "emails": ["b@clinic.example", "anna@clinic.example"], "there": {"role": "1", "person": 1}},
        {"visit": 2, "emails": [], "there": {"role": "nurse", "person": 4711}},
        {"visit": 3, "emails": ["b@clinic.example"], "there": {"role": "04711", "person": 4712}},
    ]
    (tmp_path / "landing" / "visits").mkdir(parents=True)
    pq.write_table(arrow.Table.from_pylist(rows), tmp_path / "landing" / "visits" / "day_1.parquet")
    lines = [json.dumps(row) for row in rows[::2]]  # lists are texts there
    (tmp_path / "landing" / "visits" / "day_2.jsonl").write_text("\n".join(lines) + "\n")
    installation = Installation.open(settings_in(tmp_path))
    assert erased(domain, "anna@clinic.example", installation).open_ends == ()
    run_domains(domain, installation=installation)
    assert erased(domain, "4711", installation, scope="clinic.visits").open_ends == ()
    left = rows_of(installation, "clinic_raw.visits", "clinic.visits")
    assert [row[3:5] for row in left["clinic_raw.visits"]] == [("day_1", "2"), ("day_2", "1")]
    assert [row[3:5] for row in left["clinic.visits"]] == [("day_1", "2")]
