"""The fraud domain on its daily files, against computations that know nothing of the framework."""

import csv
import gzip
import hashlib
import hmac
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from readiness_pipelines.batches import BatchState
from readiness_pipelines.cli.unusual import unusual_of
from readiness_pipelines.decisions import Correction, Waiver
from readiness_pipelines.delivery import decide, deliver, kpi_values, reconcile, replay_batch
from readiness_pipelines.delivery.erasure.needles import needles_of
from readiness_pipelines.delivery.erasure.scanning import in_file
from readiness_pipelines.examples.card_stream import card_stream
from readiness_pipelines.examples.fraud import customers, fraud, fraud_loss_rate, labels, merchants, transactions
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import FindingKind
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import LANDING, settings_in
from readiness_pipelines_tests.gallery.running import record, rows, run

FOLDER = LANDING / "fraud"
JANUARY = ["2019-01-01", "2019-01-02", "2019-01-03", "2019-01-04"]
DAYS = [*JANUARY, "2020-06-21", "2020-06-22"]
SAMPLE = "2020-03-10"
SENTENCE = "a card number has 11 to 19 digits, and a spreadsheet keeps six (2.70319E+15)"

Cells = dict[str, str]


def arrived(name: str) -> list[Cells]:
    """The rows of a committed file."""
    with gzip.open(FOLDER / name, "rt") as file:
        return list(csv.DictReader(file))


def of_day(day: str) -> list[Cells]:
    return arrived(f"transactions/{day}/transactions.csv.gz")


def opened(folder: Path, landing: Path) -> Installation:
    """An installation whose raw rows and quarantine lie elsewhere than what readers may read."""
    settings = settings_in(folder, landing=landing)
    return Installation.open(settings.model_copy(update={"restricted_warehouse": str(folder / "restricted")}))


def loss(installation: Installation, day: str) -> Any:
    """The total of a day: the KPI without its dimension; ``None`` where it is not published."""
    found = kpi_values(fraud_loss_rate, installation=installation, batches=[day])
    return next((value for value in found if not value.dimensions), None)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = opened(tmp_path_factory.mktemp("fraud"), LANDING)
    run(fraud, installation=made)
    return made


@pytest.fixture(scope="module")
def of_two_days(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The registers and the two shortest days, where each test may write to its own day."""
    tmp_path = tmp_path_factory.mktemp("two_days")
    for name in ("customers", "merchants"):
        shutil.copytree(FOLDER / name, tmp_path / "landing" / "fraud" / name)
    for name in ("transactions", "labels"):
        for day in ("2019-01-04", "2020-06-22"):
            shutil.copytree(FOLDER / name / day, tmp_path / "landing" / "fraud" / name / day)
    made = opened(tmp_path, tmp_path / "landing")
    run(fraud, installation=made)
    return made


def test_the_committed_files_are_those_of_the_checksums() -> None:
    lines = [line.split("  ") for line in (FOLDER / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert sums.keys() == {str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.gz")}
    assert {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in sums} == sums


def test_every_whole_day_is_published_and_the_loss_is_that_of_the_files_own_column(installation: Installation) -> None:
    """No code of the framework: DuckDB over the exports' lines, whose column is_fraud the domain does not read."""
    with duckdb.connect() as connection:
        for day in DAYS:
            found = connection.execute(
                f"""
                SELECT category, sum(amt::DECIMAL(12, 2)) FILTER (is_fraud = '1'), sum(amt::DECIMAL(12, 2)), count(*)
                FROM read_csv('{FOLDER}/transactions/{day}/*.csv.gz', all_varchar = true) GROUP BY CUBE (category)
                """
            ).fetchall()
            expected = {category: (float(lost or 0), float(amount)) for category, lost, amount, _ in found}
            counts = record(installation, transactions, day).counts
            assert (counts.ingested, counts.published) == (found_rows := len(of_day(day)), found_rows)
            published = rows(installation, fraud_loss_rate.id, "category", "numerator", "denominator", batch=day)
            assert {category: pytest.approx(pair) for category, *pair in published} == expected
    january = [loss(installation, day) for day in JANUARY]
    lost, amount = (sum(getattr(one, name) for one in january) for name in ("numerator", "denominator"))
    assert f"{lost / amount:.2%}" == "2.98%"


def test_published_transactions_are_those_of_the_files_with_pseudonyms_and_without_the_prefix(
    installation: Installation,
) -> None:
    key = installation.keys("cards")
    names = ("trans_num", "trans_date_trans_time", "cc_num", "merchant", "category", "amt", "merch_lat")
    published = rows(installation, transactions.id, *names, batch="2020-06-22")
    assert [tuple(map(str, row)) for row in published] == [
        (
            row["trans_num"],
            row["trans_date_trans_time"],
            hmac.digest(key, row["cc_num"].encode(), "sha256").hex()[:32],
            row["merchant"].removeprefix("fraud_"),
            row["category"],
            f"{float(row['amt']):.2f}",
            str(float(float(row["merch_lat"]) // 1)),
        )
        for row in of_day("2020-06-22")
    ]
    known = {row[0] for row in rows(installation, customers.id, "cc_num")}
    assert {row[2] for row in published} <= known, "a card has one pseudonym in all tables"
    assert len(rows(installation, merchants.id)) == 700


def test_nothing_of_a_person_is_in_a_file_that_readers_of_published_tables_can_open(
    installation: Installation,
) -> None:
    persons = arrived("customers/2020-06-21.csv.gz")
    secret = ("cc_num", "first", "last", "street", "city", "zip", "job", "dob")
    values = {person[name].zfill(5) for person in persons for name in secret}
    values = {value for value in values if not value.endswith("-01-01")}  # a birthday that is a year, too
    needles = needles_of(person[name] for person in persons[::30] for name in ("cc_num", "street"))
    place, elsewhere = installation.lakehouse.homes.places
    files = list(place.files())
    assert {"fraud_raw", "fraud_quarantine"}.isdisjoint(file.name.split("/")[0] for file in files)
    cells: set[str] = set()
    for file in files:
        assert in_file(place, file.name, needles) == "", file.name
        if file.name.endswith(".parquet"):
            cells.update(_cells(place.path / file.name))
    assert len(cells) > 10_000
    assert cells & values == set()
    where = rows(installation, customers.id, "lat", "long", "zip")
    assert all(lat % 1 == long % 1 == 0 and (len(code), code[3]) == (4, "*") for lat, long, code in where)
    restricted = list(elsewhere.path.rglob("fraud_raw/customers/**/*.parquet"))
    assert set().union(*map(_cells, restricted)) > {person["street"] for person in persons}, "the search finds them"


def test_customers_who_are_alone_with_sex_state_and_year_of_birth_are_a_finding(installation: Installation) -> None:
    (found,) = unusual_of([customers], installation=installation)
    assert (found.kind, found.batch) == (FindingKind.DISCLOSURE, "2020-06-21")
    assert "899 of 899 rows" in found.seen


def _cells(file: Path) -> Iterator[str]:
    table = pq.read_table(file)
    for name in set(table.column_names) - {"_row"}:
        yield from (str(value) for value in table[name].unique().to_pylist())


def test_a_day_that_went_through_a_spreadsheet_is_held_with_the_reason_and_what_was_published_stays(
    of_two_days: Installation,
) -> None:
    day, whole = "2019-01-04", of_day("2019-01-04")
    target = of_two_days.landing.path / "fraud" / "transactions" / day / "transactions.csv.gz"
    shutil.copy(FOLDER / "through_a_spreadsheet" / day / target.name, target)
    before = loss(of_two_days, day).value
    run(fraud, installation=of_two_days)
    held = record(of_two_days, transactions, day)
    assert held.state is BatchState.HELD
    assert held.reason is not None
    assert held.reason.startswith(f"card_number_in_full is broken in 1,252 rows: {SENTENCE}")
    assert len(rows(of_two_days, transactions.id, batch=day)) == len(whole) == 271
    assert loss(of_two_days, day).value == before > 0.02
    shutil.copy(FOLDER / "transactions" / day / target.name, target)
    run(fraud, installation=of_two_days)
    assert record(of_two_days, transactions, day).state is BatchState.PUBLISHED


def test_a_label_that_comes_weeks_later_changes_its_own_day_and_an_older_report_nothing(
    of_two_days: Installation,
) -> None:
    day = "2020-06-22"
    frauds = [row for row in of_day(day) if row["is_fraud"] == "1"]
    folder = of_two_days.landing.path / "fraud" / "labels" / day

    def report(on: str, number: str, is_fraud: int) -> dict[str, list[str]]:
        text = f"trans_num,is_fraud,reported_on\n{number},{is_fraud},{on}\n"
        (folder / f"reported-{on}.csv.gz").write_bytes(gzip.compress(text.encode()))
        return run(fraud, installation=of_two_days)

    touched = {"labels": [day], "labelled_transactions": [day], "fraud_loss_rate": [day]}
    assert report("2020-08-03", frauds[0]["trans_num"], 0) == touched
    assert (loss(of_two_days, day).numerator, len(frauds)) == (0, 1)
    assert record(of_two_days, labels, day).counts.discarded == 1, "the newest report counts, and the older is kept"
    report("2020-07-01", frauds[0]["trans_num"], 1)
    assert loss(of_two_days, day).numerator == 0


def test_a_sample_that_is_forced_past_the_gate_gives_a_number_that_is_not_published(
    installation: Installation,
) -> None:
    held = record(installation, transactions, SAMPLE)
    assert (held.state, held.counts.quarantined) == (BatchState.HELD, 13_280)
    assert SENTENCE in str(held.reason)
    read = Correction(column="trans_date_trans_time", expression="strptime(trans_date_trans_time, '%d/%m/%Y %H:%M')")
    broken = ("card_number_in_full", "cc_num_exists_in_fraud_customers", "dated_in_its_batch")
    waived = [Waiver(rule=rule) for rule in (*broken, "merchant_category_exists_in_fraud_merchants")]
    who = Run(who="on-call")
    decisions: list[Correction | Waiver] = [read, *waived]
    for decision in decisions:
        decide(transactions, decision, batch=SAMPLE, why="needed today", installation=installation, run=who)
    replay_batch(transactions, batch=SAMPLE, installation=installation, run=who)
    run_domains(fraud, installation=installation)
    assert record(installation, transactions, SAMPLE).state is BatchState.PUBLISHED
    refused = record(installation, fraud_loss_rate, SAMPLE)
    assert refused.state is BatchState.HELD
    assert refused.reason == (
        "value_total_plausible is broken in 1 row: no day loses a fifth of all that is paid: "
        "more is a sample, not a day"
    )
    assert loss(installation, SAMPLE) is None
    whole = of_day(SAMPLE)
    lost = sum(float(row["amt"]) for row in whole if row["is_fraud"] == "1")
    assert f"{lost / sum(float(row['amt']) for row in whole):.0%}" == "87%"
    assert reconcile([fraud], installation=installation).problems == ()


def test_the_daily_files_are_in_the_table_of_all_payments_also_where_no_stream_was(installation: Installation) -> None:
    of_days = card_stream.table("all_payments")
    deliver(of_days, batch="2019-01-04", installation=installation, run=Run())
    columns = ("trans_num", "cc_num", "merchant", "category", "amt")
    found = rows(installation, of_days.id, *columns, batch="2019-01-04")
    # What another day has published already waits.
    waiting = rows(installation, of_days.id.quarantine, *columns, batch="2019-01-04")
    assert sorted([*found, *waiting]) == sorted(rows(installation, transactions.id, *columns, batch="2019-01-04"))
    assert len(found) > 200
