"""What an erasure could not reach keeps its request open, and the certificate says what helps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from readiness_pipelines import Domain, StaticBatches
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import reconcile, repair
from readiness_pipelines.delivery.erasure.requests import erase, resume
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.delivery.erasure.clinic import ANNA, BATCHES, Visit, clinic, land
from readiness_pipelines_tests.samples import gated

RUN = Run(who="dpo")
LONG_AGO = datetime.now(UTC) - timedelta(days=40)


def patients(folder: Path) -> set[str]:
    """Who is in any data file, whether something names it or not."""
    files = map(pq.read_table, (folder / "warehouse").rglob("*.parquet"))
    return {value for rows in files if "patient" in rows.column_names for value in rows["patient"].to_pylist()}


def test_old_files_are_open_ends_while_a_delivery_of_the_table_is_under_way_and_no_other_holds_them(
    tmp_path: Path,
) -> None:
    domain = clinic()
    land(tmp_path)
    installation = Installation.open(settings_in(tmp_path))
    run_domains(domain, installation=installation)
    for killed in (BatchRef(TableId("other", "table"), "b"), BatchRef(domain.table("visits").id, "day_2")):
        installation.ledger.begin(killed, attempt=str(killed), run_id="r", who="night", at=LONG_AGO)
    # Too short to be searched by text: nothing else would tell of the files.
    found = erase([domain], ["P-6"], why="asked", ground="gdpr-17", installation=installation, run=RUN)
    assert any(one.startswith("clinic_raw.visits: ") for one in found.open_ends)
    assert all(
        "of before that nothing names are left, for clinic.visits[day_2] has been under way since" in one
        and "readiness reconcile clinic --repair" in one
        for one in found.open_ends
    )
    assert "P-6" in patients(tmp_path)
    repair([domain], reconcile([domain], installation=installation), installation=installation, run=RUN)
    assert [one.open_ends for one in resume([domain], installation=installation, run=RUN)] == [()]
    assert "P-6" not in patients(tmp_path)


def test_a_table_that_was_renamed_is_an_open_end_where_it_has_the_person_and_somebody_may_answer_for_it(
    tmp_path: Path,
) -> None:
    land(tmp_path)
    installation = Installation.open(settings_in(tmp_path))
    run_domains(clinic(), installation=installation)
    renamed = Domain("clinic", owner="clinic@example.org")
    renamed.gated(
        "admissions", schema=Visit, source=gated(clinic(), "visits").source, batches=StaticBatches(keys=BATCHES)
    )
    nobody = erase([renamed], ["P-99"], why="asked", ground="gdpr-17", installation=installation, run=RUN)
    assert nobody.open_ends == ()
    lost = next((tmp_path / "warehouse" / "clinic" / "loads" / "data").rglob("*.parquet"))
    kept = lost.rename(tmp_path / "kept")
    (unread,) = erase([renamed], ["P-98"], why="asked", ground="gdpr-17", installation=installation, run=RUN).open_ends
    assert unread.startswith("clinic.loads: no code that runs here declares it, and it cannot be searched: ")
    kept.rename(lost)
    asked: dict[str, Any] = {"why": "asked", "ground": "gdpr-17", "installation": installation, "run": RUN}
    found = erase([renamed], [ANNA], **asked)
    named = {one for one in found.open_ends if "no code that runs here declares it, and the value is in" in one}
    assert {one.partition(":")[0] for one in named} == {
        "clinic.loads",
        "clinic.stays",
        "clinic.visits",
        "clinic_quarantine.visits",
        "clinic_raw.visits",
    }
    done = erase([renamed], [ANNA], **asked, accept="it is deleted on Friday")
    assert done.open_ends == ()
    assert done.accepted is not None
    assert set(done.accepted.what) >= named
