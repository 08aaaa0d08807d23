"""The on-call story on the real data: a held extract, its lost zeros put back, replayed, proved."""

from pathlib import Path
from typing import Any

import duckdb

from readiness_pipelines.delivery import batch_ref, decide, deliver, ingest, published_table, reconcile, replay_batch
from readiness_pipelines.examples.readmission_rate import path
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchState, Correction
from readiness_pipelines_tests.conftest import LANDING, settings_in

BATCH = "extract_06"
RUN = Run(run_id="r", who="on-call")
FILE = LANDING / "readmissions" / "encounters" / BATCH / "encounters.csv.gz"


def test_lost_zeros_are_put_back_and_the_kpi_follows(tmp_path: Path) -> None:
    installation = Installation.open(settings_in(tmp_path, landing=LANDING))
    encounters: Any = path.table("encounters")
    ingest(path, encounters, batch=BATCH, installation=installation, run=RUN)
    assert deliver(path, encounters, batch=BATCH, installation=installation, run=RUN).state is BatchState.HELD
    for column in ("diag_1", "diag_2", "diag_3"):
        padded = f"lpad(split_part({column}, '.', 1), 3, '0') || substr({column}, strpos({column} || '.', '.'))"
        short = f"regexp_full_match({column}, '[0-9]{{1,2}}([.][0-9]+)?')"
        correction = Correction(column=column, expression=padded, where=short)
        decide(path, encounters, correction, batch=BATCH, why="zeros lost", installation=installation, run=RUN)
    replayed = replay_batch(path, batch=BATCH, installation=installation, run=RUN)
    counts = replayed.deliveries["encounters"].counts
    assert (counts.ingested, counts.published, counts.quarantined) == (10_177, 10_177, 0)
    with duckdb.connect() as connection:
        ((numerator, denominator),) = connection.execute(
            f"""
            SELECT count(*) FILTER (readmitted = '<30'), count(*) FROM read_csv('{FILE}', all_varchar = true)
            WHERE discharge_disposition_id NOT IN ('11', '13', '14', '19', '20', '21')
            """
        ).fetchall()
    assert replayed.measured is not None
    assert (replayed.measured.numerator, replayed.measured.denominator) == (numerator, denominator)
    assert reconcile(path, installation=installation).problems == ()
    record = installation.ledger.get(batch_ref(path, published_table(path, encounters), BATCH))
    assert record is not None
    assert record.state is BatchState.PUBLISHED
