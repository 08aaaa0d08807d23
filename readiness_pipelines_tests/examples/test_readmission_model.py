"""The hospital's model: what is held is not learned from, and who lets it serve. The whole is ``make story``."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import do_work, due_work
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.examples.readmission_model import readmission, risks
from readiness_pipelines.examples.readmissions import readmissions
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.models import built_for, promote_model, train_model
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.examples.readmission_policies import extract
from readiness_pipelines_tests.gallery.running import rows

ROWS = 2_500
DAMAGED = "extract_03"


@pytest.mark.slow
def test_a_damaged_extract_is_held_nobody_learns_from_it_and_the_approver_alone_lets_the_model_serve(
    tmp_path: Path,
) -> None:
    installation = Installation.open(settings_in(tmp_path).model_copy(update={"mlflow_uri": "off"}))
    now = datetime.now(UTC)
    for key in ("extract_01", "extract_02", DAMAGED, "extract_04"):
        now += timedelta(days=30)
        ward = Run(who="ward@hospital.example", clock=lambda now=now: now)  # type: ignore[misc]
        file = tmp_path / "landing" / "readmissions" / "encounters" / key / "encounters.csv.gz"
        file.parent.mkdir(parents=True)
        lines = extract(key, damaged=key == DAMAGED).splitlines(keepends=True)[: ROWS + 1]
        file.write_bytes(gzip.compress(b"".join(lines)))
        while works := due_work([readmissions], installation=installation, now=now):
            for work in works:
                do_work(work, installation=installation, run=ward)

    def reasons(name: str, key: str) -> str:
        record = installation.ledger.get(BatchRef(readmissions.table(name).id, key))
        assert record is not None
        return f"{record.state}: {record.reason}"

    assert "some patients were in hospital in the year before" in reasons("stays", DAMAGED)
    assert "fewer than a quarter of the patients come back" in reasons("outcomes", "extract_04")
    assert reasons("outcomes", DAMAGED).startswith("published")  # those of the second extract

    built = built_for(readmission, installation=installation, run=ward)
    assert built.counts.balanced
    assert {one.batch for one in built.used if one.table.name == "outcomes"} == {"extract_01", "extract_02", DAMAGED}
    stays = rows(installation, readmissions.table("stays").id, "_batch")
    wrong = installation.ledger.get(BatchRef(readmissions.table("outcomes").id, "extract_04"))
    assert wrong is not None
    assert built.counts.trained + built.counts.held_out == sum(batch != "extract_04" for (batch,) in stays)
    assert built.counts.waiting == {
        "it waits in quarantine": wrong.counts.ingested,
        "no label of the entity is published yet": sum(batch == "extract_04" for (batch,) in stays),
    }

    version = train_model(readmission, built, installation=installation, run=ward)
    with pytest.raises(LedgerError, match=r"chief\.physician@hospital\.example"):
        promote_model(readmission, version.version, why="mine", installation=installation, run=ward)
    chief = Run(who="chief.physician@hospital.example", clock=lambda: now)
    promote_model(readmission, version.version, why="the first one", installation=installation, run=chief)
    while works := due_work([readmissions], installation=installation, now=now):
        for work in works:
            do_work(work, installation=installation, run=ward)
    scored = rows(installation, risks.id, "_batch", "model_version", "prediction")
    assert {batch for batch, _, _ in scored} == {"extract_01", "extract_02", "extract_04"}
    assert {number for _, number, _ in scored} == {version.version}
    assert all(0 <= prediction <= 1 for _, _, prediction in scored)
