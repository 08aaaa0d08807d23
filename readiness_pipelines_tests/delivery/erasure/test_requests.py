"""A person who asks for it is erased: nothing tells of them any more, and every other row is as it was."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Domain
from readiness_pipelines.batches import BatchRef, Counts
from readiness_pipelines.delivery import Level, audit, due_work, reconcile
from readiness_pipelines.delivery.erasure.certificate import Certificate
from readiness_pipelines.delivery.erasure.requests import (
    count_rows,
    erase,
)
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ErasureState
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import Kind
from readiness_pipelines_tests.delivery.erasure.clinic import ANNA, DAY_1, DAY_2, clinic, land, rows_of

CLINIC = clinic()
RUN = Run(who="dpo")
VISITS = CLINIC.table("visits").id


def opened(folder: Path) -> Installation:
    return Installation.open(settings_in(folder))


def erased(installation: Installation, domain: Domain = CLINIC, value: str = ANNA, **options: Any) -> Certificate:
    return erase([domain], [value], why="asked", ground="gdpr-17", installation=installation, run=RUN, **options)


def problems(installation: Installation, domain: Domain = CLINIC) -> tuple[object, ...]:
    found = [reconcile([domain], installation=installation, level=level).problems for level in Level]
    return (*(problem for one in found for problem in one), *audit(installation=installation).problems)


def files_with(folder: Path, text: str) -> list[str]:
    """The files below a folder that have a text in their bytes, whatever its case."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [str(file) for file in files if text.lower().encode() in file.read_bytes().lower()]


@pytest.mark.slow
def test_a_person_is_gone_from_everywhere_and_all_other_rows_are_as_they_were(database: Kind, tmp_path: Path) -> None:
    land(tmp_path)
    installation = opened(tmp_path)
    if database == "postgres":
        installation = _with_key(tmp_path)
    run_domains(CLINIC, installation=installation)
    before = rows_of(installation)
    other = land_and_run_without(ANNA, tmp_path / "other")
    counted = count_rows([CLINIC], [ANNA], installation=installation, at=datetime.now(UTC))
    assert counted["clinic_raw.visits"] == {"day_1": 3}
    assert counted["landing"] == {"visits/day_1.csv": 3}
    certificate = erased(installation)
    assert certificate.open_ends == ()
    assert certificate.scan.by_text
    assert certificate.scan.files > 20
    assert certificate.found == {name: rows for name, rows in counted.items() if name != "clinic.stays"}
    after = rows_of(installation)
    for table in ("clinic_raw.visits", "clinic_quarantine.visits", "clinic.visits", "clinic.stays"):
        assert set(after[table]) == {row for row in before[table] if ANNA not in str(row).upper()}
    # What is made of all rows is what it would be, had the person never been there.
    assert after["clinic.loads"] == other["clinic.loads"]
    assert after["clinic.share_of_a"] == other["clinic.share_of_a"]
    assert problems(installation) == ()
    assert due_work([CLINIC], installation=installation, now=datetime.now(UTC)) == ()
    record = installation.ledger.get(BatchRef(VISITS, "day_1"))
    assert record is not None
    assert record.counts == Counts(ingested=8, published=4, quarantined=1, erased=3)
    assert files_with(tmp_path, "CANARY") == []
    (request,) = installation.ledger.erasures.requests()
    assert request.state is ErasureState.DONE
    (done,) = (one for one in installation.ledger.trail() if one.what == "erasure done")
    assert (done.who, done.why, done.details["certificate"]["ground"]) == ("dpo", "asked", "gdpr-17")


def land_and_run_without(person: str, folder: Path) -> dict[str, list[tuple[str, ...]]]:
    """What is published where a person's rows never were."""
    land(folder, {"day_1": tuple(row for row in DAY_1 if person not in row.upper()), "day_2": DAY_2})
    installation = opened(folder)
    run_domains(CLINIC, installation=installation)
    return rows_of(installation, "clinic.loads", "clinic.share_of_a")


def _with_key(folder: Path) -> Installation:
    key = folder / "key"
    key.write_text("a key that was made by chance")
    settings = settings_in(folder).model_copy(update={"register_key": f"file:{key}"})
    return Installation.open(settings)
